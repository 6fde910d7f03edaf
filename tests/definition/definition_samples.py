"""Small definitions that tests build upon."""

from __future__ import annotations

from typing import Any


def step(name: str, kind: str = "Processing", /, **more: Any) -> dict[str, Any]:
    arguments = more.pop("Arguments", {})
    return {"Name": name, "Type": kind, "Arguments": arguments, **more}


def condition(name: str, conditions: Any, then: Any = (), other: Any = (), **more: Any) -> Any:
    arguments = {"Conditions": conditions, "IfSteps": list(then), "ElseSteps": list(other)}
    return step(name, "Condition", Arguments=arguments, **more)


def equals(left: Any, right: Any) -> dict[str, Any]:
    return {"Type": "Equals", "LeftValue": left, "RightValue": right}


def document(*steps: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": list(steps), **more}


def full() -> dict[str, Any]:
    """Return a definition that has one of everything that is read."""
    outputs = [{"OutputName": "report", "S3Output": {"S3Uri": "s3://b/report"}}]
    evaluate = step(
        "evaluate",
        Arguments={
            "ProcessingInputs": [{"S3Input": {"S3Uri": {"Get": "Parameters.Data"}}}],
            "ProcessingOutputConfig": {"Outputs": outputs},
            "Environment": {
                "A": {"Std:Join": {"On": "-", "Values": ["x", {"Get": "Execution.PipelineName"}]}}
            },
        },
        DependsOn=["prepare", {"Step": "watch", "Trigger": "Any"}],
        PropertyFiles=[{"PropertyFileName": "m", "OutputName": "report", "FilePath": "m.json"}],
        CacheConfig={"Enabled": True, "ExpireAfter": "P30D"},
        RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3}],
    )
    value = {
        "Std:JsonGet": {"PropertyFile": {"Get": "Steps.evaluate.PropertyFiles.m"}, "Path": "a.b[0]"}
    }
    gate = condition(
        "gate",
        [
            equals(value, 1),
            {"Type": "Not", "Condition": {"Type": "In", "QueryValue": "a", "Values": ["b"]}},
            {"Type": "Or", "Conditions": [equals(True, True)]},
        ],
        [step("register", "RegisterModel"), condition("inner", [equals(1, 1)], [step("deep")])],
        [step("reject", "Fail", Arguments={"ErrorMessage": "no"})],
    )
    return document(
        step("prepare"),
        step("watch", DisplayName="Watch", Description="d"),
        evaluate,
        gate,
        Parameters=[
            {"Name": "Data", "Type": "String", "DefaultValue": "s3://b/data"},
            {"Name": "Kind", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
            {"Name": "Count", "Type": "Integer"},
            {"Name": "Rate", "Type": "Float", "DefaultValue": 1},
            {"Name": "Flag", "Type": "Boolean", "DefaultValue": False},
        ],
        PipelineExperimentConfig={"ExperimentName": {"Get": "Execution.PipelineName"}},
    )
