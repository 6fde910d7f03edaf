"""What stands in files, as they have it: texts for every environment, where texts are, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import yaml

from pipelines.language.nodes import Scalar, Source, walk
from pipelines.language.spec import PipelineSpec
from steps._expressions import Path

_OVERLAYS = re.compile(r"^environments\s*:.*$(?:\n(?:[ \t#].*)?$)*", re.MULTILINE)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BREAKS = "\r\n\x85\u2028\u2029"


def written(spec: PipelineSpec) -> Iterator[tuple[Path, str]]:
    """Yield the texts that are written for every environment, with their paths.

    What ``environments.yaml`` and the overlays of one environment say belongs to that one, and may
    name its account. A template in the file stays one here: ``{{ account }}`` is not hard-coded.
    """
    environments = spec.project.environments
    theirs = environments.resolve() if environments is not None else None
    overlays: dict[str, range | None] = {}
    for path, scalar in walk(spec.tree):
        source = scalar.source
        if path[:1] == ("environments",) or not isinstance(scalar.value, str):
            continue
        if source.name not in overlays:
            own = source.path.resolve() != theirs
            overlays[source.name] = _overlays(source) if own else None
        lines = overlays[source.name]
        if lines is not None and scalar.span.line not in lines and (raw := _raw(scalar)):
            yield path, raw


def _overlays(source: Source) -> range:
    """Return the lines of a file's ``environments`` block."""
    found = _OVERLAYS.search(source.text)
    if found is None:
        return range(0)
    first = source.text.count("\n", 0, found.start()) + 1
    return range(first, first + found[0].count("\n") + 1)


def _raw(scalar: Scalar) -> str:
    """Return a scalar as its file has it; empty where its place is not its own."""
    lines = scalar.source.lines
    begin = scalar.span.line - 1
    if begin >= len(lines):
        return ""
    if scalar.block or scalar.text.count("\n"):
        count = str(scalar.value).count("\n") + 2
        return "\n".join(lines[begin : begin + count])
    raw = lines[begin][scalar.span.column - 1 : scalar.span.end - 1]
    return raw.strip("\"'") if scalar.quoted else raw


def scalars(text: str) -> Iterator[tuple[tuple[int, int], int, int]]:
    """Yield the scalars of a YAML text: line and column from 0, and where they begin and end.

    A block begins below its header, which may have a comment. What is no YAML has none: the
    definition's own errors are told elsewhere.
    """
    try:
        tokens = list(yaml.scan(text, Loader=_LOADER))
    except yaml.YAMLError:
        return
    for token in tokens:
        if isinstance(token, yaml.ScalarToken):
            start, end = token.start_mark, token.end_mark.index
            block = token.style in ("|", ">")
            header = len(text[start.index : end].splitlines()[0]) if block else 0
            yield (start.line, start.column), start.index + header, end


def covered(source: Source, secrets: Iterable[Scalar]) -> Source:
    """Return a file with values covered, so that no message that quotes it can show them."""
    text = list(source.text)
    known = list(scalars(source.text))
    for secret in secrets:
        place = (secret.span.line - 1, secret.span.column - 1)
        # Where the value has a tag or an anchor, its place is theirs.
        _, begin, end = next((each for each in known if each[0] >= place), (place, 0, 0))
        text[begin:end] = [c if c in _BREAKS else "•" for c in text[begin:end]]
    return replace(source, text="".join(text))
