"""Definitions in the shapes that others write: each is imported, valid, equal, and reads well.

``SAGEDAG_REGEN=1`` writes the kept YAML anew; read the difference before committing it.
"""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

import pytest
from imported_samples import SAMPLES, complaints

from pipelines.importer import Imported, import_definition
from pipelines.importer.environment import suggest_environment
from pipelines.importer.sources import find_definition
from pipelines.language.check import check

FILES = sorted(each for each in SAMPLES.iterdir() if not each.name.endswith(".imported.yaml"))
LOST = {"sdk2-mixed.json": ["`none` is null", "'none'"]}
"""What samples hold that can't be said."""


@cache
def sample(path: Path) -> Imported:
    found = find_definition(path.read_text("utf-8"), path.name)
    suggested = suggest_environment(found.definition, found.around.role)
    with tempfile.TemporaryDirectory() as folder:
        return import_definition(
            found.definition,
            found.around,
            path=Path(folder) / "pipeline.yaml",
            origin=path.name,
            head=found.remarks,
            environment=suggested.environment(kept=True),
        )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_sample_comes_back(path: Path) -> None:
    lost = LOST.get(path.name, [])
    rest = [each for each in complaints(sample(path)) if not any(part in each for part in lost)]
    assert rest == []
    assert len(complaints(sample(path))) == len(lost)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_reads_as_it_is_kept(path: Path) -> None:
    kept = path.with_name(path.name.split(".")[0] + ".imported.yaml")
    if os.environ.get("SAGEDAG_REGEN"):
        kept.write_text(sample(path).text, "utf-8")
    assert sample(path).text == kept.read_text("utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_is_valid_for_an_environment_of_aws(path: Path, tmp_path: Path) -> None:
    (tmp_path / "environments.yaml").write_text(
        "environments:\n  aws: {account: '111122223333', region: us-east-1, bucket: bucket,"
        " role: 'arn:aws:iam::111122223333:role/pipelines'}\n"
    )
    checked = check(tmp_path / "pipeline.yaml", environment="aws", text=sample(path).text.encode())
    assert [each.message for each in checked.diagnostics if each.level == "error"] == []
