"""Whatever a Raw step holds, rules and policies look at it and do not fall over.

`SAGEDAG_EXAMPLES` says how many definitions are tried.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.language.check import check
from pipelines.lint.jobs import SHAPES
from pipelines.lint.model import Subject
from pipelines.lint.rules import RULES
from pipelines.policy import policies
from pipelines.policy.model import LONGEST
from pipelines.policy.pipeline_role import GRANTS

EXAMPLES = int(os.environ.get("SAGEDAG_EXAMPLES", "60"))

TYPES = sorted({*SHAPES, *GRANTS, "RegisterModel", "Cleanup", "EMR", "EMRServerless", "New"})
NAMES = """
ProcessingOutputConfig Outputs S3Output S3Uri OutputName KmsKeyId ProcessingInputs
InputName S3Input ProcessingResources ClusterConfig InstanceType InstanceCount
VolumeKmsKeyId NetworkConfig VpcConfig Subnets SecurityGroupIds EnableNetworkIsolation
StoppingCondition MaxRuntimeInSeconds RoleArn ExecutionRoleArn AppSpecification ImageUri
TrainingJobDefinition OutputDataConfig S3OutputPath ResourceConfig
EnableManagedSpotTraining CheckpointConfig ModelPackageGroupName ModelApprovalStatus
ModelName EndpointName EndpointConfigName ClusterId ApplicationId ApplicationConfig
ServiceRole Artifacts Contexts FeatureGroupName FileSystemId DataCaptureConfig
AsyncInferenceConfig OutputConfig InputDataConfig HyperParameters Environment
PrimaryContainer ModelDataUrl Image Resources S3 S3Uris
""".split()  # noqa: SIM905  # a column of sixty names hides the rest
TEXTS = [
    "", "*", "s3://bucket/key", "s3://", "s3:///x", "ml.p4d.24xlarge", "ml.", "alias/x", "latest",
    "arn:aws:iam::111122223333:role/*", "arn:", "111122223333.dkr.ecr.us-east-1.amazonaws.com/a",
    "docker.io/a/b:latest", "Approved", "${execution.id}", "${parameters.P}", "s3://${parameters.P}",
    "${steps.first.properties.RoleArn}", "x" * 3000,
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**7) | st.sampled_from(TEXTS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=20,
)
ANYWHERE = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)

PLACES = [
    *(path for shape in SHAPES.values() for path in (shape.output, shape.cluster, shape.runtime)),
    *((*shape.network, "VpcConfig", "Subnets") for shape in SHAPES.values() if shape.network),
    ("ProcessingOutputConfig", "Outputs"),
    ("ProcessingInputs",),
    ("OutputDataConfig", "S3OutputPath"),
    ("TrainingJobDefinition", "CheckpointConfig", "S3Uri"),
    ("Resources", "S3"),
    ("ModelPackageGroupName",),
    ("EnableManagedSpotTraining",),
]
"""Where rules and policies look: odd things stand there, too, not only at random places."""


def placed(pairs: list[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path, value in pairs:
        level = made
        for segment in path[:-1]:
            inner = level.get(segment)
            level[segment] = inner if isinstance(inner, dict) else {}
            level = level[segment]
        if path:
            level[path[-1]] = value
    return made


ARGUMENTS = ANYWHERE | st.lists(
    st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=6
).map(placed)

ENVIRONMENTS = """\
environments:
  dev:
    account: "111122223333"
    region: us-east-1
    role: "arn:aws:iam::111122223333:role/p"
    bucket: bucket
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("any")
    (made / "environments.yaml").write_text(ENVIRONMENTS)
    return made


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
@given(kinds=st.lists(st.sampled_from(TYPES), min_size=2, max_size=2), data=st.data())
def test_any_arguments(folder: Path, kinds: list[str], data: st.DataObject) -> None:
    steps: dict[str, Any] = {
        name: {"type": "Raw", "api_type": kind, "arguments": data.draw(ARGUMENTS)}
        for name, kind in zip(("first", "second"), kinds, strict=True)
    }
    definition = {"pipeline": "any", "parameters": {"P": {"type": "String"}}, "steps": steps}
    text = json.dumps(definition).encode()
    checked = check(folder / "pipeline.yaml", environment="dev", text=text)
    if checked.failed or checked.program is None:
        return
    subject = Subject(checked.program)
    for rule in RULES:
        for finding in rule.find(subject):
            assert finding.message
            assert not finding.message.endswith(".")
    for policy in policies(checked.program):
        assert policy.document["Statement"]
        assert policy.size <= LONGEST or len(policy.statements) == 1
