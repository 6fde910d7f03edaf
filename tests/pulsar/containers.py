"""The pulsar jobs as the service runs them: scripts in one folder, folders for data."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "definitions" / "pulsar"
CODE = EXAMPLE / "code"
SURVEY = REPOSITORY.parent / "shared" / "data" / "HTRU_2.csv"
for folder in (CODE, EXAMPLE):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@dataclass(frozen=True)
class Container:
    """A folder that stands for /opt/ml."""

    root: Path

    def put(self, content: bytes, name: str = "candidates.csv") -> None:
        folder = self.root / "processing" / "candidates"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    def files(self) -> list[str]:
        """All files but the candidates and the message."""
        found = (p.relative_to(self.root) for p in self.root.rglob("*") if p.is_file())
        skipped = ("processing/candidates/", "output/message", "output/failure")
        return sorted(str(p) for p in found if not str(p).startswith(skipped))

    def message(self, name: str = "message") -> str:
        return (self.root / "output" / name).read_text(encoding="utf-8")

    def preprocess_arguments(self, *more: str) -> list[str]:
        base = self.root / "processing"
        folders = [f"--{name}={base / name}" for name in ("candidates", "train", "test")]
        return [*folders, f"--message={self.root / 'output/message'}", *more]

    def evaluate_arguments(self, *more: str) -> list[str]:
        base = self.root / "processing"
        folders = [f"--{name}={base / name}" for name in ("model", "test", "report")]
        return [*folders, f"--message={self.root / 'output/message'}", *more]

    def training_environment(self) -> dict[str, str]:
        return {
            "SM_CHANNEL_TRAIN": str(self.root / "processing" / "train"),
            "SM_MODEL_DIR": str(self.root / "model"),
            "SM_OUTPUT_DIR": str(self.root / "output"),
        }

    def pack_model(self) -> None:
        folder = self.root / "processing" / "model"
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
            archive.add(self.root / "model", arcname=".")


@dataclass(frozen=True)
class Ended:
    """How a script ended."""

    code: int
    out: str
    err: str


def run_script(name: str, *arguments: str, environment: dict[str, str] | None = None) -> Ended:
    """Run a job's script as the service does: a process of its own, from another folder."""
    done = subprocess.run(
        [sys.executable, str(CODE / name), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd="/",
        env={**os.environ, **(environment or {})},
    )
    return Ended(done.returncode, done.stdout, done.stderr)
