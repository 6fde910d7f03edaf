"""Check steps equal those of the SDK's classes, with the files that the SDK uploads.

What may differ is in DIFFERENCES and :func:`sdk_check_steps.with_contents`, each with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sdk_check_steps import (
    MONITORED,
    Built,
    no_null_members,
    with_contents,
    without,
    write_definition,
)
from side_by_side import by_name, differences, theirs

import pipelines

pytestmark = pytest.mark.slow  # for importing the SDK
Json = dict[str, Any]

# --- What may differ ---


def no_transfer_settings(step: Json) -> None:
    """SDK 3 loses distribution and compression of inputs, which SDK 2 writes; ours writes them."""
    for entry in step["Arguments"].get("ProcessingInputs", []):
        assert entry["S3Input"].pop("S3DataDistributionType", "FullyReplicated")
        assert entry["S3Input"].pop("S3CompressionType", "None") == "None"


DIFFERENCES: tuple[Callable[[Json], None], ...] = (no_null_members, no_transfer_settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_definition(tmp_path_factory.mktemp("checks")).parent


@pytest.fixture(scope="module")
def built(aws: str, folder: Path) -> Built:
    return Built(aws, folder, theirs)


@pytest.fixture(scope="module")
def compiled(folder: Path) -> pipelines.Compiled:
    return pipelines.compile(folder / "pipeline.yaml", environment="sdk")


@pytest.fixture(scope="module")
def pair(built: Built, compiled: pipelines.Compiled) -> tuple[Json, Json]:
    published = dict(item for asset in compiled.assets for item in asset.objects())
    mine = by_name(compiled.definition)
    del mine["configs"], mine["register"]
    return with_contents(mine, published), with_contents(built.steps, built.files)


def test_the_steps_are_the_same(pair: tuple[Json, Json]) -> None:
    mine, other = (without(each, *DIFFERENCES) for each in pair)
    assert list(differences(mine, other)) == []


def test_the_members_stand_in_the_same_order(pair: tuple[Json, Json]) -> None:
    mine, other = (without(each, no_null_members) for each in pair)
    for name, step in mine.items():
        assert list(step) == list(other[name])


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_each_difference_is_one(
    difference: Callable[[Json], None], pair: tuple[Json, Json]
) -> None:
    others = [other for other in DIFFERENCES if other is not difference]
    assert list(differences(*(without(each, *others) for each in pair)))


def test_the_configuration_for_monitors_is_the_same(
    built: Built, compiled: pipelines.Compiled
) -> None:
    published = dict(item for asset in compiled.assets for item in asset.objects())
    message = by_name(compiled.definition)["configs"]["Arguments"]["ErrorMessage"]
    places = [part for part in message["Std:Join"]["Values"] if part != " "]
    found = {
        name: json.loads(published[place]) for name, place in zip(MONITORED, places, strict=True)
    }
    assert found == built.configs


def test_what_checks_fill_in_is_the_same(built: Built, compiled: pipelines.Compiled) -> None:
    published = dict(item for asset in compiled.assets for item in asset.objects())
    made = by_name(compiled.definition)["register"]["Arguments"]
    mine = {name: made[name] for name in built.reports}
    pair = [(mine, published), (built.reports, built.files)]
    for reports, files in pair:
        for name in ("Bias", "Explainability"):
            file = reports["DriftCheckBaselines"][name]["ConfigFile"]
            file["S3Uri"] = json.loads(files[file["S3Uri"]])
    assert list(differences(mine, built.reports)) == []
