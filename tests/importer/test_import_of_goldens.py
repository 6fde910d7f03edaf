"""Every golden definition comes back: imported, it is valid and compiles to the same meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from imported_samples import CASES, complaints, imported, read

GOLDENS = sorted(CASES.glob("*/definition.json"))
RAW = {"lineage-cleanup-job-raw": {"Raw"}}


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.parent.name)
def test_a_golden_definition_comes_back(path: Path) -> None:
    made = imported(read(path), path.parent.name)
    assert complaints(made) == []


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.parent.name)
def test_known_types_are_not_written_raw(path: Path) -> None:
    made = imported(read(path), path.parent.name)
    unknown = path.parent.name in RAW
    assert [note.message for note in made.notes if "raw" in note.message] == []
    assert ("type: Raw" in made.text) is unknown


def test_there_are_goldens() -> None:
    assert len(GOLDENS) >= 40
