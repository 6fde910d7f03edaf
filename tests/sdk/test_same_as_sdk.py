"""Definitions equal in meaning to what the SDK's producers build compile to the same JSON.

The first is AWS's SDK v3 example; the second has what the example does without. Only what is named
in DIFFERENCES may differ; everything else, down to the empty maps, is equal.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from surroundings import BUCKET

import pipelines

pytestmark = pytest.mark.slow  # for importing the SDK and running its producers
HERE = Path(__file__).parent

Definition = dict[str, Any]


def steps_of(definition: Definition) -> Iterator[Definition]:
    """All steps, those of branches included."""
    waiting = list(definition["Steps"])
    while waiting:
        step = waiting.pop(0)
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            waiting.extend(step["Arguments"].get(branch, []))


def no_empty_settings(definition: Definition) -> None:
    """SDK 3 writes `"MlflowConfig": null` where none is given; ours drops what is null."""
    for name in [name for name, value in definition.items() if value is None]:
        del definition[name]


def no_asset_keys(definition: Definition) -> None:
    """The code's place in the bucket: the SDK's key and ours are digests of different bytes."""
    for step in steps_of(definition):
        for entry in step["Arguments"].get("ProcessingInputs", []):
            if entry["InputName"] == "code":
                uri = entry["S3Input"]["S3Uri"]
                assert uri.startswith(f"s3://{BUCKET}/"), uri
                entry["S3Input"]["S3Uri"] = "CODE"


def no_empty_reports(definition: Definition) -> None:
    """The SDK adds empty Bias and Explainability reports to any model metrics; they say nothing."""
    for step in steps_of(definition):
        metrics = step["Arguments"].get("ModelMetrics", {})
        for name in ("Bias", "Explainability"):
            if metrics.get(name) == {}:
                del metrics[name]


# What may differ, each with its reason. Nothing else may: not even output prefixes, which the
# definitions give as the producers do, nor generated names, of which the SDK leaves none.
DIFFERENCES: dict[str, tuple[Callable[[Definition], None], ...]] = {
    "train-create-register": (no_empty_settings, no_asset_keys),
    "variants": (no_empty_settings, no_asset_keys, no_empty_reports),
}
PAIRS = [(name, difference) for name in DIFFERENCES for difference in DIFFERENCES[name]]


def without(definition: Definition, *differences: Callable[[Definition], None]) -> Definition:
    made = copy.deepcopy(definition)
    for difference in differences:
        difference(made)
    return made


def compare(ours: Any, theirs: Any, pointer: str = "") -> Iterator[str]:
    """Where the two differ: JSON pointer and both values. Types count, so that 1 is not true."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in dict.fromkeys([*ours, *theirs]):
            if name in ours and name in theirs:
                yield from compare(ours[name], theirs[name], f"{pointer}/{name}")
            else:
                owner, value = ("ours", ours) if name in ours else ("SDK", theirs)
                yield f"{pointer}/{name}: only {owner}: {value[name]!r}"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from compare(*pair, f"{pointer}/{index}")
    elif type(ours) is not type(theirs) or ours != theirs:
        yield f"{pointer}: ours {ours!r}, SDK {theirs!r}"


@pytest.fixture(scope="module")
def theirs(sdk_example: Definition, sdk_variants: Definition) -> dict[str, Definition]:
    return {"train-create-register": sdk_example, "variants": sdk_variants}


@pytest.fixture(scope="module")
def ours() -> dict[str, Definition]:
    return {
        name: pipelines.compile(HERE / name / "pipeline.yaml", environment="sdk").definition
        for name in DIFFERENCES
    }


@pytest.mark.parametrize("name", ["train-create-register", "variants"])
def test_the_definition_is_the_same(
    name: str, ours: dict[str, Definition], theirs: dict[str, Definition]
) -> None:
    pair = [without(each[name], *DIFFERENCES[name]) for each in (ours, theirs)]
    assert list(compare(*pair)) == []


@pytest.mark.parametrize("name", DIFFERENCES)
def test_the_members_stand_in_the_same_order(
    name: str, ours: dict[str, Definition], theirs: dict[str, Definition]
) -> None:
    definition, its = (without(each[name], no_empty_settings) for each in (ours, theirs))
    assert list(definition) == list(its)
    for step, other in zip(steps_of(definition), steps_of(its), strict=True):
        assert list(step) == list(other)


@pytest.mark.parametrize(("name", "difference"), PAIRS)
def test_each_difference_is_one(
    name: str,
    difference: Callable[[Definition], None],
    ours: dict[str, Definition],
    theirs: dict[str, Definition],
) -> None:
    others = [other for other in DIFFERENCES[name] if other is not difference]
    assert list(compare(*(without(each[name], *others) for each in (ours, theirs))))
