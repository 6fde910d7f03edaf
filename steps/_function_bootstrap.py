"""Calls one function in a job and writes its result as JSON; standard library only.

Usage: _function_bootstrap.py CODE_FOLDER MODULE:CALLABLE RESULT_FILE [NAME:FORM VALUE]...

FORM says how a value is written: ``json``, ``text``, or ``any`` (JSON where it is, else a text).
The file holds ``{"result": …}``. It runs in whatever Python the image has, so it stays simple.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path
from typing import Any, NoReturn

MESSAGE = Path("/opt/ml/output/message")
"""What a Processing job leaves here is its exit message."""


def read(form: str, text: str) -> Any:
    """Return an argument's value; raises ValueError where it is no JSON."""
    if form == "text":
        return text
    if form == "json" and text in ("True", "False"):
        return text == "True"
    try:
        return json.loads(text)
    except ValueError:
        if form == "any":
            return text
        raise


def fail(message: str) -> NoReturn:
    """End the job with a message."""
    if MESSAGE.parent.is_dir():
        MESSAGE.write_text(message[:1024], encoding="utf-8")
    sys.exit(message)


def arguments_of(words: list[str]) -> dict[str, Any]:
    """Return the arguments that labels and values on the command line stand for."""
    found: dict[str, Any] = {}
    for place in range(0, len(words) - 1, 2):
        name, _, form = words[place].partition(":")
        text = words[place + 1]
        try:
            found[name] = read(form, text)
        except ValueError:
            fail(f"the argument {name} is not JSON: {text[:200]}")
    return found


def main(words: list[str]) -> None:
    """Import, call, write."""
    folder, target, place = Path(words[0]), words[1], Path(words[2])
    arguments = arguments_of(words[3:])
    module, _, name = target.partition(":")
    sys.path.insert(0, str(folder))
    first = module.partition(".")[0]
    top = folder / first
    if top.is_dir() and not (top / "__init__.py").exists():
        # A folder without __init__.py stands behind every module of its name that Python finds
        # elsewhere, and Python has a module called `code`.
        package = types.ModuleType(first)
        package.__path__ = [str(top)]
        sys.modules[first] = package
    function = getattr(importlib.import_module(module), name, None)
    if not callable(function):
        fail(f"{module} has no function {name}")
    result = function(**arguments)
    try:
        text = json.dumps({"result": result}, allow_nan=False)
    except (TypeError, ValueError) as error:
        fail(f"the result of {target} can't be written as JSON: {error}")
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(place.name + ".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(place)


if __name__ == "__main__":
    main(sys.argv[1:])
