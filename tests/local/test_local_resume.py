"""Going on with an execution: what had succeeded is kept, the rest runs again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from local_samples import always, compare, condition, document, get, output_of, processing, register
from test_conformance_11_for_each import ITEM, for_each, in_round

from pipelines.errors import UsageError
from pipelines.local.store import read_store
from pipelines.local.views.summary import failure


def line(second: str = "", first: str = "a", **more: Any) -> dict[str, Any]:
    steps = [
        processing("first", first, get("Parameters.Word")),
        processing("second", *([second] if second else []), data=output_of("first")),
        register("register"),
        condition("gate", compare("Equals", get("Steps.second.ProcessingJobStatus"), "Completed"),
                  then=[processing("third", data=output_of("second"))]),
    ]  # fmt: skip
    parameters = [{"Name": "Word", "Type": "String", "DefaultValue": "w"}]
    return document(*steps, Parameters=parameters, **more)


def times(ran: Any, step: str) -> int:
    """How often a step's job began, by its log."""
    return Path(ran.steps[step].log).read_text().count("arguments")


def test_the_failed_step_runs_again_and_the_finished_are_kept(run: Any) -> None:
    failed = run(line("fail"), parameters={"Word": "x"}, parallelism=1)
    assert failed.statuses == {"first": "Succeeded", "second": "Failed", "register": "Succeeded"}
    again = run(line(), resume="latest")
    assert again.record.id == failed.record.id and again.status == "Succeeded"
    assert again.record.failure_reason is None
    assert again.record.parameters == {"Word": "x"}
    assert again.report("first")["words"] == ["a", "x"]
    assert (times(again, "first"), times(again, "second"), times(again, "third")) == (1, 2, 1)
    assert again.steps["first"] == failed.steps["first"]
    assert again.steps["register"] == failed.steps["register"]
    assert [package.version for package in again.packages] == [1]
    assert [step.position for step in again.steps.values()] == [1, 2, 3, 4, 5]
    assert list(again.steps) == ["first", "register", "second", "gate", "third"]
    assert "runs again" in Path(again.steps["second"].log).read_text()


def test_the_time_before_a_run_is_resumed_does_not_count(run: Any, runs: Any) -> None:
    failed = run(line("fail"))
    time.sleep(1.5)
    again = run(line("fail"), resume="latest")
    assert again.record.paused >= 1.5
    assert again.record.ended - again.record.started - again.record.seconds >= 1.5
    assert again.record.started == failed.record.started


def test_the_failure_shows_the_log_of_the_resumed_part_alone(run: Any, place: Any) -> None:
    run(line("fail"))
    again = run(line("fail"), resume="latest")
    with read_store(place.store) as store:
        told = "\n".join(failure(store, again.record))
    assert told.count("this went wrong") == 1
    assert Path(again.steps["second"].log).read_text().count("this went wrong") == 2


def test_what_changed_runs_again_with_all_that_comes_after(run: Any) -> None:
    run(line("fail"), parallelism=1)
    again = run(line(first="b"), resume="latest")
    assert again.status == "Succeeded"
    assert (times(again, "first"), times(again, "second")) == (2, 2)
    assert again.report("first")["words"] == ["b", "w"]
    # What does not depend on it is kept: the registration is still the only one.
    assert [package.version for package in again.packages] == [1]


def test_a_run_that_failed_can_fail_and_be_resumed_again(run: Any) -> None:
    run(line("fail"))
    for _ in range(2):
        again = run(line("fail"), resume="latest")
        assert again.status == "Failed"
    assert times(again, "second") == 3 and times(again, "first") == 1


def test_a_run_that_succeeded_has_nothing_left_to_do(run: Any) -> None:
    first = run(line())
    again = run(line(), resume=first.record.id)
    assert again.record == first.record and again.steps == first.steps


def test_what_cannot_be_resumed_is_refused(run: Any) -> None:
    with pytest.raises(UsageError, match="has not run here, so there is nothing to resume"):
        run(line(), resume="latest")
    failed = run(line("fail"), parameters={"Word": "x"})
    with pytest.raises(UsageError, match="goes on with the parameters it began with; `Word`"):
        run(line(), resume="latest", parameters={"Word": "y"})
    with pytest.raises(UsageError, match="is one of pipeline `sample`"):
        run(line(), resume=failed.record.id, name="another")
    assert run(line(), resume="latest", parameters={"Word": "x"}).status == "Succeeded"


def test_steps_that_ran_on_a_failure_run_again_only_if_it_fails_again(run: Any) -> None:
    def telling(*arguments: str) -> dict[str, Any]:
        tell = always("tell", DependsOn=[{"Step": "bad", "Trigger": "Failed"}])
        return document(processing("bad", *arguments), processing("good"), tell)

    first = run(telling("fail"))
    assert first.status == "CompletedWithFailures"
    again = run(telling(), resume="latest")
    assert again.status == "Succeeded" and set(again.steps) == {"bad", "good"}
    assert times(again, "good") == 1


def test_finished_rounds_of_a_loop_are_kept(run: Any) -> None:
    fold = in_round("fold", ITEM)
    then = in_round("then", "sleep=0.1", DependsOn=["fold"])
    after = processing("after", get("Steps.loop.IterationOutputs[2].then.ProcessingJobName"))
    first = run(document(for_each("loop", ["a", "b", "fail"], fold, then), after))
    assert first.steps["loop"].status == "Failed"
    again = run(document(for_each("loop", ["a", "c", "d"], fold, then), after), resume="latest")
    assert again.status == "Succeeded", again.record.failure_reason
    # The second item is another one now, the third failed before, and what follows each as well.
    assert {name: times(again, name) for name in again.steps if name != "loop"} == {
        "fold-0": 1, "then-0": 1, "fold-1": 2, "then-1": 2, "fold-2": 2, "then-2": 1, "after": 1,
    }  # fmt: skip
    assert again.steps["loop"].metadata["ForEach"]["SucceededStepCount"] == 6
