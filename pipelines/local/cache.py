"""Reusing an earlier success of the same step: SageMaker's step cache, on the local store.

Facts: AWS, "Caching pipeline steps": same pipeline, same values of certain arguments, the latest
success within ``ExpireAfter``; failures never. Locally what the inputs hold is part of the key too,
and a success whose outputs are gone from the store is passed over.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines.definition import Step
from pipelines.definition.durations import seconds
from pipelines.errors import SagedagError
from pipelines.local.history import History, StepRecord
from pipelines.local.objects import ObjectStore
from pipelines.local.options import Caching

# Part of every key: raise it when the meaning of what is stored changes.
VERSION = 1

# [U] What the service does where caching is on without an ExpireAfter is not documented.
DEFAULT_EXPIRY = "P30D"


class CacheError(Exception):
    """A cache setting that cannot be used."""


@dataclass(frozen=True)
class Cache:
    """The step cache of one pipeline.

    Attributes:
        pipeline: its name; keys of different pipelines never meet.
        caching: ``definition``: as the steps say; ``all``: also those that say nothing; ``off``:
            nothing is read (successes are still recorded for later runs).
        contents: whether what the inputs hold is part of the key.
        variant: further text that is part of every key, such as the size of a sample.
    """

    history: History
    objects: ObjectStore
    pipeline: str
    caching: Caching = "definition"
    contents: bool = True
    variant: str = ""

    def asked(self, step: Step) -> bool:
        """Whether a step's results may be reused."""
        if step.cache is None:
            return self.caching == "all"
        return step.cache.enabled

    def key(
        self,
        step: Step,
        name: str,
        request: Mapping[str, object],
        attributes: Iterable[str],
        inputs: Iterable[str],
        more: object = None,
    ) -> str | None:
        """Compute a step's cache key.

        Args:
            step: the step.
            name: what it is called in the definition.
            request: its resolved arguments.
            attributes: the arguments that count, deeper ones with dots; ``*`` is all of them.
            inputs: URIs whose content counts.
            more: what else counts; JSON.

        Returns:
            The key; None where the step does not ask for caching or an input is missing.
        """
        if not self.asked(step):
            return None
        try:
            contents = [self.objects.digest(uri) for uri in inputs] if self.contents else None
        except (SagedagError, OSError):
            return None
        parts = [
            VERSION,
            self.pipeline,
            name,
            step.type,
            {
                each: request if each == "*" else _at(request, each.split("."))
                for each in attributes
            },
            contents,
            *([more] if more is not None else []),
            *([self.variant] if self.variant else []),
        ]
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def find(self, step: Step, key: str | None) -> StepRecord | None:
        """Return the latest success for a key that is young enough and whose outputs stand.

        Raises:
            CacheError: the step's ExpireAfter is no duration.
        """
        if key is None:
            return None
        text = (step.cache.expire_after if step.cache else None) or DEFAULT_EXPIRY
        age = seconds(text)
        if age is None:
            raise CacheError(
                f"CacheConfig.ExpireAfter `{text}` is no duration, such as P30D or 12h"
            )
        if self.caching == "off":
            return None
        for record, outputs in self.history.cached(key, time.time() - age):
            if all(self._stands(uri) for uri in outputs):
                return record
        return None

    def filled(self, outputs: Iterable[str]) -> list[str]:
        """Return those of a job's output URIs that hold something, to look for at a hit."""
        return [uri for uri in outputs if self._stands(uri)]

    def _stands(self, uri: str) -> bool:
        try:
            return self.objects.exists(uri)
        except SagedagError:
            return False


def _at(value: object, path: list[str]) -> object:
    """Return what lies at a path; a list on the way gives a list."""
    if not path:
        return value
    if isinstance(value, list):
        return [_at(item, path) for item in value]
    return _at(value.get(path[0]), path[1:]) if isinstance(value, Mapping) else None
