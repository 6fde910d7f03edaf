"""Instance types against the installed botocore's enums."""

from __future__ import annotations

import pytest

from pipelines.service.instances import check_instance_type, instance_types
from pipelines.service.shapes import UnknownName, input_shape

OPERATIONS = (
    "CreateProcessingJob",
    "CreateTrainingJob",
    "CreateTransformJob",
    "CreateHyperParameterTuningJob",
    "CreateEndpointConfig",
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_everything_the_api_takes_is_good(operation: str) -> None:
    known = instance_types(operation)
    assert len(known) > 20
    assert [one for one in known if check_instance_type(one, operation)] == []


def test_the_enum_is_the_one_of_the_operation() -> None:
    job = input_shape("CreateProcessingJob").members["ProcessingResources"]
    assert instance_types("CreateProcessingJob") == (
        job.members["ClusterConfig"].members["InstanceType"].enum
    )
    assert instance_types("CreateTransformJob") != instance_types("CreateProcessingJob")


@pytest.mark.parametrize(
    ("value", "kind", "hint"),
    [
        ("m5.xlarge", "pattern", "Did you mean `ml.m5.xlarge`?"),
        ("ml-m5-xlarge", "pattern", "Did you mean `ml.m5.xlarge`?"),
        ("ML.M5.XLARGE", "pattern", "Did you mean `ml.m5.xlarge`?"),
        ("ml.m5xlarge", "pattern", "Did you mean `ml.m5.xlarge`?"),
        ("", "pattern", "They look like `ml.m5.xlarge`."),
        ("something else entirely", "pattern", "They look like `ml.m5.xlarge`."),
        ("x" * 5000, "pattern", "They look like `ml.m5.xlarge`."),
        ("ml.m5.3xlarge", "enum", "The family has `ml.m5.large`, `ml.m5.xlarge`, "),
        ("ml.m55.xlarge", "enum", "`ml.m5.xlarge`"),
    ],
)
def test_what_is_refused_and_the_hint(value: str, kind: str, hint: str) -> None:
    found = check_instance_type(value, "CreateProcessingJob")
    assert found is not None
    assert found.kind == kind
    assert hint in found.hint
    assert len(found.message) < 120


def test_an_operation_without_instances_judges_the_form_alone() -> None:
    assert instance_types("CreateModelPackageGroup") == ()
    assert check_instance_type("ml.x9.huge", "CreateModelPackageGroup") is None
    assert check_instance_type("huge", "CreateModelPackageGroup") is not None
    with pytest.raises(UnknownName):
        check_instance_type("ml.m5.xlarge", "CreateNothing")
