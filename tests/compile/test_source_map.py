"""Every part of the definition JSON leads back to where it was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from compiled_cases import ALL, CASES, PULSAR_CASES, Case

import pipelines


def pointers(value: Any, at: str = "") -> Iterator[str]:
    yield at
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield from pointers(inner, f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}")


@pytest.mark.parametrize("case", [*ALL, *PULSAR_CASES], ids=lambda case: case.name)
def test_every_pointer_leads_to_a_place_in_a_file(case: Case) -> None:
    compiled = case.compiled
    lines: dict[Path, list[str]] = {}
    for pointer in pointers(dict(compiled.definition)):
        origin = compiled.source_map.find(pointer)
        assert origin is not None, pointer
        path = origin.source.path
        assert path.is_relative_to(CASES) or path == case.path, (pointer, path)
        written = lines.setdefault(path, path.read_text("utf-8").splitlines())
        assert 1 <= origin.span.line <= len(written), pointer
        line = written[origin.span.line - 1]
        assert 1 <= origin.span.column <= len(line), (pointer, origin.position)
        assert line[origin.span.column - 1] not in " #,:]}", (pointer, origin.position, line)


@pytest.mark.parametrize("case", [*ALL, *PULSAR_CASES], ids=lambda case: case.name)
def test_every_step_leads_to_its_own_key(case: Case) -> None:
    compiled = case.compiled

    def check(steps: list[Any], at: str) -> None:
        for index, step in enumerate(steps):
            origin = compiled.source_map.find(f"{at}/{index}")
            assert origin is not None
            assert origin.path[-1] == step["Name"]
            for branch in ("IfSteps", "ElseSteps", "ForEachBody"):
                inner = step["Arguments"].get(branch, [])
                check(inner, f"{at}/{index}/Arguments/{branch}")

    check(list(compiled.definition["Steps"]), "/Steps")


SPOTS = [
    # case, pointer, the definition's words, file, what stands at that place
    (
        "pulsar-dev",
        "/Steps/2/Arguments/HyperParameters/n-estimators",
        "steps.train.hyperparameters.n-estimators",
        "pipeline.yaml",
        "n-estimators:",
    ),
    (
        "pulsar-dev",
        "/Steps/0/Arguments/ProcessingInputs/0/S3Input/S3Uri",
        "steps.preprocess.inputs.candidates",
        "pipeline.yaml",
        "candidates:",
    ),
    ("pulsar-dev", "/Parameters/3/DefaultValue", "parameters.MinAccuracy", "pipeline.yaml", "Min"),
    (
        "pulsar-dev",
        "/Steps/4/Arguments/IfSteps/0/Arguments/ModelApprovalStatus",
        "steps.good-enough.then.register.approval",
        "pipeline.yaml",
        "approval:",
    ),
    (
        "pulsar-dev",
        "/Steps/4/Arguments/Conditions/0",
        "steps.good-enough.if",
        "pipeline.yaml",
        "if",
    ),
    (
        "pulsar-dev",
        "/Steps/4/Arguments/ElseSteps/0/Arguments/ErrorMessage/Std:Join/Values/0",
        "steps.good-enough.else.reject.message",
        "pipeline.yaml",
        "message:",
    ),
    (
        "pulsar-dev",
        "/Steps/3/PropertyFiles/0",
        "steps.evaluate.files.metrics",
        "pipeline.yaml",
        "met",
    ),
    ("pulsar-dev", "/Steps/0/CacheConfig", "steps.preprocess.cache", "pipeline.yaml", "cache: 30d"),
    (
        "request",
        "/Steps/0/Arguments/ProcessingInputs/1/S3Input/S3InputMode",
        "steps.process.request.ProcessingInputs.0.S3Input.S3InputMode",
        "pipeline.yaml",
        "S3InputMode: Pipe",
    ),
    (
        "request",
        "/Steps/0/Arguments/ProcessingInputs/2/DatasetDefinition/LocalPath",
        "steps.process.request.ProcessingInputs.1.DatasetDefinition.LocalPath",
        "pipeline.yaml",
        "LocalPath: /opt/ml/processing/query",
    ),
    (
        "request",
        "/Steps/0/Arguments/StoppingCondition/MaxRuntimeInSeconds",
        "steps.process.request.StoppingCondition.MaxRuntimeInSeconds",
        "pipeline.yaml",
        "MaxRuntimeInSeconds: 1800",
    ),
    (
        "request",
        "/Steps/0/Arguments/Tags/1/Value",
        "steps.process.tags.kept",
        "pipeline.yaml",
        "kept: yes",
    ),
    (
        "request",
        "/Steps/0/CacheConfig/ExpireAfter",
        "steps.process.step_fields.CacheConfig",
        "pipeline.yaml",
        "CacheConfig:",
    ),
    ("layers", "/Steps/0", "steps.first", "shared-base.yaml", "first:"),
    (
        "layers",
        "/Steps/1/Arguments/AlgorithmSpecification/TrainingImage",
        "steps.train.image",
        "base.yaml",
        "image:",
    ),
    (
        "layers",
        "/Steps/1/Arguments/HyperParameters/depth",
        "steps.train.hyperparameters.depth",
        "pipeline.yaml",
        "depth:",
    ),
    (
        "layers",
        "/Steps/1/Arguments/ResourceConfig/VolumeSizeInGB",
        "steps.train.instance.volume_gb",
        "base.yaml",
        "volume_gb: 99",
    ),
    (
        "layers",
        "/Steps/1/Arguments/ResourceConfig/VolumeKmsKeyId",
        "steps.train.instance.kms_key",
        "environments.yaml",
        "kms_key: alias/volumes",
    ),
    (
        "layers",
        "/Steps/1/Arguments/StoppingCondition/MaxRuntimeInSeconds",
        "steps.train.max_runtime",
        "environments.yaml",
        "max_runtime: 3d",
    ),
    (
        "layers",
        "/Parameters/0/DefaultValue",
        "parameters.Least",
        "pipeline.yaml",
        "Least: 0.8",
    ),
    (
        "create-model-forms",
        "/Steps/4/Arguments/Containers/1/Environment/A",
        "steps.direct.containers.1.environment.A",
        "pipeline.yaml",
        "A: b",
    ),
    ("checks", "/Steps/3/SkipCheck", "steps.data-quality.skip_check", "pipeline.yaml", "skip_c"),
    (
        "checks",
        "/Steps/5/Arguments/Environment/problem_type",
        "steps.model-quality-monday.problem_type",
        "pipeline.yaml",
        "problem_type: Binary",
    ),
    (
        "monitor-batch-transform",
        "/Steps/1/FailOnViolation",
        "steps.predict-monitoring.fail_on_violation",
        "pipeline.yaml",
        "fail_on_violation: ",
    ),
]


@pytest.mark.parametrize(("name", "pointer", "words", "file", "text"), SPOTS)
def test_a_spot_leads_to_its_line_and_column(
    name: str, pointer: str, words: str, file: str, text: str
) -> None:
    case = next(case for case in [*ALL, *PULSAR_CASES] if case.name == name)
    origin = case.compiled.source_map.find(pointer)
    assert origin is not None
    assert origin.words == words
    assert origin.source.path.name == file
    line = origin.source.path.read_text("utf-8").splitlines()[origin.span.line - 1]
    assert line[origin.span.column - 1 :].startswith(text)


def test_a_mistake_in_a_named_list_of_the_request_is_told_there(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(
        "pipeline: spots\nsteps:\n  job:\n    type: Processing\n    image: a/b:1\n"
        "    instance: ml.m5.large\n    inputs: {a: s3://in/a, b: s3://in/b}\n    request:\n"
        "      ProcessingInputs:\n        - {InputName: b, S3Input: {S3InputMode: Pope}}\n"
    )
    with pytest.raises(pipelines.InvalidDefinition) as caught:
        pipelines.compile(path)
    found: Any = caught.value.diagnostics
    assert [(d.code, d.span.line, d.span.column) for d in found] == [("bad-value", 10, 49)]
