"""Compile, import, compile again: nothing changes, for generated definitions of every kind.

``SAGEDAG_IMPORTS=1000`` tries as many.
"""

from __future__ import annotations

import copy
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from imported_samples import CASES, Json, complaints, imported, read

from pipelines.compiler import compile_program
from pipelines.definition.normal import differences
from pipelines.language.check import check
from pipelines.language.schema import resolve_ref
from steps import KINDS, all_fields
from steps._contract import Kind

EXAMPLES = int(os.environ.get("SAGEDAG_IMPORTS", "0"))
TRIED = settings(
    max_examples=EXAMPLES or 25,
    deadline=None,
    derandomize=not EXAMPLES,
    suppress_health_check=list(HealthCheck),
)
NOT_ALONE = ("Condition", "ForEach", "Fail")
BODY_OF_OTHERS = ("Function", "Raw")

PRELUDE = """
preprocess:
  type: Processing
  image: {framework: sklearn, version: 1.4-2}
  instance: ml.m5.large
  code: code/preprocess.py
  outputs: [train, test, report]
  files: {metrics: report/metrics.json}
train:
  type: Training
  image: {framework: sklearn, version: 1.4-2}
  instance: ml.m5.large
  code: {dir: code, entry: train.py}
  hyperparameters: {seed: 7}
  inputs: {train: "${steps.preprocess.outputs.train}"}
create-model: {type: CreateModel, model: "${steps.train.model}"}
config:
  type: EndpointConfig
  name: pulsar-${execution.id}
  variants: {main: {model: "${steps.create-model.model}", instance: ml.m5.large}}
endpoint: {type: Endpoint, name: pulsar, config: "${steps.config.name}"}
"""
FILES = (
    "code/preprocess.py", "code/train.py", "code/inference.py", "code/clean.py", "code/fold.py",
    "code/evaluate.py", "features.py", "requirements.txt", "setup.sh", "reference.csv",
    "explore.ipynb", "notebook.ipynb", "code/explore.ipynb", "notebooks/explore.ipynb", "pre.py",
    "post.py", "code/summarise.py",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the files that the kinds' examples name."""
    made = tmp_path_factory.mktemp("project")
    (made / "environments.yaml").write_text("environments: {local: {}}\n")
    for name in FILES:
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text("{}" if name.endswith("ipynb") else "def summarise(): return 1\n")
    return made


@cache
def base_of(kind: Kind) -> tuple[str, str]:
    """The name and fields (as JSON) of a kind's own example."""
    steps = yaml.safe_load(kind.example)
    name, fields = next(item for item in steps.items() if item[1]["type"] == kind.name)
    return f"the-{name}", json.dumps(fields, default=str)


def compiled(document: Json, folder: Path) -> Json | None:
    """Compile a definition; None where it is invalid."""
    text = json.dumps(document).encode()
    checked = check(folder / "pipeline.yaml", text=text)
    if checked.failed or checked.program is None:
        return None
    return dict(compile_program(checked.program).definition)


def document_of(steps: Json, **top: Any) -> Json:
    return {
        "pipeline": "generated",
        "parameters": {"Text": "a", "Count": 3, "Rate": 0.5, "Flag": True, "Place": "s3://b/k"},
        "steps": {**yaml.safe_load(PRELUDE), **steps},
        **top,
    }


SINGLE = [kind for kind in KINDS if kind.name not in NOT_ALONE]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_example_of_a_kind_comes_back(kind: Kind, folder: Path) -> None:
    name, fields = base_of(kind)
    definition = compiled(document_of({name: json.loads(fields)}), folder)
    if definition is None:
        pytest.skip(f"the example of {kind.name} needs more around it")
    assert complaints(imported(definition)) == []


def test_most_kinds_have_an_example_that_stands_alone(folder: Path) -> None:
    alone = [
        kind.name
        for kind in KINDS
        if compiled(document_of({base_of(kind)[0]: json.loads(base_of(kind)[1])}), folder)
    ]
    assert len(alone) >= len(KINDS) - 6, alone


def values_of(schema: Any) -> st.SearchStrategy[Any]:
    """Values of a field: its documented examples, and those of the forms it may have."""
    schema = resolve_ref(schema)
    found = list(schema.get("examples", ()))
    for option in schema.get("anyOf", ()):
        found += resolve_ref(option).get("examples", ())
    scalars = [each for each in found if isinstance(each, str) and "/" not in each]
    extra = ["${parameters.Text}", "a ${parameters.Count} b"] if scalars else []
    return st.sampled_from([*found, *extra])


@st.composite
def steps_of(draw: st.DrawFn, kind: Kind) -> Json:
    """A step of a kind: its example with other fields beside it, or others in their place."""
    made = json.loads(base_of(kind)[1])
    fields = {
        name: field
        for name, field in all_fields(kind).items()
        if name not in ("type", "matrix", "depends_on", "request", "then", "else", "steps", "if",
                        "items", "select", "step_fields", "containers", "model_package")
        and (field.schema.get("examples") or field.schema.get("anyOf"))
    }  # fmt: skip
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=3, unique=True)):
        made[name] = draw(values_of(fields[name].schema))
    return dict(made)


@st.composite
def definitions(draw: st.DrawFn) -> Json:
    kinds = draw(st.lists(st.sampled_from(SINGLE), min_size=1, max_size=3))
    steps = {f"{base_of(k)[0]}-{n}": draw(steps_of(k)) for n, k in enumerate(kinds)}
    names = list(steps)
    if len(names) > 1 and draw(st.booleans()):
        steps[names[-1]]["depends_on"] = draw(
            st.sampled_from([names[:1], [{"step": names[0], "when": "failed"}]])
        )
    way = draw(st.sampled_from(["plain", "branch", "loop"]))
    condition = draw(
        st.sampled_from(
            [
                "parameters.Flag", "not (parameters.Count > 2 or parameters.Rate <= 0.5)",
                "steps.preprocess.files.metrics.a.b >= 0.9 and parameters.Text in ['a', 'b']",
                "parameters.Text == 'x ${execution.id}' or (parameters.Count != 1 and "
                "execution.pipeline_name == 'p')",
            ]
        )
    )  # fmt: skip
    if way == "branch":
        stop = {"stop": {"type": "Fail", "message": "no: ${parameters.Text}"}}
        steps = {"gate": {"type": "Condition", "if": condition, "then": steps, "else": stop}}
    elif way == "loop":
        items = draw(st.sampled_from([["a", 1], [{"n": 1}, {"n": 2}], "${parameters.Text}"]))
        steps = {"loop": {"type": "ForEach", "items": items, "steps": steps}}
    top = draw(
        st.sampled_from(
            [{}, {"experiment": False}, {"defaults": {"tags": {"a": "b"}, "cache": "7d"}}]
        )
    )
    return document_of(steps, **top)


@TRIED
@given(definitions())
def test_a_compiled_definition_comes_back(folder: Path, document: Json) -> None:
    definition = compiled(document, folder)
    assume(definition is not None)
    assert definition is not None
    made = imported(definition)
    assert complaints(made) == []
    text = made.text.encode()
    again = compile_program(check(folder / "pipeline.yaml", text=text).program)  # type: ignore[arg-type]  # valid
    assert differences(definition, again.definition) == []
    assert imported(dict(again.definition)).text == made.text


STEPS = [
    step
    for path in sorted(CASES.glob("*/definition.json"))
    for step in read(path)["Steps"]
    if step["Type"] not in ("Condition", "ForEach")
]


@st.composite
def mutants(draw: st.DrawFn) -> Json:
    """A step of the goldens with a member dropped, replaced or added somewhere."""
    step = copy.deepcopy(draw(st.sampled_from(STEPS)))
    step.pop("DependsOn", None)
    for _ in range(draw(st.integers(0, 3))):
        place = step
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            keys = [key for key in keys if not (place is step and key in ("Name", "Type"))]
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], (dict, list)) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            way = draw(st.sampled_from(["drop", "replace", "add"]))
            if way == "drop":
                del place[key]
            elif way == "replace":
                place[key] = copy.deepcopy(draw(ODD))
            elif isinstance(place, dict):
                place[draw(st.sampled_from(["New", "Tags", "RoleArn", "Environment"]))] = (
                    copy.deepcopy(draw(ODD))
                )
            break
    return {"Version": "2020-12-01", "Steps": [step]}


ODD = st.sampled_from(
    [
        None, True, 7, 0.5, "", "text", "{{ x }} ${y}", [], {}, ["a"], {"a": "b"}, "2026-01-01",
        {"Get": "Parameters.Missing"}, {"Get": "Execution.PipelineName"}, {"Get": "nonsense"},
        {"Std:Join": {"On": "-", "Values": ["a", {"Get": "Execution.PipelineArn"}]}},
        {"Std:Join": "no"}, [{"Key": "a", "Value": "b"}], "line\nline\n", "é\u2028\x07", "007",
    ]
)  # fmt: skip


@TRIED
@given(mutants())
def test_what_is_valid_is_equal_and_nothing_raises(document: Json) -> None:
    made = imported(document)
    if not made.failed and not any(note.lost for note in made.notes):
        assert made.differences == []
