"""Valid definitions, broken at random: never an exception, always diagnostics that can be shown.

`SAGEDAG_EXAMPLES=20000` tries that many instead of the few that the suite has time for.
"""

from __future__ import annotations

import os
import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.language.check import Checked, check
from pipelines.language.diagnostics import FORMATS, render
from pipelines.language.requests import walk_requests
from steps import KINDS
from steps._expressions import is_expression

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases" / "bad"
EXAMPLES = int(os.environ.get("SAGEDAG_EXAMPLES", "220"))
ENVIRONMENTS = ("local", "dev")

RICH = """\
pipeline: "rich-{{ env }}"
description: Everything that a definition can hold
vars: {depths: 4, name: forest, share: 0.5}
x-notes: &notes [a, b]
parameters:
  Input: s3://{{ bucket }}/in
  Min: 0.9
  Full: true
  Mode: {type: String, default: fast, enum: [fast, slow], description: How}
defaults:
  instance: {type: ml.m5.large, volume_gb: 50}
  image: {framework: sklearn, version: 1.4-2-py312}
  cache: true
  Training: {max_runtime: 2h, environment: {LEVEL: info}}
steps:
  prepare:
    type: Processing
    code: code/job.py
    arguments: {seed: 7, share: "{{ vars.share }}", flag: true, mode: "${parameters.Mode}"}
    inputs: {raw: "${parameters.Input}", b: {source: s3://b/x, mode: file}, c: {asset: code}}
    outputs: {train: null, test: s3://b/test, report: /opt/ml/processing/out}
    files: {metrics: report/metrics.json}
    retry: [{on: [throttling, capacity], attempts: 3, interval: 10s}]
    network: {subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d], isolation: true}
    tags: {team: astro}
  "train-{{ matrix.depth }}":
    type: Training
    matrix: {depth: [4, 8], include: [{depth: 12}], exclude: [{depth: 8}]}
    code: {dir: code, entry: train.py}
    hyperparameters: {depth: "{{ matrix.depth }}", list: [1, 2], text: "a ${parameters.Mode} b"}
    inputs: {train: "${steps.prepare.outputs.train}"}
    metrics: {loss: 'loss=([0-9.]+)'}
    spot: {max_wait: 3h}
    checkpoints: true
    request: {ResourceConfig: {InstanceCount: 2}, Tags: [{Key: a, Value: b}]}
  compare:
    type: Processing
    code: code/job.py
    inputs: {models: {each: "train-*", value: model}}
    depends_on: [prepare]
  check:
    type: Condition
    if: >
      steps.prepare.files.metrics.a.b[0] >= parameters.Min and
      not (parameters.Mode in ['slow', "x"] or parameters.Full != true)
    then:
      register:
        type: RegisterModel
        containers:
          - {model: "${steps.train-4.model}", environment: {A: 1}}
        group: rich
        approval: approved
        inference_instances: [ml.m5.large]
        metrics: {model_quality: {statistics: "${steps.prepare.outputs.report}/m.json"}}
    else:
      stop: {type: Fail, message: "too bad: ${steps.prepare.files.metrics.a.b[0]} $${literal}"}
  package:
    type: CreateModel
    model: "${steps.train-12.model}"
    depends_on: [{step: prepare, when: completed}]
parallelism: 4
experiment: {name: rich, trial: "${execution.id}"}
tags: {team: astro}
environments:
  dev: {parameters: {Min: 0.8}, steps: {compare: {instance: ml.m5.xlarge}}}
"""

SMALL = """\
pipeline: small
steps:
  stop:
    type: Fail
    message: |
      two
      lines: ${execution.id}
"""


def bases() -> tuple[tuple[Path, str], ...]:
    kept = (
        ROOT / "definitions" / "pulsar" / "pipeline.yaml",
        # Steps that others become, documents, values that other steps fill in.
        ROOT / "tests/cases/ok/checks/pipeline.yaml",
        ROOT / "tests/cases/ok/monitor-batch-transform/pipeline.yaml",
    )
    return (
        *((path, path.read_text(encoding="utf-8")) for path in kept),
        (CASES / "rich.yaml", RICH),
        (CASES / "small.yaml", SMALL),
    )


# --- Mutations -----------------------------------------------------------------------------------

KEYS = ("type", "steps", "code", "inputs", "if", "then", "outputs", "matrix", "request", "<<", "é")
VALUES = (
    "null", "true", "7", "-1", "1e999", "[]", "{}", "[a, {b: c}]", '""', "'x'", "2h", "0x1F",
    '"${steps.train.model}"', '"${parameters.Min}"', "${", '"{{ vars }}"', "{{ vars.x }}",
    '"{{ 1/0 }}"', "*notes", "&notes x", "!!str 7", "s3://b/k", "../..", "a: b", "- a", "|", ">",
    '"\\0"', '"${steps}"', "ml.m5.large", "Condition", "[[[[{a: [1, {b: 2}]}]]]]", "9" * 400,
    '"{{ ' + "(" * 60 + "1" + ")" * 60 + ' }}"', '"${steps[\'prepare\'].outputs[0]}"', "!x y",
)  # fmt: skip
BITS = (
    "{", "}", "[", "]", "${", "{{", "}}", ":", "#", "\t", "\r", '"', "'", "\\", "\x00", "\ufdd0",
    "\u2028", "\x85", "🜚", "&a", "*a", "%", "---\n", "- ", "$${", "\ud7ff", "\ufeff", "\x0b",
)  # fmt: skip


def mutate_lines(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    line = lines[at]
    kind = draw(st.sampled_from(["delete", "rename", "retype", "indent", "copy", "swap", "splice"]))
    if kind == "delete":
        del lines[at : at + draw(st.integers(1, 4))]
    elif kind == "rename":
        key = draw(st.sampled_from(KEYS) | st.text(max_size=8))
        lines[at] = re.sub(r"[\w\"{}. -]+?:", lambda _: key + ":", line, count=1)
    elif kind == "retype":
        value = draw(st.sampled_from(VALUES))
        if draw(st.booleans()):
            lines[at] = re.sub(r":.*", lambda _: ": " + value, line, count=1)
        else:
            spots = [m.span() for m in re.finditer(r"[^\s{}\[\],:]+", line)] or [(0, 0)]
            begin, end = draw(st.sampled_from(spots))
            lines[at] = line[:begin] + value + line[end:]
    elif kind == "indent":
        lines[at] = " " * draw(st.integers(0, 9)) + line.lstrip()
    elif kind == "copy":
        block = lines[at : at + draw(st.integers(1, 6))]
        target = draw(st.integers(0, len(lines)))
        lines[target:target] = block
    elif kind == "swap":
        other = draw(st.integers(0, len(lines) - 1))
        lines[at], lines[other] = lines[other], line
    else:
        begin = draw(st.integers(0, len(line)))
        bit = draw(st.sampled_from(BITS)) * draw(st.sampled_from([1, 1, 1, 2, 70]))
        lines[at] = line[:begin] + bit + line[begin + draw(st.integers(0, 3)) :]
    return "\n".join(lines)


@st.composite
def broken(draw: st.DrawFn) -> tuple[Path, bytes, str]:
    path, text = draw(st.sampled_from(bases()))
    for _ in range(draw(st.integers(1, 4))):
        text = mutate_lines(draw, text)
    data = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=12)) + data[at + draw(st.integers(0, 12)) :]
    return path, data, draw(st.sampled_from(ENVIRONMENTS))


# --- What must hold ------------------------------------------------------------------------------


def assert_sound(found: Checked) -> None:
    assert found.program is not None or found.failed
    assert [d.sort_key for d in found.diagnostics] == sorted(d.sort_key for d in found.diagnostics)
    for each in found.diagnostics:
        lines = each.source.lines
        assert each.message and not each.message.endswith("."), each
        assert 1 <= each.span.line <= max(1, len(lines)), each
        width = len(lines[each.span.line - 1]) if lines else 0
        assert 1 <= each.span.column <= width + 1, each
        assert each.span.column < each.span.end <= width + 2, each
        assert not re.search("[\ufdd0-\ufdef]", each.message + each.hint), each
    for style in FORMATS:
        text = render(found.diagnostics, style)
        if style == "text":
            hidden = [c for c in text if unicodedata.category(c).startswith("C") and c != "\n"]
            assert not hidden, hidden
            # A message can't begin a line of its own, and so pretend to be another one.
            assert text.count("\n") <= 5 * len(found.diagnostics)
    if not found.failed and found.program is not None:
        assert_fits_botocore(found)


@lru_cache(maxsize=1)
def service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"))


SAMPLES: dict[str, Any] = {"string": "s3://bucket/a-long-enough-text", "integer": 1, "float": 0.5}


def filled(value: Any, shape: Any) -> Any:
    """Return arguments with samples of the wanted type in place of expressions."""
    if is_expression(value):
        return SAMPLES.get("float" if shape.type_name in ("double", "float") else value.type, True)
    if isinstance(value, dict) and shape.type_name == "structure":
        return {k: filled(v, shape.members[k]) for k, v in value.items()}
    if isinstance(value, dict):
        return {k: filled(v, shape.value) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v, shape.member) for v in value]
    return value


def assert_fits_botocore(found: Checked) -> None:
    assert found.program is not None
    operations = {kind.api_type: (kind.operation, kind.supplied) for kind in KINDS}
    for step in walk_requests(found.program.steps):
        operation, supplied = operations[step.type]
        if operation:
            shape = service().operation_model(operation).input_shape
            arguments = filled(dict(step.arguments), shape)
            arguments.update(
                {name: "made-by-the-service" for name in supplied if name not in arguments}
            )
            report = ParamValidator().validate(arguments, shape)
            assert not report.has_errors(), report.generate_report()


# --- The tests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("number", range(len(bases())))
def test_the_definitions_to_be_broken_are_valid(number: int, environment: str) -> None:
    path, text = bases()[number]
    found = check(path, environment=environment, text=text.encode())
    assert not found.failed, render(found.diagnostics, "text")
    assert_sound(found)


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
@given(broken())
def test_a_broken_definition_never_breaks_the_check(made: tuple[Path, bytes, str]) -> None:
    path, data, environment = made
    assert_sound(check(path, environment=environment, text=data))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: t.encode("utf-8", "replace")))
def test_noise_never_breaks_the_check(data: bytes) -> None:
    assert_sound(check(CASES / "noise.yaml", text=data))
