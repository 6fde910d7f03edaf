"""The code that the SageMaker SDK 3 puts into its training jobs, run as it is."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from job_training import model_of, training_request
from job_workshop import Workshop

from pipelines.local.jobs import JobFailed


def test_the_sdk_s_drivers_run_as_they_are(every_mode: Workshop, tmp_path: Path) -> None:
    spec = find_spec("sagemaker.train")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the SageMaker SDK 3 is not installed")
    drivers = tmp_path / "sm_drivers"
    folder = Path(spec.submodule_search_locations[0])
    files = [each for each in (folder / "container_drivers").rglob("*.py") if each.is_file()]
    for file in files:
        target = drivers / file.relative_to(folder / "container_drivers")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    source = {"source_dir": "code", "entry_script": "train.py"}
    (drivers / "sourcecode.json").write_text(json.dumps(source), encoding="utf-8")
    (drivers / "distributed.json").write_text("{}", encoding="utf-8")
    (drivers / "sm_train.sh").write_text(SM_TRAIN, encoding="utf-8")
    every_mode.objects.upload(drivers, "s3://bucket/sm_drivers")
    every_mode.objects.put("s3://bucket/plain/train.py", SDK_3.encode())
    every_mode.objects.put("s3://bucket/data/train.csv", b"1,2\n")
    request = training_request(HyperParameters={"depth": "3"})
    request["AlgorithmSpecification"] |= {
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": [
            "-c",
            "chmod +x /opt/ml/input/data/sm_drivers/sm_train.sh && "
            "/opt/ml/input/data/sm_drivers/sm_train.sh",
        ],
    }
    for name in ("code", "sm_drivers"):
        uri = f"s3://bucket/{'plain' if name == 'code' else name}/"
        request["InputDataConfig"].append(
            {
                "ChannelName": name,
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
            }
        )
    if every_mode.mode == "paths":
        # The limit of that mode: the text of a shell script is not rewritten.
        with pytest.raises(JobFailed):
            every_mode.train(request)
        return
    answer = every_mode.train(request)
    seen = json.loads((model_of(every_mode, answer, tmp_path) / "m").read_text(encoding="utf-8"))
    assert seen == {"argv": ["--depth", "3"], "channel": "1,2\n", "host": "algo-1"}


SM_TRAIN = """#!/bin/bash
set -e
SM_PYTHON_CMD=$(command -v python3)
$SM_PYTHON_CMD /opt/ml/input/data/sm_drivers/scripts/environment.py
source /opt/ml/input/sm_training.env
cd /opt/ml/input/data/code
$SM_PYTHON_CMD train.py --depth $SM_HP_DEPTH
"""

SDK_3 = """
import json, os, sys
json.dump({"argv": sys.argv[1:], "host": os.environ["SM_CURRENT_HOST"],
           "channel": open(os.environ["SM_CHANNEL_TRAIN"] + "/train.csv").read()},
          open(os.environ["SM_MODEL_DIR"] + "/m", "w"))
"""
