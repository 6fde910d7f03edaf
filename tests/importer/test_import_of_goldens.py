"""Every golden definition comes back: imported, it is valid and compiles to the same meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from imported_samples import CASES, complaints, imported, read

GOLDENS = sorted(CASES.glob("*/definition.json"))
RAW = {
    "lineage-cleanup-job-raw": set(),  # unknown types stand in it
    "checks": {"ClarifyCheck"},  # what a check of Clarify looks for lies on S3
}


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.parent.name)
def test_a_golden_definition_comes_back(path: Path) -> None:
    made = imported(read(path), path.parent.name)
    assert complaints(made) == []


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.parent.name)
def test_known_types_are_not_written_raw(path: Path) -> None:
    made = imported(read(path), path.parent.name)
    found = {note.message.split("(")[1].split(")")[0] for note in made.notes}
    assert found == RAW.get(path.parent.name, set())
    assert ("type: Raw" in made.text) is (path.parent.name in RAW)


def test_there_are_goldens() -> None:
    assert len(GOLDENS) >= 40
