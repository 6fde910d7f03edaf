from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from local_samples import document, fail, output_of, processing

from pipelines.definition.durations import seconds

Run = Callable[..., Any]
ON = {"Enabled": True, "ExpireAfter": "P1D"}


def job(*arguments: str, name: str = "job", cache: Any = ON, **more: Any) -> dict[str, Any]:
    return processing(name, *arguments, CacheConfig=cache, **more)


def source(ran: Any, step: str = "job") -> str | None:
    arn = ran.steps[step].cache_source
    return arn and arn.rpartition("/")[2]


def test_a_hit_reuses_the_result_and_names_its_source(run: Run) -> None:
    follow = job(name="follow", data=output_of("job"))
    first = run(document(job(), follow))
    second, third = run(document(job(), follow)), run(document(job(), follow))
    assert (source(first), source(first, "follow")) == (None, None)
    # A hit of a hit names the run that did the work; and a hit's outputs lead to another hit.
    for ran in (second, third):
        assert (source(ran), source(ran, "follow")) == (first.record.id, first.record.id)
    assert second.steps["job"].properties == first.steps["job"].properties
    assert second.status == "Succeeded"


@pytest.mark.parametrize(
    "change", ["argument", "environment", "name", "pipeline", "input", "code", "off", "no-cache"]
)
def test_what_counts_makes_a_miss(run: Run, place: Any, change: str) -> None:
    (place.folder / "rows.csv").write_text("1\n")
    run(document(job("a", data="rows.csv")))
    other, options = job("b" if change == "argument" else "a", data="rows.csv"), {}
    if change == "environment":
        other["Arguments"]["Environment"] = {"X": "1"}
    elif change == "name":
        other["Name"] = "other"
    elif change == "pipeline":
        options["name"] = "another"
    elif change == "input":
        (place.folder / "rows.csv").write_text("2\n")
    elif change == "code":
        with (place.folder / "code/job.py").open("a") as stream:
            stream.write("# changed\n")
    elif change == "off":
        other["CacheConfig"] = {"Enabled": False}
    elif change == "no-cache":
        options["cache"] = False
    assert source(run(document(other), **options), other["Name"]) is None


def test_output_locations_and_resources_do_not_count(run: Run) -> None:
    first, other = run(document(job())), job()
    other["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] = "ml.c5.large"
    output = other["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]
    output["S3Output"]["S3Uri"] = "s3://bucket/elsewhere"
    assert source(run(document(other))) == first.record.id


def test_failures_are_never_reused(run: Run) -> None:
    assert run(document(job("fail"))).status == "Failed"
    assert run(document(job("fail"))).status == "Failed"


def test_a_success_of_a_run_that_failed_is_reused(run: Run) -> None:
    first = run(document(job(), fail("end", DependsOn=["job"])))
    assert first.status == "Failed"
    assert source(run(document(job()))) == first.record.id


def test_the_latest_success_is_reused(run: Run) -> None:
    run(document(job()))
    second = run(document(job()), cache=False)
    assert source(run(document(job()))) == second.record.id


def test_what_is_older_than_its_expiry_is_not_reused(run: Run, place: Any) -> None:
    first = run(document(job()))
    with sqlite3.connect(place.store / "store.sqlite") as connection:
        connection.execute("UPDATE steps SET ended = ended - 7200")
    hour = {"Enabled": True, "ExpireAfter": "T1H"}
    assert source(run(document(job()))) == first.record.id
    assert source(run(document(job(cache=hour)))) is None


def test_a_success_whose_outputs_are_gone_is_not_reused(run: Run, place: Any) -> None:
    run(document(job()))
    shutil.rmtree(place.store / "s3")
    assert source(run(document(job()))) is None


def test_an_expiry_that_is_no_duration_fails_the_step(run: Run) -> None:
    ran = run(document(job(cache={"Enabled": True, "ExpireAfter": "a week"})))
    assert "`a week` is no duration" in ran.steps["job"].failure_reason


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P30D", 30 * 86400), ("p30d", 30 * 86400), ("30d", 30 * 86400), ("T16m", 960),
        ("PT1H", 3600), ("T12H", 43200), ("P4DT12H", 4 * 86400 + 43200), ("P1M", 30 * 86400),
        ("PT1M", 60), ("P2W", 14 * 86400), ("P1Y", 365 * 86400), ("1d12h", 129600), ("90m", 5400),
        ("", None), ("P", None), ("PT", None), ("d", None), ("-1d", None), ("1.5h", None),
        ("9" * 50 + "d", None),
    ],
)  # fmt: skip
def test_durations(text: str, length: float | None) -> None:
    assert seconds(text) == length
