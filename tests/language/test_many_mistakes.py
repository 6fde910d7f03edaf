"""Mistakes in one definition are all told, and make no other.

Valid definitions of every kind get one mistake at a time, then all of them in different fields:
what was told of each alone must be told of all together, and nothing else. What truly depends on
another field is in :data:`DEPENDENT`, with the reason.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipelines.language.check import check
from pipelines.language.conform import below, select
from pipelines.language.diagnostics import Report
from pipelines.language.nodes import MapNode, Node, Scalar, plain
from pipelines.language.schema import definition_schema
from pipelines.language.source import read
from steps import kind_named

CASES = Path(__file__).parents[1] / "cases" / "ok"
MISTAKES = int(os.environ.get("SAGEDAG_MISTAKES", "8"))
"""How many mistakes are planted in each definition; any two of them could hide each other."""

Told = tuple[int, str, str]


@dataclass(frozen=True)
class Mistake:
    """A piece of a line replaced: line and columns count from 1."""

    what: str
    line: int
    column: int
    end: int
    text: str
    path: tuple[str, ...]


def definitions() -> list[Path]:
    return sorted(CASES.glob("*/pipeline.yaml"))


@cache
def source_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def with_mistakes(path: Path, mistakes: tuple[Mistake, ...]) -> str:
    lines = source_of(path).split("\n")
    for each in sorted(mistakes, key=lambda m: -m.column):
        line = lines[each.line - 1]
        lines[each.line - 1] = line[: each.column - 1] + each.text + line[each.end - 1 :]
    return "\n".join(lines)


def environment_of(path: Path) -> str:
    return "local" if path.parent.name == "local-paths" else "dev"


@cache
def told(path: Path, *mistakes: Mistake) -> frozenset[Told]:
    text = with_mistakes(path, mistakes).encode()
    found = check(path, environment=environment_of(path), text=text)
    return frozenset(
        (d.span.line if d.source.path == path else 0, d.code, d.message)
        for d in found.diagnostics
        if d.level == "error"
    )


def mistakes_of(path: Path) -> list[Mistake]:
    root = read(path, path.name, source_of(path).encode(), Report())
    assert isinstance(root, MapNode)
    found = _in_steps(root.entries["steps"].value, ())
    # What an alias repeats is written once.
    return list({(each.line, each.column, each.what): each for each in found}.values())


def _in_steps(steps: Node, around: tuple[str, ...]) -> Iterator[Mistake]:
    assert isinstance(steps, MapNode)
    for name, entry in steps.entries.items():
        node = entry.value
        if not isinstance(node, MapNode) or "type" not in node.entries:
            continue
        stated = node.entries["type"].value
        kind = kind_named(plain(stated))
        assert kind is not None and isinstance(stated, Scalar)
        yield _at("misspelt kind", stated, f"{stated.text}q", (*around, name, "type"))
        schema = definition_schema()["definitions"][kind.name]
        for field, inner in node.entries.items():
            path = (*around, name, field)
            if field in ("then", "else", "steps"):
                yield from _in_steps(inner.value, path)
            elif field != "type":
                yield _at("misspelt key", inner.key, f"{field}q", path)
                yield _at(
                    "unknown key",
                    inner.key,
                    f"zq{inner.key.span.line}x{inner.key.span.column}",
                    path,
                )
                yield from _in_value(inner.value, below(schema, field), path)


def _in_value(node: Node, schema: Any, path: tuple[str, ...]) -> Iterator[Mistake]:
    chosen = select(schema, plain(node))
    if isinstance(node, MapNode):
        for name, entry in node.entries.items():
            yield from _in_value(entry.value, below(chosen, name), (*path, name))
    if not isinstance(node, Scalar) or node.block or node.value is None:
        return
    if "x-choice" in chosen:
        yield _at("misspelt word", node, f"{node.text}q", path)
        yield _at("unknown word", node, "zq", path)
    if "${" in str(node.value):
        yield _at("unknown step", node, '"${steps.nowhere.model}"', path)
        yield _at("unknown parameter", node, '"${parameters.Nope}"', path)
    elif chosen.get("type"):
        yield _at("wrong type", node, "[{q: 1}]", path)


def _at(what: str, node: Scalar, text: str, path: tuple[str, ...]) -> Mistake:
    return Mistake(what, node.span.line, node.span.column, node.span.end, text, path)


def apart(one: Mistake, other: Mistake) -> bool:
    """Whether neither mistake stands in what the other one is about."""
    length = min(len(one.path), len(other.path))
    return one.path[:length] != other.path[:length]


def planted(path: Path) -> tuple[Mistake, ...]:
    """Return mistakes apart from each other, half of them in the same step."""
    chance = random.Random(path.parent.name)
    every = mistakes_of(path)
    chance.shuffle(every)
    step = every[0].path[:-1]
    chosen: list[Mistake] = []
    for most, near in ((MISTAKES // 2, True), (MISTAKES, False)):
        for each in every:
            fits = not near or each.path[: len(step)] == step
            if fits and len(chosen) < most and all(apart(each, other) for other in chosen):
                chosen.append(each)
    return tuple(chosen)


DEPENDENT = {
    "matrix": "without it the step's key and templates have no values, and so there is no step",
}
"""Fields that hide what stands beside them where their key is no word of the language at all."""

CODES = {
    "misspelt kind": "unknown-kind",
    "misspelt key": "unknown-key",
    "unknown key": "unknown-key",
    "misspelt word": "bad-value",
    "unknown word": "bad-value",
    "wrong type": "wrong-type",
    "unknown step": "unknown-reference",
    "unknown parameter": "unknown-reference",
}


def own(path: Path, mistake: Mistake) -> frozenset[Told]:
    """Return what is told of a mistake itself, without what follows from it."""
    code = CODES[mistake.what]
    return frozenset(t for t in told(path, mistake) if t[:2] == (mistake.line, code))


def hides(one: Mistake, other: Mistake) -> bool:
    """Whether a mistake may hide another one."""
    step = one.path[:-1]
    dependent = one.what == "unknown key" and one.path[-1] in DEPENDENT
    return dependent and other.path[: len(step)] == step


def lost(path: Path, mistakes: tuple[Mistake, ...]) -> Iterator[tuple[Mistake, frozenset[Told]]]:
    """Yield the mistakes that are not told where they stand together."""
    together = told(path, *mistakes)
    for each in mistakes:
        missing = own(path, each) - together
        if missing and not any(hides(other, each) for other in mistakes if other is not each):
            yield each, missing


@pytest.mark.parametrize("path", definitions(), ids=lambda p: p.parent.name)
def test_all_are_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    assert not told(path)
    mistakes = planted(path)
    assert len(mistakes) > 1
    if found := list(lost(path, mistakes)):
        pairs = itertools.combinations(mistakes, 2)
        assert not found, [pair for pair in pairs if list(lost(path, pair))]
    new = told(path, *mistakes) - frozenset().union(*(told(path, each) for each in mistakes))
    # Two keys of which the step needs one are missing together only.
    assert all(code == "missing-key" for _, code, _ in new), (mistakes, new)
