"""What an export is made of, and what the forms share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.cloud.schedules import schedule_request
from pipelines.cloud.wanted import Wanted

KNOWN = (
    "PipelineDisplayName",
    "PipelineDescription",
    "RoleArn",
    "ParallelismConfiguration",
    "Tags",
)
"""Members of CreatePipeline that the three forms have words for."""


@dataclass(frozen=True)
class Exported:
    """One pipeline to export.

    Args:
        wanted: the compiled definition.
        account, region: where it is compiled for.
        partition: AWS's own: ``aws``, ``aws-cn``, ``aws-us-gov``.
        group: the name of the group its schedules belong to.
        stored: the bucket and the key of the definition where it goes by way of S3.
    """

    wanted: Wanted
    account: str
    region: str
    partition: str
    group: str
    stored: tuple[str, str] | None = None

    @property
    def arn(self) -> str:
        """The ARN that the pipeline will have. Names are lower-cased in it (API reference)."""
        name = self.wanted.name.lower()
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:pipeline/{name}"

    def schedules(self, arn: Any) -> list[dict[str, Any]]:
        """Return the CreateSchedule requests; ``arn`` stands for the pipeline's ARN."""
        role = str(self.wanted.settings.get("RoleArn", ""))
        return [
            schedule_request(self.wanted.name, name, given, group=self.group, arn=arn, role=role)
            for name, given in self.wanted.schedules.items()
        ]

    def left_out(self) -> list[str]:
        """Return the settings that no form of export has words for."""
        return sorted(set(self.wanted.settings) - set(KNOWN))


def identifiers(names: Iterable[str], separator: str) -> dict[str, str]:
    """Return an identifier for each name: letters and digits, and ``_`` where it separates.

    Args:
        names: any names, each different.
        separator: ``_`` for ``my_pipeline``; empty for ``MyPipeline``.
    """
    made: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        words = re.findall(r"[A-Za-z0-9]+", name) or ["pipeline"]
        if not separator:
            words = [word[0].upper() + word[1:] for word in words]
        text = separator.join(words)[:200]
        if text[0].isdigit():
            text = f"p{separator}{text}"
        if text in taken:
            text += separator + hashlib.sha256(name.encode()).hexdigest()[:8]
        taken.add(text)
        made[name] = text
    return made


def parallelism(settings: Mapping[str, Any]) -> int | None:
    """Return MaxParallelExecutionSteps; None where nothing is said."""
    found = (settings.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps")
    return int(found) if found is not None else None
