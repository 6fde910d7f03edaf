"""Every type of step that the SDK and the API know has a kind; a new one fails here by its name."""

from __future__ import annotations

import botocore.loaders
import botocore.model
import pytest

from steps import KINDS
from steps._sdk import offline

OURS = {kind.api_type for kind in KINDS if kind.api_type}

MEMBERS = {
    "AutoMLJob": "AutoML",
    "Callback": "Callback",
    "ClarifyCheck": "ClarifyCheck",
    "Cleanup": "Cleanup",
    "Condition": "Condition",
    "EMR": "EMR",
    "EMRServerless": "EMRServerless",
    "Endpoint": "Endpoint",
    "EndpointConfig": "EndpointConfig",
    "Fail": "Fail",
    "ForEach": "ForEach",
    "InferenceComponent": "InferenceComponent",
    "Job": "Job",
    "Lambda": "Lambda",
    "Lineage": "Lineage",
    "Model": "Model",
    "ProcessingJob": "Processing",
    "QualityCheck": "QualityCheck",
    "RegisterModel": "RegisterModel",
    "TrainingJob": "Training",
    "TransformJob": "Transform",
    "TuningJob": "Tuning",
}
"""Members of PipelineExecutionStepMetadata, and the types of the steps that they tell about."""

WITHOUT_A_KIND = {
    "Athena",
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockModelImport",
    "BedrockProvisionedModelThroughput",
    "HubContent",
}
"""Members without a kind: no SDK writes such steps, and no public document says which arguments
they take. Raw writes steps of any type."""


def members_of_the_api() -> set[str]:
    data = botocore.loaders.Loader().load_service_model("sagemaker", "service-2")
    shape = botocore.model.ServiceModel(data).shape_for("PipelineExecutionStepMetadata")
    assert isinstance(shape, botocore.model.StructureShape)
    return set(shape.members)


@pytest.mark.slow  # for importing the SDK
def test_the_kinds_have_the_types_of_the_sdk() -> None:
    with offline("us-east-1"):
        from sagemaker.mlops.workflow.steps import StepTypeEnum

        theirs = {str(member.value) for member in StepTypeEnum}
    assert sorted(theirs - OURS) == [], "types of the SDK without a kind"
    assert sorted(OURS - theirs) == [], "kinds of a type that the SDK does not know"


def test_the_kinds_have_the_types_of_the_api() -> None:
    known = MEMBERS.keys() | WITHOUT_A_KIND
    assert sorted(members_of_the_api() - known) == [], (
        "new types: write a kind, or why there is none"
    )
    assert sorted(known - members_of_the_api()) == [], "types that the API has no more"
    assert sorted(set(MEMBERS.values()) - OURS) == [], "types of the API without a kind"
    assert sorted(OURS - set(MEMBERS.values())) == [], "kinds of a type that the API does not know"
