from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from local_samples import (
    IMAGE,
    always,
    compare,
    condition,
    document,
    get,
    join,
    json_get,
    model,
    output_of,
    processing,
    register,
)

from pipelines.errors import UsageError
from pipelines.local.handlers.register_model import flatten
from pipelines.local.registry import Registry
from pipelines.local.store import read_store

Run = Callable[..., Any]


def report_of(step: str) -> dict[str, Any]:
    return join(output_of(step), "report.json", on="/")


def registering(**arguments: Any) -> dict[str, Any]:
    statistics = {"ContentType": "application/json", "S3Uri": report_of("job")}
    return register(
        "register",
        ModelMetrics={"ModelQuality": {"Statistics": statistics}},
        Containers=[{"Image": IMAGE, "ModelDataUrl": report_of("job")}],
        **arguments,
    )


def test_versions_count_up_and_carry_approval_and_metrics(run: Run, place: Any) -> None:
    for version in (1, 2):
        approval = {"ModelApprovalStatus": "Approved"} if version == 2 else {}
        ran = run(document(processing("job"), registering(**approval)))
        assert ran.status == "Succeeded", ran.record.failure_reason
        (package,) = ran.packages
        assert (package.group, package.version) == ("group", version)
        arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/group/{version}"
        assert package.arn == arn
        assert ran.steps["register"].metadata == {"RegisterModel": {"Arn": arn}}
    assert package.approval == "Approved"
    assert list(package.metrics.items()) == [("accuracy", 0.97), ("score", 0.97)]
    with read_store(place.store) as store:
        registry = Registry(store)
        assert [item.approval for item in registry.packages("group")] == [
            "Approved",
            "PendingManualApproval",
        ]
        assert registry.package("group", 1).version == 1
        with pytest.raises(UsageError, match="did you mean `group`"):
            registry.packages("grop")
        with pytest.raises(UsageError, match="no version 9; it has 1, 2"):
            registry.package("group", 9)


def test_later_steps_see_what_was_registered(run: Run) -> None:
    arn = get("Steps.register.ModelPackageArn")
    from_package = model("from-package", PrimaryContainer={"ModelPackageName": arn})
    version = condition(
        "version",
        compare("Equals", get("Steps.register.ModelPackageVersion"), 1),
        compare("Equals", get("Steps.from-package.PrimaryContainer.ModelPackageName"), arn),
        then=[always("yes")],
    )
    ran = run(document(register("register"), from_package, version))
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert "yes" in ran.steps


def test_a_group_may_be_given_by_its_arn(run: Run) -> None:
    arn = "arn:aws:sagemaker:us-east-1:000000000000:model-package-group/other"
    assert run(document(register("r", arn))).packages[0].group == "other"


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (register("s", ""), "lacks ModelPackageGroupName"),
        (register("s", "no good"), "must be 1 to 63 letters"),
        (register("s", ModelApprovalStatus="Yes"), "`Yes`, none of PendingManualApproval"),
        (
            register("s", Containers=[{"Image": IMAGE, "ModelDataUrl": "s3://bucket/none.tar.gz"}]),
            "s3://bucket/none.tar.gz does not exist",
        ),
        (
            model("s", PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://bucket/none"}),
            "s3://bucket/none does not exist",
        ),
        (model("s", Containers=[{"ModelPackageName": "group/7"}]), "group/7 is not registered"),
    ],
)
def test_what_cannot_be_registered_fails_the_step(run: Run, step: Any, says: str) -> None:
    ran = run(document(step))
    assert ran.statuses == {"s": "Failed"}
    assert says in ran.steps["s"].failure_reason
    assert ran.packages == []


def test_metrics_that_cannot_be_read_are_left_out_and_said(run: Run) -> None:
    source = {"ContentType": "application/json", "S3Uri": "s3://bucket/none.json"}
    ran = run(document(register("r", ModelMetrics={"ModelQuality": {"Statistics": source}})))
    assert ran.status == "Succeeded"
    assert ran.packages[0].metrics == {}
    with Path(ran.steps["r"].log).open() as stream:
        assert "s3://bucket/none.json" in stream.read()


def test_a_models_name_may_be_asked_for(run: Run) -> None:
    ran = run(document(model("m", ModelName="my_model")))
    name = ran.steps["m"].properties["ModelName"]
    assert name.startswith("my-model-") and len(name) <= 63


def test_metrics_are_found_in_the_forms_people_write() -> None:
    quality = {
        "binary_classification_metrics": {
            "accuracy": {"value": 0.9, "standard_deviation": "NaN"},
            "auc": {"value": "NaN"},
            "confusion_matrix": {"0": {"0": 1}},
            "receiver_operating_characteristic_curve": {"false_positive_rates": [0, 1]},
        }
    }
    assert dict(flatten(quality)) == {"accuracy": 0.9}
    assert dict(flatten({"rmse": 1, "by": {"a": 2.5, "b": {"value": 3}}, "ok": True})) == {
        "rmse": 1.0,
        "by.a": 2.5,
        "by.b": 3.0,
    }
    assert dict(flatten([1, 2])) == {}
    assert dict(flatten({"big": 10**400, "nan": float("nan")})) == {}


def test_a_json_value_can_choose_the_approval(run: Run) -> None:
    gate = condition(
        "gate",
        compare("LessThan", json_get("job", "score"), 2),
        then=[registering(ModelApprovalStatus=get("Parameters.Approval"))],
    )
    parameters = [{"Name": "Approval", "Type": "String", "DefaultValue": "Rejected"}]
    ran = run(document(processing("job"), gate, Parameters=parameters))
    assert ran.packages[0].approval == "Rejected"
