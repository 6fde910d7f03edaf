"""Everything the store returns has the shape of the API's response, as botocore knows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from local_samples import IMAGE, always, document, fail, get, model, output_of, processing, register

from pipelines.local import responses
from pipelines.local.encoding import decode, encode, plain
from pipelines.local.history import History
from pipelines.local.registry import Registry
from pipelines.local.store import read_store

Run = Callable[..., Any]

# Local paths stand for S3 URIs here, which the service's pattern does not know.
LOCAL_PATHS = {"code"}

SAGEMAKER = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))


def check(value: Any, shape: Shape, path: str = "") -> None:
    """Fail where a value does not have a shape: members, types, enums, lengths, patterns."""
    kind = shape.type_name
    if kind == "structure":
        assert isinstance(value, dict), path
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{path} has {unknown}"
        assert not set(shape.required_members) - set(value), path
        for name, item in value.items():
            check(item, shape.members[name], f"{path}.{name}")
    elif kind == "list":
        assert isinstance(value, list), path
        for index, item in enumerate(value):
            check(item, shape.member, f"{path}[{index}]")
    elif kind == "map":
        assert isinstance(value, dict), path
        for name, item in value.items():
            check(item, shape.value, f"{path}.{name}")
    elif kind == "string":
        assert isinstance(value, str), f"{path}: {value!r}"
        assert not shape.enum or value in shape.enum, f"{path}: {value}"
        assert len(value) <= shape.metadata.get("max", 1 << 30), path
        pattern = shape.metadata.get("pattern", "")
        if pattern and "\\p" not in pattern and value not in LOCAL_PATHS:
            assert re.fullmatch(pattern, value, re.DOTALL), f"{path}: {value} is not {pattern}"
    elif kind == "timestamp":
        assert isinstance(value, datetime) and value.tzinfo is not None, path
    elif kind == "boolean":
        assert isinstance(value, bool), path
    elif kind in ("integer", "long"):
        assert isinstance(value, int) and not isinstance(value, bool), path
    else:
        assert isinstance(value, (int, float)), path


def output(operation: str) -> Shape:
    shape = SAGEMAKER.operation_model(operation).output_shape
    assert shape is not None
    return shape


@pytest.fixture
def ran(run: Run) -> Any:
    containers = [{"Image": IMAGE, "ModelDataUrl": output_of("job")}]
    definition = document(
        processing("job", DisplayName="The job", Description="d", CacheConfig={"Enabled": True}),
        register("register", Containers=containers, CustomerMetadataProperties={"a": "b"}),
        model("model", ModelName="chosen", EnableNetworkIsolation=True),
        always("gate", DependsOn=["register", "model"]),
        fail("end", "x" * 3000, DependsOn=["gate"]),
        PipelineExperimentConfig={
            "ExperimentName": "e",
            "TrialName": get("Execution.PipelineExecutionId"),
        },
        Parameters=[{"Name": "P", "Type": "Float", "DefaultValue": 0.5}],
    )
    run(definition)
    return run(definition)


def test_executions_and_steps(ran: Any) -> None:
    assert ran.record.status == "Failed"
    describe = responses.describe_execution(ran.record)
    check(describe, output("DescribePipelineExecution"))
    assert len(describe["FailureReason"]) == 1300
    steps = {
        "PipelineExecutionSteps": [responses.describe_step(each) for each in ran.steps.values()]
    }
    check(steps, output("ListPipelineExecutionSteps"))
    first = steps["PipelineExecutionSteps"][0]
    assert first["StepDisplayName"] == "The job"
    assert first["CacheHitResult"]["SourcePipelineExecutionArn"].startswith("arn:aws:sagemaker:")
    check(responses.list_executions([ran.record]), output("ListPipelineExecutions"))
    check(responses.list_parameters(ran.record), output("ListPipelineParametersForExecution"))


def test_models_and_packages(ran: Any, place: Any) -> None:
    with read_store(place.store) as store:
        registry = Registry(store)
        for package in registry.packages("group"):
            check(dict(package.description), output("DescribeModelPackage"))
        check(responses.list_packages(registry.packages("group")), output("ListModelPackages"))
        check(responses.list_groups(registry.groups()), output("ListModelPackageGroups"))
        assert len(registry.models()) == 2
        for record in registry.models():
            check(dict(record.description), output("DescribeModel"))


def test_properties_of_jobs(ran: Any) -> None:
    check(ran.steps["job"].properties, output("DescribeProcessingJob"))


def test_the_store_gives_back_what_it_was_given(ran: Any, place: Any) -> None:
    with read_store(place.store) as store:
        again = {step.name: step for step in History(store).steps(ran.record.id)}
    assert again == ran.steps
    value = {"a": [datetime.fromisoformat("2026-01-02T03:04:05.678901+00:00")], "é": None}
    assert decode(encode(value)) == value
    assert plain(value) == {"a": ["2026-01-02T03:04:05.678Z"], "é": None}
