"""Importing in tests: into a folder of its own, with one SDK for all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.cli.fmt import documented_order
from pipelines.cloud.objects import RemoteObject
from pipelines.importer import Imported, Surroundings, import_definition
from pipelines.importer.environment import suggest_environment
from pipelines.language.formatter import format_text

CASES = Path(__file__).parents[1] / "cases" / "ok"
SAMPLES = Path(__file__).parent / "samples"

Json = dict[str, Any]


def imported(definition: Json, name: str = "imported", **around: Any) -> Imported:
    """Import a definition into an empty folder, for the environment that it tells of."""
    suggested = suggest_environment(definition, str(around.get("role", "")))
    with tempfile.TemporaryDirectory() as folder:
        return import_definition(
            definition,
            Surroundings(name, **around),
            path=Path(folder) / "pipeline.yaml",
            origin="a test",
            environment=suggested.environment(kept=True),
        )


def complaints(made: Imported) -> list[str]:
    """What is wrong with an import: errors, differences, and text that `fmt` would change."""
    found = [f"{d.code}: {d.message}" for d in made.diagnostics if d.level == "error"]
    found += [f"{d.path}: {d.before} → {d.after}" for d in made.differences or ()]
    found += [f"{note.pointer}: {note.message}" for note in made.notes if note.lost]
    if format_text(made.text, documented_order()) != made.text:
        found.append("fmt would change it")
    return found


def read(path: Path) -> Json:
    """Read a JSON file."""
    found: Json = json.loads(path.read_text("utf-8"))
    return found


def definition(*steps: Json, parameters: list[Json] | None = None, **members: Any) -> Json:
    """A definition of steps."""
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": parameters or [],
        "Steps": list(steps),
        **members,
    }


class Published:
    """Objects by their URIs, as S3 has them."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def keys(self, bucket: str, prefix: str) -> Iterator[RemoteObject]:
        for uri, body in self.objects.items():
            key = uri.removeprefix(f"s3://{bucket}/")
            if key.startswith(prefix):
                yield RemoteObject(key, len(body), 0, "")

    def fetch(self, bucket: str, key: str, target: Path, limit: int | None = None) -> bool:
        body = self.objects.get(f"s3://{bucket}/{key}")
        if body is not None:
            target.write_bytes(body)
        return body is not None
