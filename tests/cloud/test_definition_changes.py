"""Differences between definitions in the definition's own words."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipelines
from pipelines.cloud.definition_changes import DefinitionChanges, compare_definitions
from pipelines.cloud.masking import MASKED, is_sensitive
from pipelines.cloud.views.lines import change_line
from pipelines.cloud.wanted import NoSources
from pipelines.cloud.wording import shown
from pipelines.deployment.naming import DefinitionNames, KindNames

DEFINITION = """\
pipeline: line
parameters:
  Rows: 100
  Mode: {type: String, default: fast, enum: [fast, exact]}
  Limit: 0.9
defaults:
  instance: ml.m5.large
  image: {framework: sklearn, version: 1.4-2}
  cache: 30d
steps:
  split:
    type: Processing
    code: code/split.py
    arguments: {rows: "${parameters.Rows}", seed: 7}
    environment: {DB_PASSWORD: hunter2, LEVEL: info}
    outputs: [train]
  train:
    type: Training
    code: {dir: code, entry: train.py}
    hyperparameters: {max_depth: 6, mode: "${parameters.Mode}"}
    inputs: {train: "${steps.split.outputs.train}"}
    max_runtime: 2h
  measure:
    type: Processing
    code: code/measure.py
    inputs: {model: "${steps.train.model}"}
    outputs: [report]
    files: {metrics: report/metrics.json}
  good-enough:
    type: Condition
    if: steps.measure.files.metrics.accuracy >= parameters.Limit
    then:
      register: {type: RegisterModel, model: "${steps.train.model}", group: line}
    else:
      reject: {type: Fail, message: "no good"}
"""


class Definitions:
    """Compiles variants of one definition."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "code").mkdir()
        (folder / "environments.yaml").write_text("environments: {local: {}}\n")
        for name in ("split", "train", "measure"):
            (folder / "code" / f"{name}.py").write_text(f"print('{name}')\n")
        self.first = self.compile(DEFINITION)

    def compile(self, text: str) -> Any:
        path = self.folder / "pipeline.yaml"
        path.write_text(text)
        return pipelines.compile(path)

    def change(self, *replacements: tuple[str, str]) -> DefinitionChanges:
        text = DEFINITION
        for old, new in replacements:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        after = self.compile(text)
        return compare_definitions(self.first.definition, after.definition, DefinitionNames(after))


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    return Definitions(tmp_path_factory.mktemp("changes"))


def lines(changes: DefinitionChanges) -> list[str]:
    return [f"{line.sign} {line.text}" for line in map(change_line, changes.changes)]


def test_nothing_changed(definitions: Definitions) -> None:
    assert not definitions.change().any
    assert not definitions.change(("max_runtime: 2h", "max_runtime: 120m")).any


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("max_depth: 6", "max_depth: 8", ["~ steps.train.hyperparameters.max_depth: 6 → 8"]),
        ("max_depth: 6, ", "", ["- steps.train.hyperparameters.max_depth: 6"]),
        ("max_depth: 6", "max_depth: 6, eta: 0.1", ["+ steps.train.hyperparameters.eta: 0.1"]),
        ("seed: 7", "seed: 8", ["~ steps.split.arguments.seed: 7 → 8"]),
        ("Rows: 100", "Rows: 200", ["~ parameters.Rows.default: 100 → 200"]),
        ("  Limit: 0.9", "  Limit: 0.9\n  New: 5", ["+ parameters.New: 5"]),
        ("max_runtime: 2h", "max_runtime: 3h", ["~ steps.train.max_runtime: 2h → 3h"]),
        (
            "max_depth: 6",
            'max_depth: "${parameters.Rows}"',
            ["~ steps.train.hyperparameters.max_depth: 6 → ${parameters.Rows}"],
        ),
        (
            "LEVEL: info",
            "LEVEL: debug",
            ["~ steps.split.environment.LEVEL: info → debug"],
        ),
        (
            "hunter2",
            "hunter3",
            [f"~ steps.split.environment.DB_PASSWORD: {MASKED} → {MASKED}"],
        ),
        (
            ">= parameters.Limit",
            "> parameters.Limit",
            [
                "~ steps.good-enough.if: "
                "steps.measure.files.metrics.accuracy >= parameters.Limit → "
                "steps.measure.files.metrics.accuracy > parameters.Limit"
            ],
        ),
        (
            "inputs: {train: ",
            "inputs: {more: s3://some/where, train: ",
            ["+ steps.train.inputs.more: {source: s3://some/where}"],
        ),
        ("seed: 7", "seed: 7, fast: 1", ["~ steps.split.arguments (added --fast 1)"]),
        (", seed: 7", "", ["~ steps.split.arguments (removed --seed 7)"]),
        ("[fast, exact]", "[fast, exact, slow]", ["~ parameters.Mode.enum (added slow)"]),
        (
            "max_runtime: 2h",
            "retry: {on: [throttling], attempts: 3}\n    max_runtime: 2h",
            ["+ steps.train.retry: {on: [throttling], attempts: 3}"],
        ),
        (
            "cache: 30d",
            "cache: 5d",
            [f"~ steps.{s}.cache: 30d → 5d" for s in ("split", "train", "measure")],
        ),
    ],
)
def test_a_change_is_one_line(
    definitions: Definitions, old: str, new: str, expected: list[str]
) -> None:
    found = definitions.change((old, new))
    assert lines(found) == expected
    assert not found.code


def test_places_are_told(definitions: Definitions) -> None:
    (change,) = definitions.change(("max_depth: 6", "max_depth: 8")).changes
    number = DEFINITION[: DEFINITION.index("max_depth")].count("\n") + 1
    assert change.position.endswith(f"pipeline.yaml:{number}:23")
    assert change.pointer == "/Steps/1/Arguments/HyperParameters/max_depth"


def test_steps_come_go_and_move(definitions: Definitions) -> None:
    reject = '      reject: {type: Fail, message: "no good"}\n'
    moved = definitions.change(
        ("    else:\n" + reject, "    else:\n      stop: {type: Fail, message: other}\n"),
        (
            '    then:\n      register: {type: RegisterModel, model: "${steps.train.model}", '
            "group: line}\n",
            "    then:\n      done: {type: Fail, message: done}\n",
        ),
        (
            "  good-enough:\n",
            '  register: {type: RegisterModel, model: "${steps.train.model}", group: line}\n'
            "  good-enough:\n",
        ),
    )
    assert lines(moved) == [
        "~ steps.register (moved from good-enough.then)",
        "+ steps.good-enough.then.done (Fail)",
        "+ steps.good-enough.else.stop (Fail)",
        "- steps.good-enough.else.reject (Fail)",
    ]
    assert [bool(change.position) for change in moved.changes] == [True, True, True, False]


def test_a_renamed_step_is_not_two_changes(definitions: Definitions) -> None:
    found = definitions.change(("      reject: {", "      refuse: {"))
    assert lines(found) == ["~ steps.good-enough.else.refuse (renamed from reject)"]


def test_a_rename_is_seen_where_places_in_s3_have_the_name(definitions: Definitions) -> None:
    text = DEFINITION.replace("  split:\n", "  cut:\n").replace("steps.split.", "steps.cut.")
    after = definitions.compile(text)
    found = compare_definitions(
        definitions.first.definition, after.definition, DefinitionNames(after)
    )
    assert "~ steps.cut (renamed from split)" in lines(found)
    assert not any("steps.split" in line and line.startswith("-") for line in lines(found))


def test_code_is_told_apart(definitions: Definitions) -> None:
    path = definitions.folder / "code" / "measure.py"
    before = path.read_text()
    path.write_text("print('better')\n")
    try:
        found = definitions.change()
    finally:
        path.write_text(before)
    # The training code is the whole folder.
    assert [words for words, _, _ in found.code] == ["steps.train.code", "steps.measure.code"]
    assert not found.changes
    assert {loss.step: loss.why for loss in found.cache} == {
        "train": "code",
        "measure": "code",
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "max_depth: 6",
            "max_depth: 8",
            {"train": "hyperparameters.max_depth", "measure": "train runs anew"},
        ),
        (
            "Rows: 100",
            "Rows: 200",
            {
                "split": "parameters.Rows has another default",
                "train": "split runs anew",
                "measure": "train runs anew",
            },
        ),
        # Neither the machine nor the time a job may take is part of the service's cache key.
        ("max_runtime: 2h", "max_runtime: 3h", {}),
        ("instance: ml.m5.large", "instance: ml.m5.xlarge", {}),
        # Where caching is new there was nothing to lose.
        ("cache: 30d", "cache: false", {}),
    ],
)
def test_lost_caches(
    definitions: Definitions, old: str, new: str, expected: dict[str, str]
) -> None:
    assert {c.step: c.why for c in definitions.change((old, new)).cache} == expected


def test_a_definition_that_was_not_compiled_here(definitions: Definitions) -> None:
    before = definitions.first.definition
    after = json.loads(json.dumps(before))
    after["Steps"][1]["Arguments"]["HyperParameters"]["max_depth"] = "9"
    del after["Steps"][0]["Arguments"]["Environment"]
    found = compare_definitions(before, after, NoSources())
    assert lines(found) == [
        "- steps.split.Environment: {DB_PASSWORD: (sensitive value), LEVEL: info}",
        "~ steps.train.HyperParameters.max_depth: 6 → 9",
    ]


def test_words_follow_names_where_the_order_is_anothers(definitions: Definitions) -> None:
    """What somebody changed in AWS is told in the words of a definition that it is not."""
    before = definitions.first.definition
    after = json.loads(json.dumps(before))
    after["Steps"].insert(0, {"Name": "new", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}})
    after["Steps"][2]["Arguments"]["HyperParameters"]["max_depth"] = "9"
    after["Parameters"].reverse()
    after["Parameters"][2]["DefaultValue"] = 5
    del after["Steps"][-1]["Arguments"]["ElseSteps"]
    expected = [
        "~ parameters.Rows.default: 100 → 5",
        "+ steps.new (Fail)",
        "~ steps.train.hyperparameters.max_depth: 6 → 9",
        "- steps.good-enough.else.reject (Fail)",
    ]
    for words in (DefinitionNames(definitions.first), KindNames()):
        assert lines(compare_definitions(before, after, words)) == expected
    (added,) = [c for c in compare_definitions(before, after, words).changes if c.sign == "+"]
    assert not added.position


def test_the_words_of_kinds_alone(definitions: Definitions) -> None:
    """What `diff-run` and `rollback` have: no file, but the fields of the kinds."""
    before = definitions.first.definition
    after = json.loads(json.dumps(before))
    split, train = after["Steps"][:2]
    split["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] = "ml.m5.xlarge"
    train["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"] = 3600
    train["CacheConfig"]["ExpireAfter"] = "P5D"
    after["Parameters"][0]["DefaultValue"] = 7
    assert lines(compare_definitions(before, after, KindNames())) == [
        "~ parameters.Rows.default: 100 → 7",
        "~ steps.split.instance.type: ml.m5.large → ml.m5.xlarge",
        "~ steps.train.max_runtime: 2h → 1h",
        "~ steps.train.cache: 30d → P5D",
    ]


def test_an_asset_elsewhere_is_told_with_both_places(definitions: Definitions) -> None:
    text = json.dumps(definitions.first.definition)
    digest = "e399654f" * 8
    before, after = json.loads(text), json.loads(text)
    for each, place in ((before, "one/team"), (after, "two")):
        uri = f"s3://{place}/assets/sha256/{digest}/files"
        each["Steps"][1]["Arguments"]["HyperParameters"]["max_depth"] = uri
    assert lines(compare_definitions(before, after, NoSources())) == [
        "~ steps.train.HyperParameters.max_depth: "
        "s3://one/team/…/e399654f/files → s3://two/…/e399654f/files"
    ]


def test_a_step_of_another_type_is_one_line(definitions: Definitions) -> None:
    before = json.loads(json.dumps(definitions.first.definition))
    after = copy.deepcopy(before)
    after["Steps"][1].update(Type="Fail", Arguments={"ErrorMessage": "no"})
    found = compare_definitions(before, after, NoSources())
    assert lines(found) == ["~ steps.train.type: Training → Fail"]
    assert not found.code


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_an_order_that_means_nothing_is_no_change(
    definitions: Definitions, data: st.DataObject
) -> None:
    before = json.loads(json.dumps(definitions.first.definition))
    after = copy.deepcopy(before)
    after["Steps"] = data.draw(st.permutations(after["Steps"]))
    after["Parameters"] = data.draw(st.permutations(after["Parameters"]))
    assert compare_definitions(before, after, NoSources()) == DefinitionChanges()


LEAVES = st.sampled_from(["max_depth", "InstanceType", "seed", "LEVEL", "MaxRuntimeInSeconds"])


@given(value=st.one_of(st.text(max_size=200), st.integers(), st.booleans()))
@settings(max_examples=80, deadline=None)
def test_any_change_is_told_on_one_printable_line(definitions: Definitions, value: Any) -> None:
    before = json.loads(json.dumps(definitions.first.definition))
    after = copy.deepcopy(before)
    after["Steps"][1]["Arguments"]["HyperParameters"]["max_depth"] = value
    found = compare_definitions(before, after, NoSources())
    assert found.any == (value != "6")
    for line in lines(found):
        assert line.isprintable()
        assert len(line) < 420


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("steps.a.environment.DB_PASSWORD", True),
        ("steps.a.environment.HF_TOKEN", True),
        ("parameters.ApiKey.default", True),
        ("steps.a.hyperparameters.max_tokens", False),
        ("steps.a.hyperparameters.tokenizer", False),
        ("steps.tokenize.hyperparameters.depth", False),
        ("steps.a.hyperparameters.key", False),
    ],
)
def test_what_sounds_like_a_secret(name: str, secret: bool) -> None:
    assert is_sensitive(name) is secret
    assert (shown("value", name) == MASKED) is secret
