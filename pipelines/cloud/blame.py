"""Which part of a definition a message of SageMaker is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.cloud.wording import follow
from pipelines.definition.normal import Path

_POINTER = re.compile(r"(?<![\w:/])/(?:Steps|Parameters|PipelineExperimentConfig)(?:/[\w~.\-]+)*")
_PATH = re.compile(
    r"\b(?:Steps|Parameters|PipelineExperimentConfig)(?:\[\d+\]|\[['\"][^'\"\]]+['\"]\]|\.[\w\-]+)+"
)
_SEGMENT = re.compile(r"\[(\d+)\]|\[['\"]([^'\"\]]+)['\"]\]|([\w\-]+)")
_QUOTED = re.compile(r"[\['\"`]([A-Za-z0-9](?:-*[A-Za-z0-9]){0,63})[\]'\"`]")
_NAMED = re.compile(
    r"(?i)\b(?:step|parameter)s?(?:\s+name)?[\s:=]+([A-Za-z0-9](?:-*[A-Za-z0-9]){0,63})"
)
_LONGEST = 10_000


def find_pointer(message: str, definition: Mapping[str, Any]) -> str:
    """Return the JSON pointer of the part that a message names; empty where it names none.

    The service names places in several ways: as a JSON pointer (``/Steps/0/Arguments/…``), as a
    path (``Steps[0].Arguments.…``, ``Steps.train.…``), or by the quoted name of a step or
    parameter [U]. The most precise one that leads somewhere wins.
    """
    text = message[:_LONGEST]
    best = ""
    for path in _paths(text):
        spot = follow(definition, path)
        if spot.pointer.count("/") > max(1, best.count("/")):
            best = spot.pointer
    if best:
        return best
    known = _by_name(definition)
    for name in [*_QUOTED.findall(text), *_NAMED.findall(text)]:
        if name in known:
            return known[name]
    return ""


def _paths(text: str) -> Iterator[Path]:
    for match in _POINTER.finditer(text):
        parts = match.group(0).rstrip(".").split("/")[1:]
        yield tuple(int(part) if part.isdigit() else part for part in parts)
    for match in _PATH.finditer(text):
        found: list[str | int] = []
        for index, key, name in _SEGMENT.findall(match.group(0)):
            found.append(int(index) if index else key or name)
        yield tuple(found)


def _by_name(definition: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for index, parameter in enumerate(definition.get("Parameters") or []):
        found[str(parameter.get("Name"))] = f"/Parameters/{index}"
    _steps(definition.get("Steps") or [], "/Steps", found)
    return found


def _steps(steps: list[Any], pointer: str, found: dict[str, str]) -> None:
    for index, step in enumerate(steps):
        here = f"{pointer}/{index}"
        found[str(step.get("Name"))] = here
        arguments = step.get("Arguments") or {}
        for branch in ("IfSteps", "ElseSteps", "ForEachBody"):
            _steps(arguments.get(branch) or [], f"{here}/Arguments/{branch}", found)
