"""A plan of many definitions: one process, calls in bounds and side by side."""

from __future__ import annotations

import threading
from pathlib import Path

from many import write_many
from moto_server import AwsServer, Fault, Request

from pipelines.cloud.client import PARALLEL
from pipelines.deployment import plan, upsert

COUNT = 16


def test_calls_are_few_and_parallel(aws: AwsServer, tmp_path: Path) -> None:
    folder = write_many(tmp_path / "many", aws.url, COUNT)
    assert len(upsert([folder], environment="dev")) == COUNT
    aws.forget_requests()
    # Every call waits until another one is there as well, or has waited long enough.
    together = threading.Condition()
    under_way: set[int] = set()
    most = [0]

    def meet(request: Request) -> Fault | None:
        with together:
            under_way.add(request.index)
            most[0] = max(most[0], len(under_way))
            together.notify_all()
            if request.call == "sagemaker:DescribePipeline":
                together.wait_for(lambda: most[0] > 1, timeout=10)
            under_way.discard(request.index)
        return None

    aws.hook = meet
    made = plan([folder], environment="dev")
    aws.hook = None
    assert made.plan.is_empty
    assert aws.writes == []
    assert 1 < most[0] <= PARALLEL
    # Two calls for a pipeline, one for each of its two assets, three for everything.
    assert aws.count() == {
        "sts:GetCallerIdentity": 1,
        "scheduler:GetScheduleGroup": 1,
        "sagemaker:DescribePipeline": COUNT,
        "sagemaker:ListTags": COUNT,
        "s3:HeadObject": 2 * COUNT,
    }


def test_an_asset_of_several_definitions_is_looked_up_once(aws: AwsServer, tmp_path: Path) -> None:
    folder = write_many(tmp_path / "many", aws.url, 3)
    for number in range(3):
        (folder / f"line-{number}" / "split.py").write_text("print('the same')\n")
        (folder / f"line-{number}" / "code" / "train.py").write_text("print('the same too')\n")
    made = plan([folder], environment="dev")
    assert aws.count()["s3:HeadObject"] == 2
    assert len(made.plan.uploads) == 2
    upsert([folder], environment="dev")
    # Twice a file, an archive and a manifest.
    assert aws.count()["s3:PutObject"] == 6
