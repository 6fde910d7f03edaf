"""Where the code of an imported step lies, told to whoever reads the definition."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_OWN = re.compile(r"/assets/sha256/[0-9a-f]{64}/")
_SUBMIT = ("sagemaker_submit_directory", "SAGEMAKER_SUBMIT_DIRECTORY")
_PROGRAM = ("sagemaker_program", "SAGEMAKER_PROGRAM")


def code_comments(step: Mapping[str, Any]) -> list[str]:
    """Return comments that say where a step's code lies, for whoever wants it beside the file.

    Args:
        step: its object in the definition.
    """
    arguments = step.get("Arguments")
    if not isinstance(arguments, Mapping):
        return []
    kind = step.get("Type")
    places = _processing(arguments) if kind == "Processing" else _submitted(arguments)
    made = []
    for where, place, program in dict.fromkeys(places):
        if not place:
            continue  # another step says where
        whose = " (published by sagedag)" if _OWN.search(place) else ""
        what = f"`{program}`" if program else "Its code"
        verb = "is run from" if program else "lies in"
        made.append(f"{what} {verb} S3{whose}, see `{where}`; beside this file it would be `code`.")
    return made


def _submitted(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for table in _tables(arguments):
        where = next(key for key in _SUBMIT if key in table)
        program = next((_text(table[key]) for key in _PROGRAM if key in table), "")
        yield where, _text(table[where]), program


def _processing(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    app = arguments.get("AppSpecification")
    words = app.get("ContainerEntrypoint") if isinstance(app, Mapping) else None
    paths = [w for w in words if isinstance(w, str)] if isinstance(words, list) else []
    inputs = arguments.get("ProcessingInputs")
    for item in inputs if isinstance(inputs, list) else ():
        source = item.get("S3Input") if isinstance(item, Mapping) else None
        if not isinstance(source, Mapping) or not isinstance(source.get("LocalPath"), str):
            continue
        inside = source["LocalPath"].rstrip("/") + "/"
        run = next((path for path in paths if path.startswith(inside)), "")
        if run:
            name = str(item.get("InputName"))
            yield f"inputs.{name}", _text(source.get("S3Uri")), run.removeprefix(inside)


def _tables(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the maps in which a program and its folder are named."""
    if isinstance(value, Mapping) and depth < 8:
        if any(key in value for key in _SUBMIT):
            yield value
        for item in value.values():
            yield from _tables(item, depth + 1)
    elif isinstance(value, list) and depth < 8:
        for item in value:
            yield from _tables(item, depth + 1)


def _text(value: Any) -> str:
    """Return a literal text, a JSON text without its quotes; nothing for what is known later."""
    if isinstance(value, Mapping):
        ((_, body),) = value.items() if len(value) == 1 else (("", {}),)
        values = body.get("Values") if isinstance(body, Mapping) else None
        first = values[0] if isinstance(values, list) and values else ""
        return _text(first) if isinstance(first, str) else ""
    if not isinstance(value, str):
        return ""
    try:
        inner = json.loads(value)
    except ValueError:
        return _one_line(value)
    return _one_line(inner) if isinstance(inner, str) else _one_line(value)


def _one_line(text: str) -> str:
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= 160 else f"{flat[:159]}…"
