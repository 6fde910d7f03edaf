"""The semantics of pipelines, with real jobs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from local_samples import (
    always,
    compare,
    condition,
    document,
    fail,
    get,
    join,
    json_get,
    output_of,
    processing,
)

from pipelines.errors import UsageError
from pipelines.local.handlers import HANDLERS, Handler
from pipelines.local.stopping import Stop

Run = Callable[..., Any]


def test_values_flow_from_step_to_step(run: Run, place: Any) -> None:
    (place.folder / "rows.csv").write_text("1,2\n")
    first = processing("first", "score=0.5", data=get("Parameters.Data"))
    second = processing(
        "second",
        join("score=", json_get("first", "score")),
        json_get("first", "words[0]"),
        join(get("Parameters.Count"), get("Parameters.Flag"), on="/"),
        get("Execution.PipelineExecutionId"),
        data=output_of("first"),
    )
    parameters = [
        {"Name": "Data", "Type": "String", "DefaultValue": "rows.csv"},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 3},
        {"Name": "Flag", "Type": "Boolean"},
    ]
    ran = run(document(second, first, Parameters=parameters), parameters={"Flag": "true"})
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert list(ran.steps) == ["first", "second"]
    assert ran.report("first")["seen"] == {"rows.csv": "1,2\n"}
    report = ran.report("second")
    assert report["words"] == ["score=0.5", "score=0.5", "3/true", ran.record.id]
    assert sorted(report["seen"]) == ["bad.json", "report.json"]
    assert ran.record.parameters == {"Data": "rows.csv", "Count": "3", "Flag": "true"}


def test_a_run_with_wrong_parameters_never_starts(run: Run, place: Any) -> None:
    definition = document(always("a"), Parameters=[{"Name": "Owner", "Type": "String"}])
    with pytest.raises(UsageError, match="no value for the parameter `Owner`"):
        run(definition)
    with pytest.raises(UsageError, match="no parameter `Onwer`; did you mean `Owner`"):
        run(definition, parameters={"Onwer": "x"})
    with pytest.raises(UsageError, match="nothing has run yet"):
        place.ran()


def test_a_job_variable_outside_its_job_fails_the_step(run: Run) -> None:
    ran = run(document(processing("job", get("Execution.TrainingJobName"))))
    assert "in a Training step only" in ran.steps["job"].failure_reason


@pytest.mark.parametrize(
    ("path", "file", "says"),
    [
        ("scores.x", "report", "has no `scores`; it has score, words, seen"),
        ("words[9]", "report", "`words` of s3://bucket/runs/"),
        ("seen", "report", "is an object; it must be text, a number or a boolean"),
        ("empty", "report", "is null"),
        ("score", "bad", "is not JSON"),
        ("score", "none", "there is no object s3://bucket/runs/"),
        ("score", "none", "; step `job` was to write it, as its file `none`"),
        ("a[", "report", "needs a number or a quoted key"),
    ],
)
def test_json_get_that_leads_nowhere_fails_the_referring_step(
    run: Run, path: str, file: str, says: str
) -> None:
    gate = condition(
        "gate",
        compare("Equals", json_get("job", path, file), 1),
        then=[always("yes")],
        other=[always("no")],
    )
    ran = run(document(processing("job"), gate))
    assert ran.statuses == {"job": "Succeeded", "gate": "Failed"}
    assert says in ran.steps["gate"].failure_reason
    assert ran.status == "Failed"
    assert ran.record.failure_reason.startswith("step `gate`: ")


def test_json_get_takes_no_branch_by_what_is_no_number(run: Run) -> None:
    least = compare("GreaterThanOrEqualTo", json_get("job", "score", "bad"), 0.5)
    gate = condition("gate", least, then=[always("yes")], other=[always("no")])
    ran = run(document(processing("job", "nan"), gate))
    assert ran.statuses == {"job": "Succeeded", "gate": "Failed"}
    assert "NaN is no JSON value" in ran.steps["gate"].failure_reason


def test_json_get_reads_an_s3_uri(run: Run) -> None:
    uri = join(output_of("job"), "report.json", on="/")
    value = {"Std:JsonGet": {"S3Uri": uri, "Path": "quality_metrics.accuracy['value']"}}
    gate = condition("gate", compare("GreaterThan", value, 0.9), then=[always("yes")])
    assert "yes" in run(document(processing("job"), gate)).steps


@pytest.mark.parametrize(("score", "branch"), [("0.99", "accept"), ("0.10", "reject")])
def test_a_condition_takes_one_branch_and_leaves_the_other_out(
    run: Run, score: str, branch: str
) -> None:
    gate = condition(
        "gate",
        compare("GreaterThanOrEqualTo", json_get("job", "score"), get("Parameters.Least")),
        then=[always("accept"), always("after", DependsOn=["accept"])],
        other=[fail("reject", join("score ", json_get("job", "score"), " is too low"))],
    )
    follows = always("follows", DependsOn=["accept"])
    word = condition("word", compare("Equals", get("Steps.gate.Outcome"), "True"))
    parameters = [{"Name": "Least", "Type": "Float", "DefaultValue": 0.9}]
    ran = run(
        document(processing("job", f"score={score}"), gate, follows, word, Parameters=parameters)
    )
    if branch == "accept":
        assert set(ran.steps) == {"job", "gate", "accept", "after", "follows", "word"}
        assert ran.steps["gate"].metadata == {"Condition": {"Outcome": "True"}}
        assert ran.status == "Succeeded"
    else:
        assert {"accept", "after", "follows"}.isdisjoint(ran.steps)
        assert ran.status == "Failed"
        assert ran.record.failure_reason == "score 0.1 is too low"
        message = ran.steps["reject"].metadata["Fail"]["ErrorMessage"]
        assert message == "score 0.1 is too low"


def test_a_fail_message_is_cut_where_the_service_cuts_it(run: Run) -> None:
    ran = run(document(fail("end", "x" * 4000)))
    assert len(ran.record.failure_reason) == 3072
    assert len(ran.steps["end"].metadata["Fail"]["ErrorMessage"]) == 3072


def test_a_failed_job_fails_its_step_and_the_run(run: Run) -> None:
    ran = run(document(processing("bad", "fail"), always("next", DependsOn=["bad"])))
    assert ran.statuses == {"bad": "Failed"}
    assert ran.status == "Failed"
    assert "exit code 1" in ran.steps["bad"].failure_reason
    assert "this went wrong" in Path(ran.steps["bad"].log).read_text()
    assert ran.steps["bad"].metadata["ProcessingJob"]["Arn"]


def test_a_step_that_runs_on_failure_cannot_read_what_failed(run: Run) -> None:
    tell = processing(
        "tell",
        get("Steps.bad.ProcessingJobArn"),
        DependsOn=[{"Step": "bad", "Trigger": "Failed"}],
    )
    ran = run(document(processing("bad", "fail"), tell))
    assert "step `bad` did not succeed (it is Failed)" in ran.steps["tell"].failure_reason


def test_a_step_of_an_unknown_type_fails_and_says_so(run: Run) -> None:
    ran = run(document({"Name": "odd", "Type": "EMR", "Arguments": {}}))
    assert ran.statuses == {"odd": "Failed"}
    reason = ran.steps["odd"].failure_reason
    assert "nothing stands in for the step `odd` of type EMR on this machine" in reason
    assert reason.endswith('  steps:\n    odd:\n      "module:function"')


def test_the_experiment_is_resolved(run: Run) -> None:
    experiment = {
        "ExperimentName": get("Execution.PipelineName"),
        "TrialName": get("Execution.PipelineExecutionId"),
    }
    name = condition(
        "name",
        compare("Equals", get("PipelineExperimentConfig.ExperimentName"), "sample"),
        then=[always("same")],
    )
    ran = run(document(name, PipelineExperimentConfig=experiment))
    assert ran.record.experiment == {"ExperimentName": "sample", "TrialName": ran.record.id}
    assert "same" in ran.steps


def test_a_request_to_stop_stops_the_jobs(run: Run, place: Any) -> None:
    stop = Stop()
    threading.Timer(0.8, stop.request).start()
    began = time.monotonic()
    ran = run(
        document(processing("long", "sleep=60"), always("after", DependsOn=["long"])), stop=stop
    )
    assert time.monotonic() - began < 15
    assert ran.statuses == {"long": "Stopped"}
    assert (ran.status, ran.record.failure_reason) == ("Stopped", "stopped by the user")
    assert run(document(always("again"))).status == "Succeeded"


def test_a_thousand_steps_take_seconds(run: Run) -> None:
    steps = [
        always(f"s{n}", **({"DependsOn": [f"s{n - 1}"]} if n % 3 else {})) for n in range(1000)
    ]
    began = time.monotonic()
    ran = run(document(*steps))
    assert len(ran.steps) == 1000 and ran.status == "Succeeded"
    assert time.monotonic() - began < 20


def test_the_stored_definition_is_the_one_that_ran(run: Run) -> None:
    definition = document(always("a"))
    assert json.loads(run(definition).record.definition) == definition


def test_a_request_the_service_would_refuse_fails_the_step(run: Run) -> None:
    parameters = [{"Name": "Count", "Type": "Integer", "DefaultValue": 3}]
    ran = run(document(processing("job", get("Parameters.Count")), Parameters=parameters))
    reason = ran.steps["job"].failure_reason
    assert reason.startswith("CreateProcessingJob refuses the request: ")
    assert "wants a string" in reason
    assert "(AppSpecification.ContainerArguments.0)" in reason


@pytest.mark.parametrize("kind", ["Processing", "Training", "Model", "RegisterModel"])
@pytest.mark.parametrize("junk", [None, 3, "x", [1], [{}], {"a": 1}, {"Containers": "x"}])
def test_hostile_arguments_fail_their_step(run: Run, kind: str, junk: Any) -> None:
    members = [
        "AppSpecification", "ProcessingInputs", "ProcessingOutputConfig", "HyperParameters",
        "AlgorithmSpecification", "InputDataConfig", "OutputDataConfig", "PrimaryContainer",
        "Containers", "InferenceSpecification", "ModelMetrics", "Environment", "StoppingCondition",
    ]  # fmt: skip
    ran = run(document({"Name": "s", "Type": kind, "Arguments": dict.fromkeys(members, junk)}))
    assert ran.statuses == {"s": "Failed"}
    assert ran.steps["s"].failure_reason


def test_a_bug_in_a_handler_is_raised_and_leaves_the_run_ended(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Handler):
        api_type = "Broken"

        def run(self, request: Any, context: Any) -> Any:
            raise ZeroDivisionError

    monkeypatch.setitem(HANDLERS, "Broken", Broken())
    broken = {"Name": "odd", "Type": "Broken", "Arguments": {}}
    with pytest.raises(ZeroDivisionError):
        place.run(document(broken, always("next", DependsOn=["odd"])))
    ran = place.ran()
    assert (ran.status, ran.statuses) == ("Failed", {"odd": "Failed"})
    assert "internal error" in ran.record.failure_reason
