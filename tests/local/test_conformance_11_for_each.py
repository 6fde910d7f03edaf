"""Local conformance 11: ForEach really iterates."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local_samples import (
    always,
    compare,
    condition,
    document,
    get,
    join,
    json_get,
    processing,
)

from pipelines.definition import read_definition
from pipelines.errors import DefinitionError

ITEM = get("ForEach.CurrentItem")


def for_each(name: str, items: Any, *body: Any, most: int = 2, **more: Any) -> dict[str, Any]:
    arguments = {"IterableItems": items, "MaxConcurrency": most, "ForEachBody": list(body)}
    selector = more.pop("Selector", None)
    if selector:
        arguments["Selector"] = selector
    return {"Name": name, "Type": "ForEach", "Arguments": arguments, **more}


def in_round(name: str, *arguments: Any, **more: Any) -> dict[str, Any]:
    """Return a Processing step whose output lies below its job's name."""
    step = processing(name, *arguments, **more)
    output = step["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]
    output["S3Uri"] = join("s3://bucket/rounds", get("Execution.ProcessingJobName"), on="/")
    return step


def report_of(ran: Any, step: str) -> Any:
    uri = ran.steps[step].properties["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    return json.loads((ran.folder / ".sagedag/s3" / uri[5:] / "report.json").read_text())


def output_of_round(path: str) -> dict[str, str]:
    return get(f"{path}.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri")


def test_11_every_item_has_its_round_and_each_round_its_own_jobs_and_outputs(run: Any) -> None:
    items = ["monday", 7, 0.5, get("Parameters.Night"), '{"night": "x", "n": [1, 2]}']
    fold = in_round("fold", join(ITEM), "score=0.5")
    read = in_round("read", json_get("fold", "words[0]"), data=output_of_round("Steps.fold"))
    use = processing(
        "use",
        get("Steps.loop.IterationOutputs[3].read.ProcessingJobName"),
        join(get("Steps.loop.InputItemCount"), get("Steps.loop.TotalStepCount"), on="/"),
        data=output_of_round("Steps.loop.IterationOutputs[1].fold"),
    )
    parameters = [{"Name": "Night", "Type": "String", "DefaultValue": "friday"}]
    ran = run(
        document(for_each("loop", items, fold, read, most=3), use, Parameters=parameters),
        parallelism=3,
    )
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert [report_of(ran, f"read-{n}")["words"][0] for n in range(5)] == [
        "monday", "7", "0.5", "friday", items[4],
    ]  # fmt: skip
    jobs = {ran.steps[f"fold-{n}"].properties["ProcessingJobName"] for n in range(5)}
    assert len(jobs) == 5
    assert ran.steps["read-4"].iteration == {
        "ParentStepName": "loop", "Index": 4, "Item": items[4],
    }  # fmt: skip
    name, counts = ran.report("use")["words"]
    assert name == ran.steps["read-3"].properties["ProcessingJobName"]
    assert counts == "5/10"
    assert json.loads(ran.report("use")["seen"]["report.json"])["words"][0] == "7"
    told = ran.steps["loop"].metadata["ForEach"]
    assert told["Status"] == "Succeeded" and told["SucceededStepCount"] == 10


def test_11_items_come_from_a_json_list_and_their_fields_are_read(run: Any) -> None:
    body = in_round("fold", get("ForEach.CurrentItem.night"), get("ForEach.CurrentItem['n'][1]"))
    loop = for_each("loop", get("Parameters.Nights"), body)
    nights = [{"night": "monday", "n": ["1", "2"]}, {"night": "tuesday", "n": ["3", "4"]}]
    parameters = [{"Name": "Nights", "Type": "String", "DefaultValue": json.dumps(nights)}]
    ran = run(document(loop, Parameters=parameters))
    assert ran.status == "Succeeded", ran.record.failure_reason
    words = [report_of(ran, f"fold-{n}")["words"] for n in (0, 1)]
    assert words == [["monday", "2"], ["tuesday", "4"]]


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ("not json", "IterableItems is no JSON list: not json"),
        ('{"a": 1}', "not a list"),
        ('[{"nigth": 1}]', "has no `night`; it has nigth"),
        ('["monday"]', 'the item "monday" is no JSON object'),
        (json.dumps(list(range(1001))), "has 1001 items; 1000 are run here"),
    ],
)
def test_11_items_that_are_none_fail_the_loop(run: Any, items: str, says: str) -> None:
    loop = for_each(
        "loop", get("Parameters.Items"), in_round("fold", get("ForEach.CurrentItem.night"))
    )
    parameters = [{"Name": "Items", "Type": "String"}]
    # A parameter's value has at most 1024 characters; a default may be longer.
    parameters[0]["DefaultValue"] = items
    ran = run(document(loop, always("after", DependsOn=["loop"]), Parameters=parameters))
    assert ran.status == "Failed" and "after" not in ran.steps
    assert any(says in str(step.failure_reason) for step in ran.steps.values())


def test_11_an_empty_list_is_a_success_without_rounds(run: Any) -> None:
    gate = condition("gate", compare("Equals", get("Steps.loop.InputItemCount"), 0))
    parameters = [{"Name": "Items", "Type": "String", "DefaultValue": "[]"}]
    loop = for_each("loop", get("Parameters.Items"), in_round("fold"))
    ran = run(document(loop, gate, Parameters=parameters))
    assert ran.statuses == {"loop": "Succeeded", "gate": "Succeeded"}
    assert ran.steps["gate"].properties == {"Outcome": "True"}


@pytest.mark.parametrize(("most", "limit", "peak"), [(1, 4, 1), (2, 4, 2), (4, 2, 2)])
def test_11_max_concurrency_and_the_runs_own_limit_hold(
    run: Any, most: int, limit: int, peak: int
) -> None:
    loop = for_each("loop", ["a", "b", "c", "d"], in_round("fold", "sleep=0.4"), most=most)
    ran = run(document(loop), parallelism=limit)
    spans = [report_of(ran, f"fold-{n}")["span"] for n in range(4)]
    overlap = max(sum(a <= t < b for a, b in spans) for t in [begin for begin, _ in spans])
    assert overlap == peak


@pytest.mark.parametrize(("pick", "word"), [("MaxBy", "b=0.9"), ("MinBy", "a=0.2")])
def test_11_the_selector_picks_a_round(run: Any, pick: str, word: str) -> None:
    field = get("IterationOutput.fold.ExitMessage")
    fold = in_round("fold", get("ForEach.CurrentItem"))
    entry = ["python3", "-c", SAY]
    fold["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = entry
    fold["Arguments"]["AppSpecification"]["ContainerArguments"] = [ITEM]
    loop = for_each("loop", ["0.5", "0.9", "0.2"], fold, Selector={"Pick": pick, "Field": field})
    use = processing("use", get("Steps.loop.Selected.ExitMessage"))
    ran = run(document(loop, use))
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert ran.report("use")["words"] == [word[2:]]
    chosen = ran.steps["loop"].metadata["ForEach"]["Selector"]
    assert chosen["Index"] == {"MaxBy": 1, "MinBy": 2}[pick]


SAY = "import sys; open('/opt/ml/output/message', 'w').write(sys.argv[1])"


def test_11_a_selector_without_a_value_fails_the_loop(run: Any) -> None:
    selector = {"Pick": "MaxBy", "Field": get("IterationOutput.fold.ExitMessage")}
    ran = run(document(for_each("loop", ["a"], in_round("fold"), Selector=selector)))
    assert ran.steps["loop"].status == "Failed"
    assert "has no `ExitMessage`" in ran.steps["loop"].failure_reason


def test_11_a_failed_round_lets_the_others_run_and_fails_the_loop(run: Any) -> None:
    fold = in_round("fold", ITEM)
    then = in_round("then", data=output_of_round("Steps.fold"))
    count = condition(
        "count",
        compare("Equals", get("Steps.loop.FailedStepCount"), 1),
        DependsOn=[{"Step": "loop", "Trigger": "Failed"}],
    )
    ran = run(document(for_each("loop", ["a", "fail", "b"], fold, then, most=1), count))
    assert ran.statuses == {
        "loop": "Failed", "fold-0": "Succeeded", "fold-1": "Failed", "fold-2": "Succeeded",
        "then-0": "Succeeded", "then-2": "Succeeded", "count": "Succeeded",
    }  # fmt: skip
    assert ran.steps["loop"].failure_reason == "1 of 6 steps failed: fold-1"
    assert ran.steps["count"].properties == {"Outcome": "True"}
    assert ran.status == "CompletedWithFailures"


def test_11_a_loop_in_a_branch_and_a_stop_in_the_middle(run: Any) -> None:
    from threading import Timer

    from pipelines.local.stopping import Stop

    loop = for_each("loop", ["a", "b", "c"], in_round("fold", "sleep=30"), most=1)
    stop = Stop()
    Timer(1.2, stop.request).start()
    ran = run(document(condition("gate", compare("Equals", 1, 1), then=[loop])), stop=stop)
    assert ran.status == "Stopped"
    assert ran.statuses == {"gate": "Succeeded", "loop": "Stopped", "fold-0": "Stopped"}


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([for_each("a", ["x"])], "needs at least one step"),
        ([for_each("a", ["x"], always("c"))], "a Condition step cannot stand in the body"),
        ([for_each("a", ["x"], processing("b")), processing("b")], "the name `b` is taken"),
        ([for_each("a", ["x"], processing("b")), processing("b-1")], "what a round of"),
        ([for_each("a", ["x"], processing("b", get("Steps.c.X")))], "there is no step `c`"),
        ([for_each("a", ["x"], processing("b")), processing("c", get("Steps.b.X"))], "no step `b`"),
        ([processing("b", ITEM)], "inside the body of a ForEach step only"),
        ([for_each("a", ["x"], processing("b", get("Steps.a.Status")))], "is inside `a`"),
        (
            [
                for_each(
                    "a",
                    ["x"],
                    processing("b", DependsOn=["c"]),
                    processing("c", DependsOn=["b"]),
                )
            ],
            "steps wait for each other",
        ),
    ],
)  # fmt: skip
def test_11_a_body_that_cannot_be_is_refused(steps: Any, says: str) -> None:
    with pytest.raises(DefinitionError, match="invalid") as caught:
        read_definition(document(*steps))
    assert says in str(caught.value)
