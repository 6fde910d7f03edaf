"""Tuning steps with real training jobs."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from tuning_samples import INTEGERS, categories, pipeline, put_code, request

from pipelines.service.checking import check
from pipelines.service.shapes import output_shape

Run = Callable[..., Any]


@pytest.fixture
def tune(run: Run, place: Any) -> Run:
    """Run a pipeline that tunes, and return how it went."""
    put_code(place.store)

    def call(*ranges: Any, **options: Any) -> Any:
        return run(pipeline(request(*ranges, **options)))

    return call


def described(ran: Any) -> dict[str, Any]:
    assert ran.status == "Succeeded", ran.record.failure_reason
    return dict(ran.steps["tune"].properties)


def test_a_grid_is_tried_whole_and_the_best_model_goes_on(tune: Run, place: Any) -> None:
    ran = tune(categories("depth", "3", "4", "5", "6"), strategy="Grid", jobs=None)
    found = described(ran)
    assert found["TrainingJobStatusCounters"]["Completed"] == 4
    tried = [each["TunedHyperParameters"]["depth"] for each in found["TrainingJobSummaries"]]
    assert tried[0] == "5"
    assert tried[-1] == "3"
    best = found["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Maximize",
        "MetricName": "score",
        "Value": 10.0,
    }
    report = ran.report("look")
    key = f"bucket/models/{best['TrainingJobName']}/output/model.tar.gz"
    assert report["words"] == [best["TrainingJobName"], f"s3://{key}"]
    archive = place.store / "s3" / key
    with tarfile.open(archive) as tar:
        member = tar.extractfile("model.json") or tar.extractfile("./model.json")
        assert member is not None
        assert json.loads(member.read())["depth"] == 5


def test_the_response_has_the_shape_of_the_api(tune: Run) -> None:
    found = described(tune(INTEGERS, jobs=2))
    summaries = found.pop("TrainingJobSummaries")
    shape = output_shape("DescribeHyperParameterTuningJob")
    assert [m.message for m in check(found, shape) if m.kind != "pattern"] == []
    listed = output_shape("ListTrainingJobsForHyperParameterTuningJob")
    response = {"TrainingJobSummaries": summaries}
    assert [m.message for m in check(response, listed) if m.kind != "pattern"] == []


def test_a_search_runs_its_jobs_side_by_side_and_tells_of_each(tune: Run, place: Any) -> None:
    ran = tune(INTEGERS, strategy="Bayesian", jobs=5, parallel=3)
    found = described(ran)
    assert found["ObjectiveStatusCounters"] == {"Succeeded": 5, "Pending": 0, "Failed": 0}
    log = place.store / f"logs/{ran.record.id}/tune.log"
    lines = log.read_text().splitlines()
    assert sum(line.startswith("job 00") for line in lines) == 5
    assert any("(best so far)" in line for line in lines)
    assert min(p.name for p in log.with_suffix("").glob("*.log")) == "001.log"


def test_failed_jobs_do_not_fail_the_search_unless_all_do(tune: Run) -> None:
    found = described(
        tune(categories("depth", "3", "4"), strategy="Grid", jobs=None, mode="broken")
    )
    assert found["TrainingJobStatusCounters"]["NonRetryableError"] == 1
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"depth": "4"}
    ran = tune(categories("depth", "3", "7"), strategy="Grid", jobs=None, mode="broken")
    assert ran.status == "Failed"
    assert "none of 2 training jobs came to an objective" in ran.record.failure_reason


def test_an_objective_that_no_log_holds_fails_the_step(tune: Run) -> None:
    ran = tune(categories("depth", "4"), strategy="Grid", jobs=None, mode="silent")
    assert ran.status == "Failed"
    assert "no objective was found in the logs of 1 training jobs" in ran.record.failure_reason


def test_jobs_that_promise_nothing_end_early(tune: Run) -> None:
    found = described(
        tune(
            categories("depth", "5", "1", "9"),
            strategy="Grid",
            jobs=None,
            parallel=1,
            mode="slow",
            TrainingJobEarlyStoppingType="Auto",
        )
    )
    assert found["TrainingJobStatusCounters"]["Stopped"] == 2
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"depth": "5"}


def test_a_target_ends_the_search(tune: Run) -> None:
    found = described(
        tune(
            categories("depth", "1", "5", "6", "7"),
            strategy="Grid",
            jobs=None,
            parallel=1,
            TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 9.5},
        )
    )
    assert found["TrainingJobStatusCounters"]["Completed"] == 2


def test_an_unchanged_search_comes_from_the_cache(run: Run, place: Any) -> None:
    put_code(place.store)
    first = run(pipeline(request(INTEGERS, jobs=2)))
    again = run(pipeline(request(INTEGERS, jobs=2, output="s3://bucket/elsewhere")))
    assert again.steps["tune"].cache_source == first.record.arn
    other = run(pipeline(request(INTEGERS, jobs=3)))
    assert other.steps["tune"].cache_source is None


def test_a_warm_start_learns_from_an_earlier_search(run: Run, place: Any) -> None:
    put_code(place.store)
    first = run(pipeline(request(INTEGERS, jobs=2)))
    name = first.steps["tune"].properties["HyperParameterTuningJobName"]

    def warm(parent: str, jobs: int) -> Any:
        arguments = request(INTEGERS, strategy="Bayesian", jobs=jobs)
        parents = [{"HyperParameterTuningJobName": parent}]
        arguments["WarmStartConfig"] = {
            "ParentHyperParameterTuningJobs": parents,
            "WarmStartType": "TransferLearning",
        }
        return run(pipeline(arguments))

    ran = warm(name, 1)
    assert ran.status == "Succeeded", ran.record.failure_reason
    log = (place.store / f"logs/{ran.record.id}/tune.log").read_text()
    assert "warm start: 2 of 2 earlier training jobs" in log
    missing = warm("somebody-elses", 2)
    assert missing.status == "Failed"
    assert "no tuning job `somebody-elses` has succeeded in this store" in (
        missing.record.failure_reason
    )


@pytest.mark.parametrize("kind", ["IdenticalDataAndAlgorithm", "TransferLearning"])
def test_the_best_of_all_is_told_where_a_search_goes_on_with_the_same(
    run: Run, place: Any, kind: str
) -> None:
    put_code(place.store)
    grid = {"strategy": "Grid", "jobs": None}
    first = run(pipeline(request(categories("depth", "5", "6"), **grid)))
    name = first.steps["tune"].properties["HyperParameterTuningJobName"]
    arguments = request(categories("depth", "1", "2"), **grid)
    arguments["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name}],
        "WarmStartType": kind,
    }
    found = described(run(pipeline(arguments)))
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"depth": "2"}
    overall = found.get("OverallBestTrainingJob")
    assert "OverallBestTrainingJob" not in first.steps["tune"].properties
    if kind == "TransferLearning":
        assert overall is None
    else:
        assert overall["TunedHyperParameters"] == {"depth": "5"}
        assert overall["TuningJobName"] == name
        found.pop("TrainingJobSummaries")
        shape = output_shape("DescribeHyperParameterTuningJob")
        assert [m.message for m in check(found, shape) if m.kind != "pattern"] == []
