from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from local_samples import make_code

from pipelines.cli import root
from pipelines.definition import read_definition
from pipelines.errors import SagedagError
from pipelines.local.execute import execute
from pipelines.local.history import ExecutionRecord, History, StepRecord
from pipelines.local.isolation import choose
from pipelines.local.options import RunOptions
from pipelines.local.registry import PackageRecord, Registry
from pipelines.local.store import open_store, read_store


@dataclass(frozen=True)
class Ran:
    """An execution that has ended, with its steps and what it registered."""

    record: ExecutionRecord
    steps: dict[str, StepRecord]
    packages: list[PackageRecord]
    folder: Path

    @property
    def status(self) -> str:
        return self.record.status

    @property
    def statuses(self) -> dict[str, str]:
        return {name: step.status for name, step in self.steps.items()}

    def report(self, step: str) -> Any:
        path = self.folder / ".sagedag/s3/bucket/runs" / self.record.id / step / "report.json"
        return json.loads(path.read_text())


@dataclass(frozen=True)
class Workplace:
    """A folder with a script, data and a store."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / ".sagedag"

    def run(self, definition: dict[str, Any], **options: Any) -> Ran:
        options.setdefault("parallelism", 2)
        if not options.pop("cache", True):
            options["caching"] = "off"
        given = {key: options.pop(key) for key in ("observer", "stop") if key in options}
        with open_store(self.store) as store:
            record = execute(
                read_definition(definition),
                name=options.pop("name", "sample"),
                base=self.folder,
                store=store,
                isolation=choose(options.pop("isolation", "auto")),
                options=RunOptions(**options),
                **given,
            )
            return self.ran(record.id)

    def ran(self, execution: str = "latest") -> Ran:
        with read_store(self.store) as store:
            history = History(store)
            record = history.find(execution)
            steps = {step.name: step for step in history.steps(record.id)}
            return Ran(record, steps, Registry(store).packages_of(record.id), self.folder)


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    make_code(tmp_path)
    return Workplace(tmp_path)


@pytest.fixture
def run(place: Workplace) -> Callable[..., Ran]:
    return place.run


@pytest.fixture
def runs(place: Any) -> Callable[..., str]:
    """Call ``sagedag runs`` on the place's store; gives what it prints and what it refuses."""

    def call(*arguments: str, code: int = 0, text: str | None = None) -> str:
        full = ["runs", *arguments, "--store", str(place.store)]
        result = CliRunner().invoke(root, full, input=text)
        found, said = result.exit_code, result.output
        if isinstance(result.exception, SagedagError):
            found = result.exception.exit_code
            said += f"{result.exception.message} ({result.exception.hint})"
        assert found == code, said + repr(result.exception)
        return said

    return call
