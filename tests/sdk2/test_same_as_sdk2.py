"""A definition equal in meaning to what SDK 2's producers build compiles to the same JSON.

Only what is named in DIFFERENCES may differ; each of them does.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sdk2_producers
import surroundings
from side_by_side import by_name, differences

import pipelines

pytestmark = pytest.mark.slow  # for importing the SDK and running its producers

Json = dict[str, Any]


def no_asset_keys(definition: Json) -> None:
    """The code's place in the bucket: the SDK's key and ours are digests of different bytes."""
    steps = by_name(definition)
    _, code = steps["evaluate"]["Arguments"]["ProcessingInputs"]
    hyperparameters = steps["train"]["Arguments"]["HyperParameters"]
    for owner, name in (
        (code["S3Input"], "S3Uri"),
        (hyperparameters, "sagemaker_submit_directory"),
    ):
        assert surroundings.BUCKET in owner[name]
        owner[name] = "CODE"


def not_managed_by_apps(definition: Json) -> None:
    """`AppManaged` is false where it is not said."""
    arguments = by_name(definition)["evaluate"]["Arguments"]
    for each in (*arguments["ProcessingInputs"], *arguments["ProcessingOutputConfig"]["Outputs"]):
        assert each.pop("AppManaged", False) is False


def no_empty_reports(definition: Json) -> None:
    """The SDK adds empty Bias and Explainability reports to any model metrics; they say nothing."""
    metrics = by_name(definition)["register-RegisterModel"]["Arguments"]["ModelMetrics"]
    for name in ("Bias", "Explainability"):
        assert metrics.pop(name, {}) == {}


DIFFERENCES = (no_asset_keys, not_managed_by_apps, no_empty_reports)


@pytest.fixture(scope="module")
def both() -> tuple[Json, Json]:
    path = Path(__file__).parent / "pipeline.yaml"
    with surroundings.aws_server() as endpoint_url:
        theirs = sdk2_producers.produce(endpoint_url)
    return pipelines.compile(path, environment="sdk").definition, theirs


def without(definition: Json, *named: Callable[[Json], None]) -> Json:
    made = copy.deepcopy(definition)
    for difference in named:
        difference(made)
    return made


def test_the_definition_is_the_same(both: tuple[Json, Json]) -> None:
    ours, theirs = (without(each, *DIFFERENCES) for each in both)
    assert list(differences(ours, theirs)) == []


def test_the_members_stand_in_the_same_order(both: tuple[Json, Json]) -> None:
    ours, theirs = both
    assert list(ours) == list(theirs)
    steps = by_name(theirs)
    assert {name: list(step) for name, step in by_name(ours).items()} == {
        name: list(step) for name, step in steps.items()
    }


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_each_difference_is_one(
    difference: Callable[[Json], None], both: tuple[Json, Json]
) -> None:
    others = [other for other in DIFFERENCES if other is not difference]
    ours, theirs = (without(each, *others) for each in both)
    assert list(differences(ours, theirs))
