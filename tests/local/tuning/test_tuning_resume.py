"""A search that was stopped in its middle, and goes on."""

from __future__ import annotations

from typing import Any

import pytest
from tuning_samples import INTEGERS, categories, pipeline, put_code, request

from pipelines.local.observer import Observer
from pipelines.local.stopping import Stop


class StopAfter(Observer):
    """Stops the run once so many trials have ended."""

    def __init__(self, trials: int) -> None:
        self.trials, self.stop = trials, Stop()

    def progress(self, step: str, progress: Any) -> None:
        if progress.state == "succeeded":
            self.trials -= 1
            if self.trials == 0:
                self.stop.request()


def stopped(run: Any, definition: dict[str, Any], trials: int) -> Any:
    watch = StopAfter(trials)
    ran = run(definition, observer=watch, stop=watch.stop)
    assert ran.status == "Stopped"
    return ran


def trials_of(ran: Any, place: Any) -> dict[str, str]:
    """The trials of the resumed part, by number: what the log says came of them."""
    log = (place.store / f"logs/{ran.record.id}/tune.log").read_text()
    lines = log.rpartition("the run is resumed")[2].splitlines()
    return {line[4:7]: line for line in lines if line.startswith("job ")}


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_trials_that_ended_are_kept_and_the_rest_runs(run: Any, place: Any, strategy: str) -> None:
    put_code(place.store)
    definition = pipeline(request(INTEGERS, strategy=strategy, jobs=6, parallel=2))
    first = stopped(run, definition, 3)
    folder = place.store / f"logs/{first.record.id}/tune"
    ended = {path.stem: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    assert len(ended) >= 3
    again = run(definition, resume="latest")
    assert again.status == "Succeeded", again.record.failure_reason
    told = trials_of(again, place)
    assert sorted(told) == [f"{n:03d}" for n in range(1, 7)]
    assert {number for number, line in told.items() if "(kept)" in line} == set(ended)
    found = again.steps["tune"].properties
    assert found["TrainingJobStatusCounters"]["Completed"] == 6
    values = [
        each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for each in found["TrainingJobSummaries"]
    ]
    assert values == sorted(values, reverse=True)


def test_trials_of_another_search_run_again(run: Any, place: Any) -> None:
    put_code(place.store)
    grid = categories("depth", "3", "4", "5", "6")
    stopped(run, pipeline(request(grid, strategy="Grid", jobs=None, parallel=1)), 2)
    other = pipeline(request(grid, strategy="Grid", jobs=None, parallel=1, mode="other"))
    changed = run(other, resume="latest")
    assert changed.status == "Succeeded", changed.record.failure_reason
    assert not any("(kept)" in line for line in trials_of(changed, place).values())


def test_a_trial_whose_model_is_gone_runs_again(run: Any, place: Any) -> None:
    put_code(place.store)
    grid = categories("depth", "3", "4", "5", "6")
    definition = pipeline(request(grid, strategy="Grid", jobs=None, parallel=1))
    stopped(run, definition, 2)
    gone = min((place.store / "s3/bucket/models").rglob("*-001-*/output/model.tar.gz"))
    gone.unlink()
    again = run(definition, resume="latest")
    assert again.status == "Succeeded", again.record.failure_reason
    kept = [number for number, line in trials_of(again, place).items() if "(kept)" in line]
    assert "001" not in kept
    assert "002" in kept
    best = again.report("look")["words"][1].removeprefix("s3://")
    assert (place.store / "s3" / best).is_file()
