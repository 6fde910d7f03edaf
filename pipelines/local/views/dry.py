"""What a dry run found, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from pipelines.local.dry_run import Foreseen
from pipelines.local.encoding import plain
from pipelines.local.views.words import clean, columns, plural

_WORDS = {"runs": "", "reused": "reused", "perhaps": "perhaps", "left out": "left out"}


def dry_lines(steps: Sequence[Foreseen]) -> Iterator[str]:
    """Write the order, each step's resolved arguments, and what would fail."""
    heads = columns(
        (str(number), step.name, step.type, _fate(step)) for number, step in enumerate(steps, 1)
    )
    for head, step in zip(heads, steps, strict=True):
        yield clean(head)
        if step.fate != "left out" and step.request:
            text = yaml.safe_dump(
                plain(_ordinary(step.request)), sort_keys=False, allow_unicode=True, width=100
            )
            yield from (f"     {clean(line)}" for line in text.splitlines())
        for problem in step.problems:
            first, *rest = problem.splitlines()
            yield f"   ! {clean(first)}"
            yield from (f"     {clean(line)}" for line in rest)
    problems = [step for step in steps if step.problems]
    yield ""
    if problems:
        yield f"{plural(len(problems), 'step')} would fail: {', '.join(s.name for s in problems)}"
    else:
        yield "Nothing was started; as far as can be told, every step would start."


def dry_document(pipeline: str, steps: Sequence[Foreseen]) -> dict[str, Any]:
    """Return a dry run as one JSON document."""
    return {
        "pipeline": pipeline,
        "dryRun": True,
        "steps": [
            {
                "StepName": step.name,
                "StepType": step.type,
                "Fate": step.fate,
                "Note": step.note,
                "Arguments": plain(_ordinary(step.request)),
                "Problems": list(step.problems),
            }
            for step in steps
        ],
    }


def _fate(step: Foreseen) -> str:
    word = _WORDS.get(step.fate, step.fate)
    return " ".join(part for part in (word, step.note) if part)


def _ordinary(value: Any) -> Any:
    """Return JSON whose texts are ordinary ones, for writers that look at types."""
    if isinstance(value, Mapping):
        return {str(key): _ordinary(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_ordinary(item) for item in value]
    return str(value) if isinstance(value, str) else value
