"""Every golden definition comes back: imported, it is valid and compiles to the same meaning."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from imported_samples import CASES, complaints, imported, read

from pipelines.importer import Imported

GOLDENS = sorted(CASES.glob("*/definition.json"))
RAW = {"ClarifyCheck"}
"""Kinds whose steps don't come back as such: what a check of Clarify looks for lies on S3."""


@cache
def back(path: Path) -> Imported:
    return imported(read(path), path.parent.name)


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.parent.name)
def test_a_golden_definition_comes_back(path: Path) -> None:
    assert complaints(back(path)) == []


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.parent.name)
def test_a_step_of_a_known_kind_comes_back_as_one(path: Path) -> None:
    notes = [note.message for note in back(path).notes]
    assert [each for each in notes if not any(f"({kind})" in each for kind in RAW)] == []


def test_there_are_goldens() -> None:
    assert len(GOLDENS) >= 40
