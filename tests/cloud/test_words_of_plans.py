"""Every field of every kind: changed in the file, a plan names it as the file does."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipelines.cloud.definition_changes import DefinitionChanges, compare_definitions
from pipelines.compiler import compile_program
from pipelines.definition.normal import normal_form
from pipelines.deployment.naming import DefinitionNames, as_written
from pipelines.language.check import check
from pipelines.language.nodes import MapNode, Node, Scalar, Sequence, get, walk
from pipelines.language.schema import resolve_ref
from steps import KINDS, all_fields

sys.path.insert(0, str(Path(__file__).parents[1] / "compile"))
from compiled_cases import ALL, Case

Place = tuple[str | int, ...]

WORDS = (
    *("File", "Pipe", "S3Prefix", "None", "Gzip", "Maximize", "Minimize", "Approved"),
    *("completed", "failed", "ml.m5.4xlarge", "3h"),
)
"""What a text may be where not every text may stand."""


@dataclass(frozen=True)
class Leaf:
    """A value in a definition's file.

    Args:
        paths: every place of the merged definition that it stands at: defaults stand at several.
    """

    case: Case
    scalar: Scalar
    paths: tuple[Place, ...]


def leaves(case: Case) -> Iterator[Leaf]:
    """The values of steps that the case's own file has as they are, each once."""
    tree = case.compiled.spec.tree
    found: dict[Any, tuple[Scalar, list[Place]]] = {}
    for path, scalar in walk(tree):
        if path[:1] != ("steps",) or scalar.source.path != case.path or scalar.block:
            continue
        text = _text(scalar)
        if "{{" not in text and (not isinstance(scalar.value, str) or scalar.value in text):
            found.setdefault(scalar.span, (scalar, []))[1].append(path)
    for scalar, paths in found.values():
        yield Leaf(case, scalar, tuple(as_written(tree, path) for path in paths))


def _text(scalar: Scalar) -> str:
    line = scalar.source.lines[scalar.span.line - 1]
    return line[scalar.span.column - 1 : scalar.span.end - 1]


def others(leaf: Leaf) -> Iterator[str]:
    """Other values as YAML, one of which may be valid in the place of a value."""
    value, told = leaf.scalar.value, WORKED.get(_memory(leaf))
    found: list[Any] = []
    if isinstance(value, bool):
        found = [not value]
    elif isinstance(value, (int, float)):
        found = [value + 1, value - 1, value + 0.1, value - 0.1]
    elif isinstance(value, str):
        found = [each for each in (f"{value}x", *WORDS) if each != value]
    yield from sorted(map(json.dumps, found), key=lambda each: each != told)[:MOST]


WORKED: dict[Any, str] = {}
"""What was valid in a field of the same name: tried first, for a try takes 15 ms."""
MOST = 7
"""How many values are tried."""
IN_VAIN: Counter[Any] = Counter()
"""How often nothing that was tried said anything in a field of a name: twice is enough."""


def _memory(leaf: Leaf) -> Any:
    name = generalised(leaf)
    return name[-1] if name[-1] != "#" else name[1:], type(leaf.scalar.value)


@cache
def changed(leaf: Leaf) -> tuple[DefinitionChanges, str, MapNode] | None:
    """The plan for another value, the value and the definition with it.

    None where the tried ones say nothing or are refused.
    """
    if IN_VAIN[_memory(leaf)] > 1:
        return None
    case, span = leaf.case, leaf.scalar.span
    lines = case.path.read_text("utf-8").split("\n")
    line = lines[span.line - 1]
    for other in others(leaf):
        lines[span.line - 1] = line[: span.column - 1] + other + line[span.end - 1 :]
        checked = check(
            case.path,
            environment=case.environment,
            variables=dict(case.variables),
            text="\n".join(lines).encode(),
        )
        if checked.failed or checked.program is None:
            continue
        after = compile_program(checked.program)
        found = compare_definitions(
            case.compiled.definition, after.definition, DefinitionNames(after)
        )
        if found.any:
            WORKED[_memory(leaf)] = other
            return found, other, checked.program.spec.tree
    IN_VAIN[_memory(leaf)] += 1
    return None


def _names(schema: Any) -> Iterator[str]:
    """The names of a schema's own keys, but for those that its user chooses."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from _names(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _names(part)


OWN = frozenset(
    name
    for kind in KINDS
    for field, told in all_fields(kind).items()
    for name in (field, *_names(resolve_ref(told.schema)))
)


def generalised(leaf: Leaf) -> tuple[Any, ...]:
    """What makes two values the same field of the same kind."""
    path = leaf.paths[0]
    depth = max(n for n, segment in enumerate(path) if segment in ("steps", "then", "else")) + 2
    kind = get(leaf.case.compiled.spec.tree, *path[:depth], "type")
    assert isinstance(kind, Scalar)
    return (kind.value, *(segment if segment in OWN else "#" for segment in path[depth:]))


STRUCTURE = ("type", "repack", "framework", "version", "py_version", "code", "dir", "entry")
"""Fields that say which steps there are (a plan tells the steps), and names of what must exist."""


def sample() -> list[Leaf]:
    """One value for every field of every kind; with SAGEDAG_FIELDS=all for their parts as well."""
    found: dict[tuple[Any, ...], Leaf] = {}
    # Small definitions first: they are compiled again for every value.
    for case in sorted(ALL, key=lambda case: case.path.stat().st_size):
        for leaf in leaves(case):
            if leaf.paths[0][-1] in STRUCTURE:
                continue
            kind, name, *rest = generalised(leaf)
            found.setdefault((kind, name), leaf)
            if os.environ.get("SAGEDAG_FIELDS") == "all":
                found.setdefault(("", name, *rest), leaf)
    return list(dict.fromkeys(found.values()))


SAMPLE = sample()


def names_it(words: str, leaf: Leaf) -> bool:
    """Whether a plan's words are a place of the value, or of the field around it."""
    for path in leaf.paths:
        step = max(n for n, segment in enumerate(path) if segment in ("steps", "then", "else")) + 2
        within = [".".join(map(str, path[:n])) for n in range(step + 1, len(path) + 1)]
        if words in within:
            return True
    return False


def places(node: Node, path: Place = ()) -> Iterator[str]:
    """The paths of all that a definition says, in words."""
    yield ".".join(map(str, path))
    items: Iterable[tuple[str | int, Node]] = ()
    if isinstance(node, MapNode):
        items = ((name, entry.value) for name, entry in node.entries.items())
    elif isinstance(node, Sequence):
        items = enumerate(node.items)
    for name, value in items:
        yield from places(value, (*path, name))


def in_the_apis_words(words: str) -> bool:
    """Whether words are those of a request, which the definition may write."""
    return bool({"request", "step_fields"} & set(words.split(".")))


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_changed_field_is_called_as_it_is_written(case: Case) -> None:
    own = [leaf for leaf in SAMPLE if leaf.case == case]
    before = set(places(case.compiled.spec.tree))
    for leaf in own:
        made = changed(leaf)
        if made is None:
            continue
        found, other, tree = made
        words = [each.words for each in found.changes] + [field for field, _, _ in found.code]
        assert any(names_it(each, leaf) for each in words), (leaf.paths, other, words)
        known = before | set(places(tree))
        strange = [each for each in words if each not in known and not in_the_apis_words(each)]
        assert not strange, (leaf.paths, other, strange)
        spots = {".".join(map(str, path)) for path in leaf.paths}
        lines = {c.position.split(":")[1] for c in found.changes if c.words in spots}
        assert lines <= {str(leaf.scalar.span.line)}, (leaf.paths, lines)


def test_nearly_every_field_is_among_them() -> None:
    fields = {(kind.name, field) for kind in KINDS for field in kind.fields}
    tried = {generalised(leaf)[:2] for leaf in SAMPLE}
    assert len(fields & tried) > 0.85 * len(fields), sorted(fields - tried)


def test_a_plan_is_empty_where_two_definitions_mean_the_same() -> None:
    """In another order they do; with another name they don't."""
    for case in ALL:
        compiled = case.compiled
        names = DefinitionNames(compiled)
        turned = _turned(compiled.definition)
        assert normal_form(turned) == normal_form(compiled.definition)
        assert not compare_definitions(compiled.definition, turned, names).any, case.name
        other = json.loads(json.dumps(compiled.definition))
        other["Steps"][0]["Name"] += "-2"
        assert normal_form(other) != normal_form(compiled.definition)
        assert compare_definitions(compiled.definition, other, names).any, case.name


def _turned(definition: Any) -> Any:
    """A definition whose parameters, steps and members stand the other way around."""
    made = {name: definition[name] for name in reversed(definition)}
    for name in ("Parameters", "Steps"):
        if name in made:
            made[name] = [dict(reversed(each.items())) for each in reversed(made[name])]
    return made
