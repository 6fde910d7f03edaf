"""Calls one function in a job and writes its result as JSON; standard library only.

Usage: function_call.py CODE_FOLDER MODULE:CALLABLE EVENT_FILE RESULT_FILE

The runner copies this file into the job. The function gets the event and, where it takes a second
argument, a context with the attributes of an AWS Lambda function's. What it writes below the
context's ``s3_folder`` as BUCKET/KEY becomes objects; RESULT_FILE ``-`` keeps no result.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import time
import types
from pathlib import Path
from typing import Any


class Context:
    """What a Lambda function learns about its call, as far as it means something here.

    Source: AWS Lambda Developer Guide, "Using the Lambda context object to retrieve Python function
    information".
    """

    def __init__(self, known: dict[str, Any]) -> None:
        self.function_name = str(known.get("function_name", ""))
        self.function_version = "$LATEST"
        self.invoked_function_arn = str(known.get("invoked_function_arn", ""))
        self.memory_limit_in_mb = "128"
        self.aws_request_id = str(known.get("aws_request_id", ""))
        self.log_group_name = "local"
        self.log_stream_name = str(known.get("step", ""))
        self.identity = None
        self.client_context = None
        self.step = str(known.get("step", ""))
        self.s3_folder = str(known.get("s3_folder", ""))
        limit = known.get("seconds")
        self._ends = time.monotonic() + (float(limit) if limit is not None else 900.0)

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the time limit."""
        return max(0, int((self._ends - time.monotonic()) * 1000))


def load(folder: Path, target: str) -> Any:
    """Return the callable ``module:name`` of a folder."""
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
        sys.exit(f"{module} has no function {name}")
    return function


def takes_context(function: Any) -> bool:
    """Whether a function wants a second positional argument."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [p for p in parameters if p.kind in positional and p.default is p.empty]
    return len(required) > 1 or any(p.kind is p.VAR_POSITIONAL for p in parameters)


def main(words: list[str]) -> None:
    """Import, call, write."""
    folder, target, source, place = Path(words[0]), words[1], Path(words[2]), words[3]
    given = json.loads(source.read_text(encoding="utf-8"))
    function = load(folder, target)
    context = Context(given["context"])
    event = given["event"]
    result = function(event, context) if takes_context(function) else function(event)
    if place == "-":
        return
    try:
        text = json.dumps({"result": result}, allow_nan=False)
    except (TypeError, ValueError) as error:
        sys.exit(f"the result of {target} can't be written as JSON: {error}")
    unfinished = Path(place + ".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(place)


if __name__ == "__main__":
    main(sys.argv[1:])
