"""Local conformance 9: chosen steps run, the outputs of the rest come from another execution."""

from __future__ import annotations

from typing import Any

import pytest
from local_samples import (
    always,
    compare,
    condition,
    document,
    get,
    json_get,
    output_of,
    processing,
)

from pipelines.definition import read_definition
from pipelines.errors import UsageError
from pipelines.local.options import Selection
from pipelines.local.responses import describe_step


def line(word: str = "one") -> dict[str, Any]:
    """Return first → second → gate (then: third), and other beside them."""
    gate = condition(
        "gate",
        compare("GreaterThan", json_get("second", "score"), 0.5),
        then=[processing("third", get("Steps.first.ProcessingJobName"), data=output_of("second"))],
    )
    return document(
        processing("first", word),
        processing("second", data=output_of("first")),
        gate,
        processing("other", word),
    )


def only(*names: str, **more: Any) -> dict[str, Any]:
    return {"selection": Selection(only=names, **more)}


def test_09_the_chosen_step_runs_on_the_latest_successs_outputs(run: Any) -> None:
    first, source = run(line("old")), run(line("new"))
    ran = run(line("newest"), **only("second"))
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert ran.report("second")["seen"]["report.json"].count('"new"') == 1
    taken = ran.steps["first"]
    assert taken.selective_source == source.record.arn != first.record.arn
    assert taken.properties == source.steps["first"].properties
    told = describe_step(taken)["SelectiveExecutionResult"]
    assert told == {"SourcePipelineExecutionArn": source.record.arn}
    assert set(ran.steps) == {"first", "second"}
    assert ran.steps["second"].selective_source is None


def test_09_a_source_can_be_named_and_may_have_failed(run: Any) -> None:
    failing = line("old")
    failing["Steps"].append(processing("bad", "fail", DependsOn=["second"]))
    source = run(failing)
    run(line("new"))
    ran = run(line(), **only("second", source=source.record.id[:8]))
    assert '"old"' in ran.report("second")["seen"]["report.json"]
    latest = run(line(), **only("second", source="latest"))
    assert latest.steps["first"].selective_source == ran.record.arn


def test_09_from_and_to_choose_what_comes_after_and_before(run: Any) -> None:
    run(line("old"))
    after = run(line("new"), selection=Selection(start=("second",)))
    assert {name for name, step in after.steps.items() if not step.selective_source} == {
        "second", "gate", "third",
    }  # fmt: skip
    before = run(line("new"), selection=Selection(end=("gate",)))
    assert set(before.steps) == {"first", "second", "gate"}
    assert not any(step.selective_source for step in before.steps.values())
    between = run(line("new"), selection=Selection(start=("second",), end=("gate",)))
    assert {name for name, step in between.steps.items() if not step.selective_source} == {
        "second", "gate",
    }  # fmt: skip


def test_09_a_condition_brings_its_branches_and_a_step_of_a_branch_runs_alone(run: Any) -> None:
    run(line("old"))
    whole = run(line("new"), **only("gate"))
    assert {name for name, step in whole.steps.items() if not step.selective_source} == {
        "gate", "third",
    }  # fmt: skip
    alone = run(line("new"), **only("third"))
    assert alone.steps["third"].status == "Succeeded"
    assert alone.steps["gate"].selective_source
    assert alone.report("third")["words"] == [
        alone.steps["first"].properties["ProcessingJobName"]
    ]  # fmt: skip


def test_09_a_missing_source_is_refused_with_the_list(run: Any, place: Any) -> None:
    with pytest.raises(
        UsageError, match="no run of pipeline `sample` has succeeded here"
    ) as caught:
        run(line(), **only("third"))
    assert str(caught.value).splitlines()[1:] == ["  first, for third", "  second, for third"]
    with pytest.raises(UsageError, match="nothing has run yet"):
        place.ran()
    run(document(always("first")))
    with pytest.raises(UsageError, match="has no results of steps that are needed") as caught:
        run(line(), **only("second", "third"))
    # A step of the same name and another type is another step.
    assert str(caught.value).splitlines()[1:] == ["  first, for second, third"]


def test_09_what_needs_nothing_needs_no_source(run: Any) -> None:
    ran = run(line(), **only("other"))
    assert set(ran.steps) == {"other"} and ran.status == "Succeeded"


@pytest.mark.parametrize(
    ("selection", "says"),
    [
        (Selection(only=("secnd",)), "there is no step `secnd`; did you mean `second`?"),
        (Selection(start=("third",), end=("first",)), "no step lies between third and first"),
    ],
)
def test_09_a_selection_that_cannot_be_is_refused(run: Any, selection: Any, says: str) -> None:
    with pytest.raises(UsageError, match="step") as caught:
        run(line(), selection=selection)
    assert says in str(caught.value)
    assert read_definition(line())


def test_09_a_selective_execution_is_a_source_and_resumes_as_one(run: Any) -> None:
    run(line("old"))
    broken = line("new")
    broken["Steps"][1] = processing("second", "fail", data=output_of("first"))
    failed = run(broken, selection=Selection(start=("second",)))
    assert failed.status == "Failed"
    again = run(line("new"), resume="latest")
    assert again.record.id == failed.record.id
    assert again.status == "Succeeded" and set(again.steps) == {"first", "second", "gate", "third"}
    assert again.steps["first"].selective_source
    assert run(line(), **only("third")).steps["second"].selective_source == again.record.arn
