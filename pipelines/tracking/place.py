"""Where MLflow keeps what it is told, within a local store."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrackingPlace:
    """The MLflow part of a local store.

    Attributes:
        folder: ``mlflow`` below the store's folder.
    """

    folder: Path

    @property
    def database(self) -> str:
        """The URI of the backend store, SQLite."""
        return f"sqlite:///{self.folder / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        """The folder that a server of the artefacts stands over."""
        return self.folder / "artifacts"

    def files(self, artifact_uri: str) -> Path:
        """Return the folder of a run's artefacts: ``mlflow-artifacts:/1/RUN/artifacts``."""
        return self.artifacts / artifact_uri.partition(":")[2].lstrip("/")

    def command(self, port: int) -> list[str]:
        """Return the command line of a server on the loopback address."""
        return [
            sys.executable, "-m", "mlflow", "server",
            "--backend-store-uri", self.database,
            "--artifacts-destination", str(self.artifacts),
            "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        ]  # fmt: skip


QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
"""Variables of everything that imports MLflow: it tells nobody, and starts no further processes."""
