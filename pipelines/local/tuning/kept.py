"""Trials that have ended, kept beside their logs: a search that is resumed does not run them again.

A trial is found by its number, since a search proposes in the same order again, and counts only
where the search is the same: its request, and what its inputs hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import SagedagError
from pipelines.local.encoding import decode, encode
from pipelines.local.objects import ObjectStore
from pipelines.local.tuning.trial import Trial


def mark_of(request: Mapping[str, Any], inputs: Sequence[str], objects: ObjectStore) -> str:
    """Return what tells a search from others; empty where an input cannot be read."""
    try:
        contents = [objects.digest(uri) for uri in inputs]
    except (SagedagError, OSError):
        return ""
    text = json.dumps([request, contents], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class KeptTrials:
    """The trials of one search.

    Attributes:
        folder: where their logs lie.
        mark: as :func:`mark_of` makes it; empty: nothing is kept.
        stands: whether an object is still there.
    """

    folder: Path
    mark: str
    stands: Callable[[str], bool]

    def keep(self, trial: Trial) -> None:
        """Keep a trial that came to an objective; another one may do better the next time."""
        if not self.mark or trial.value is None:
            return
        text = encode({"mark": self.mark, "trial": asdict(trial)})
        unfinished = self._path(trial.number).with_suffix(".part")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(self._path(trial.number))

    def find(self, number: int, definition: str) -> Trial | None:
        """Return the trial of a number, if it ended and what it left is there."""
        try:
            told = decode(self._path(number).read_text(encoding="utf-8"))
            trial = Trial(**told["trial"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        if not self.mark or told["mark"] != self.mark or trial.definition != definition:
            return None
        model = trial.description.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
        return trial if trial.status != "Completed" or self.stands(model) else None

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:03d}.json"
