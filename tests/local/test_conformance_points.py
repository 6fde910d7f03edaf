"""Local conformance, by number: what the runner has in common with the service, by real jobs.

1 parameters · 2 order and run conditions · 3 lists by name · 4 conditions · 5 JsonGet · 6 Fail ·
7 cache · 8 retries · 9 selective execution (test_conformance_09_selective) · 10 execution variables
· 11 ForEach (test_conformance_11_for_each), Tuning (tuning/), Transform (transform/) · 12 seconds
"""

from __future__ import annotations

import itertools
import re
import time
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
    training,
)

from pipelines.errors import UsageError
from pipelines.local.retries import NEVER_RETRIED

ON = {"Enabled": True, "ExpireAfter": "1d"}


def test_01_parameters_are_typed_enums_hold_and_a_missing_value_stops_the_run(
    run: Any, place: Any
) -> None:
    parameters = [
        {"Name": "Word", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 3},
        {"Name": "Rate", "Type": "Float", "DefaultValue": 0.5},
        {"Name": "Flag", "Type": "Boolean", "DefaultValue": False},
        {"Name": "Owner", "Type": "String"},
    ]
    texts = [join(get(f"Parameters.{item['Name']}")) for item in parameters]
    typed = [
        compare("GreaterThan", get("Parameters.Count"), 5),
        compare("Equals", get("Parameters.Flag"), True),
    ]
    gate = condition("gate", *typed, then=[always("typed")])
    definition = document(processing("job", *texts), gate, Parameters=parameters)
    given = {"Count": "7", "Flag": "true", "Owner": "me"}
    ran = run(definition, parameters=given)
    assert ran.report("job")["words"] == ["a", "7", "0.5", "true", "me"]
    assert "typed" in ran.steps
    assert ran.record.parameters == {
        "Word": "a", "Count": "7", "Rate": "0.5", "Flag": "true", "Owner": "me",
    }  # fmt: skip
    for wrong, says in (
        ({}, "no value for the parameter `Owner`"),
        ({**given, "Onwer": "x"}, "no parameter `Onwer`"),
        ({**given, "Word": "c"}, "it is one of a, b"),
        ({**given, "Count": "1.5"}, "is an Integer"),
    ):
        with pytest.raises(UsageError, match=re.escape(says)):
            run(definition, parameters=wrong)
    assert place.ran().record.id == ran.record.id


def on(*edges: tuple[str, str]) -> list[dict[str, str]]:
    return [{"Step": step, "Trigger": trigger} for step, trigger in edges]


def test_02_references_and_depends_on_order_steps_and_triggers_choose(run: Any) -> None:
    ran = run(
        document(
            processing("third", data=output_of("second")),
            processing("second", data=output_of("first")),
            processing("first", "sleep=0.1"),
            processing("bad", "fail"),
            always("both", DependsOn=["third", *on(("bad", "Any"))]),
            always("told", DependsOn=on(("bad", "Failed"), ("first", "Completed"))),
            always("never", DependsOn=["bad"]),
            always("nor", DependsOn=on(("third", "Failed"))),
            always("none", DependsOn=on(("third", "Stopped"))),
        )
    )
    assert ran.status == "CompletedWithFailures"
    assert set(ran.steps) == {"first", "second", "third", "bad", "both", "told"}
    spans = [ran.report(name)["span"] for name in ("first", "second", "third")]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_02_ready_steps_run_in_parallel_up_to_the_limit(run: Any) -> None:
    jobs = [processing(f"job{n}", "sleep=0.5") for n in range(3)]
    ran = run(document(*jobs), parallelism=2)
    spans = [ran.report(f"job{n}")["span"] for n in range(3)]
    assert max(sum(a <= t < b for a, b in spans) for t, _ in spans) == 2


def test_03_lists_of_the_request_are_maps_by_name_for_references(run: Any, place: Any) -> None:
    (place.folder / "rows.csv").write_text("1\n")
    use = processing(
        "use",
        get("Steps.job.ProcessingInputs['data'].S3Input.LocalPath"),
        get("Steps.job.ProcessingOutputConfig.Outputs[0].OutputName"),
        join(get("Steps.train.FinalMetricDataList['loss'].Value")),
        get("Steps.train.InputDataConfig['code'].ChannelName"),
        data=output_of("job"),
    )
    ran = run(document(processing("job", data="rows.csv"), training("train", "rows.csv"), use))
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert ran.report("use")["words"] == ["/opt/ml/processing/data", "out", "0.25", "code"]


def test_04_conditions_nest_compare_by_type_and_choose_a_branch(run: Any) -> None:
    score = json_get("job", "score")
    either = [compare("LessThanOrEqualTo", score, 0), compare("Equals", 1, 1)]
    taken = compare("Equals", get("Steps.outer.Outcome"), "True")
    inner = condition(
        "inner",
        {"Type": "In", "QueryValue": json_get("job", "words[0]"), "Values": ["a", "b"]},
        {"Type": "Not", "Condition": compare("LessThan", score, 0.5)},
        {"Type": "Or", "Conditions": either},
        then=[condition("innermost", taken, then=[always("deep")], other=[always("no")])],
        other=[fail("stop")],
    )
    outer = condition(
        "outer",
        compare("GreaterThanOrEqualTo", score, 0.97),
        compare("GreaterThan", score, 0.9),
        then=[inner],
        other=[always("else")],
    )
    follows = always("follows", DependsOn=["else"])
    ran = run(document(processing("job", "a"), outer, follows))
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert set(ran.steps) == {"job", "outer", "inner", "innermost", "deep"}
    assert ran.steps["inner"].metadata == {"Condition": {"Outcome": "True"}}


@pytest.mark.parametrize(
    "value", [json_get("job", "nothing"), get("Steps.job.Nothing"), json_get("job", "words[0]")]
)
def test_04_a_value_that_cannot_be_had_or_compared_never_takes_the_else_branch(
    run: Any, value: Any
) -> None:
    gate = condition("gate", compare("GreaterThan", value, 0.5), other=[always("else")])
    ran = run(document(processing("job", "word"), gate))
    assert ran.statuses == {"job": "Succeeded", "gate": "Failed"}


def test_05_json_get_reads_property_files_and_says_what_is_there(run: Any) -> None:
    steps = [processing("job", "word"), processing("use", json_get("job", "words[0]"))]
    before, trigger = "use", "Completed"
    for name, path, file in (
        ("path", "nope", "report"),
        ("file", "score", "none"),
        ("json", "score", "bad"),
    ):
        value = compare("Equals", json_get("job", path, file), 1)
        steps.append(condition(name, value, DependsOn=on((before, trigger))))
        before, trigger = name, "Failed"
    ran = run(document(*steps))
    assert ran.report("use")["words"] == ["word"]
    reasons = {name: ran.steps[name].failure_reason for name in ("path", "file", "json")}
    assert "has no `nope`; it has score, words" in reasons["path"]
    assert "there is no object s3://bucket/runs/" in reasons["file"]
    assert "is not JSON" in reasons["json"]


def test_06_fail_ends_the_execution_with_its_message(run: Any) -> None:
    message = join("score ", json_get("job", "score"), "x" * 4000)
    steps = [processing("job"), processing("slow", "sleep=0.8"), fail("end", message)]
    ran = run(document(*steps, always("late", DependsOn=["slow"])), parallelism=3)
    assert ran.statuses == {"job": "Succeeded", "slow": "Succeeded", "end": "Failed"}
    assert ran.status == "Failed"
    assert ran.record.failure_reason.startswith("score 0.97x")
    assert len(ran.record.failure_reason) == 3072


def test_07_the_cache_goes_by_the_documented_attributes_and_by_content(
    run: Any, place: Any
) -> None:
    rows = place.folder / "rows.csv"
    rows.write_text("1\n")

    def line(depth: str = "3", where: str = "models") -> dict[str, Any]:
        train = training("train", "rows.csv", CacheConfig=ON)
        train["Arguments"]["HyperParameters"]["depth"] = depth
        train["Arguments"]["OutputDataConfig"]["S3OutputPath"] = f"s3://bucket/{where}"
        return document(processing("job", data="rows.csv", CacheConfig=ON), train)

    def reused(ran: Any) -> set[str]:
        return {name for name, step in ran.steps.items() if step.cache_source}

    first = run(line())
    assert reused(first) == set()
    assert reused(run(line(where="elsewhere"))) == {"job", "train"}
    assert reused(run(line(depth="4"))) == {"job"}
    rows.write_text("2\n")
    # The service looks at the arguments alone; here what the inputs hold counts too.
    assert reused(run(line())) == set()
    assert reused(run(line(), service_cache=True)) == set()
    rows.write_text("3\n")
    assert reused(run(line(), service_cache=True)) == {"job", "train"}
    assert reused(run(line(), caching="off")) == set()


def test_07_who_asks_for_it_has_all_cacheable_steps_reused(run: Any) -> None:
    plain = document(processing("job"), always("gate"))
    run(plain, caching="all")
    ran = run(plain, caching="all")
    assert ran.steps["job"].cache_source and not ran.steps["gate"].cache_source
    refusing = document(processing("job", CacheConfig={"Enabled": False}))
    assert not run(refusing, caching="all").steps["job"].cache_source


def policy(*kinds: str, **more: Any) -> dict[str, Any]:
    return {"ExceptionType": list(kinds), "IntervalSeconds": 0, "BackoffRate": 1, **more}


def test_08_service_faults_are_retried_by_policy_until_it_ends(run: Any) -> None:
    kind = "SageMaker.JOB_INTERNAL_ERROR"
    steps = [
        processing("enough", RetryPolicies=[policy(kind, MaxAttempts=2)]),
        processing("often", RetryPolicies=[policy(kind, MaxAttempts=1)]),
        processing("expired", RetryPolicies=[
            {"ExceptionType": [kind], "IntervalSeconds": 90, "ExpireAfterMin": 1}]),
        processing("own", "fail", RetryPolicies=[policy(kind, MaxAttempts=5)]),
    ]  # fmt: skip
    for step in steps[1:]:
        step["DependsOn"] = on(("enough", "Any"))
    faults = {name: [kind] * 2 for name in ("enough", "often", "expired")}
    ran = run(document(*steps), faults=faults, parallelism=4)
    assert ran.steps["enough"].status == "Succeeded" and ran.steps["enough"].attempts == 3
    assert ran.steps["often"].failure_reason == f"{kind}: injected"
    # Ninety seconds of waiting would end after the minute that the policy lasts.
    assert (ran.steps["expired"].status, ran.steps["expired"].attempts) == ("Failed", 1)
    assert ran.steps["own"].attempts == 1


def test_08_a_policy_with_expire_after_min_retries_within_it(run: Any) -> None:
    kind = "SageMaker.CAPACITY_ERROR"
    step = processing("job", RetryPolicies=[policy(kind, ExpireAfterMin=5)])
    ran = run(document(step), faults={"job": [kind] * 7})
    assert ran.status == "Succeeded" and ran.steps["job"].attempts == 8


def test_08_kinds_without_policies_fail_at_the_first_fault(run: Any) -> None:
    assert {"Condition", "Fail", "Lambda", "Callback", "Lineage", "Cleanup"} <= NEVER_RETRIED
    ran = run(document(always("c")), faults={"c": ["Step.THROTTLING"]})
    assert ran.statuses == {"c": "Failed"}


def test_10_all_eight_execution_variables(run: Any, place: Any) -> None:
    (place.folder / "rows.csv").write_text("1\n")
    names = ["StartDateTime", "CurrentDateTime", "PipelineName", "PipelineArn",
             "PipelineExecutionId", "PipelineExecutionArn", "ProcessingJobName"]  # fmt: skip
    words = [get(f"Execution.{name}") for name in names]
    train = training("train", "rows.csv")
    train["Arguments"]["HyperParameters"]["depth"] = get("Execution.TrainingJobName")
    late = processing("late", get("Execution.CurrentDateTime"), DependsOn=["job"])
    ran = run(document(processing("job", *words), late, train), account="111122223333",
              region="eu-west-1", parallelism=1)  # fmt: skip
    assert ran.status == "Succeeded", ran.record.failure_reason
    found = dict(zip(names, ran.report("job")["words"], strict=True))
    root = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/sample"
    assert found["PipelineName"] == "sample" and found["PipelineArn"] == root
    assert found["PipelineExecutionArn"] == f"{root}/execution/{found['PipelineExecutionId']}"
    assert found["ProcessingJobName"] == ran.steps["job"].properties["ProcessingJobName"]
    assert found["StartDateTime"] <= found["CurrentDateTime"] < ran.report("late")["words"][0]
    assert re.fullmatch("[a-z0-9]{12}", found["PipelineExecutionId"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["StartDateTime"])
    job = ran.steps["train"].properties
    assert job["HyperParameters"]["depth"] == job["TrainingJobName"]


def test_12_each_step_tells_where_its_seconds_went(run: Any) -> None:
    steps = [processing("first", "sleep=0.4"), processing("second", "sleep=0.1")]
    began = time.time()
    ran = run(document(*steps), parallelism=1)
    spent = time.time() - began
    first, second = (ran.steps[name].phases for name in ("first", "second"))
    assert set(first) == {"waiting", "preparing", "running", "storing"}
    assert first["running"] >= 0.4 and second["waiting"] >= 0.4 > first["waiting"]
    for name, phases in (("first", first), ("second", second)):
        step = ran.steps[name]
        inside = sum(seconds for phase, seconds in phases.items() if phase != "waiting")
        assert 0 < inside <= step.ended - step.started + 0.05 <= spent + 0.05
