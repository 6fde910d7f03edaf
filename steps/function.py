"""Function: calls a Python function in a Processing job; its JSON result can be referred to.

Request: CreateProcessingJob (Amazon SageMaker API Reference). Nothing is pickled: the function's
module goes into an asset as it is, and a small script imports it in the job.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import (
    Attribute,
    Context,
    Field,
    Kind,
    NoAttribute,
    Problem,
    PropertyFile,
    Step,
)
from steps._expressions import JsonGet, as_text, is_expression
from steps._jobs import Arguments
from steps._json_text import json_text
from steps._paths import json_path
from steps._processing import REFUSED, ROOT, processing_request

_NAME = "[A-Za-z_][A-Za-z0-9_]{0,99}"
_ROOT = f"{ROOT}/input"
_BOOTSTRAP = FilePath(__file__).with_name("_function_bootstrap.py")
_RESULT = f"{ROOT}/result"
_OF_PYTHON = sys.stdlib_module_names
_JOB_FIELDS = ("image", "instance", "environment", "network", "kms_key", "role", "tags",
               "max_runtime")  # fmt: skip


class Function(Kind):
    """Calls a function."""

    name = "Function"
    api_type = "Processing"
    operation = "CreateProcessingJob"
    describe = "DescribeProcessingJobResponse"
    summary = "Call a Python function in a job of its own and use its result."
    about = (
        "`function: module:callable` names a module beside the definition: `features:summarise` "
        "is `summarise` in `features.py`, `code.features:summarise` the one in "
        "`code/features.py`, and then the whole folder `code` goes along. The function is called "
        "with `arguments` by name. What it returns must be JSON; `${steps.NAME.result.key}` "
        "reads it, in conditions as well."
    )
    example = (
        "summarise:\n"
        "  type: Function\n"
        "  function: features:summarise\n"
        "  arguments: {level: 0.5}\n"
        "  image: {framework: sklearn, version: 1.4-2}\n"
        "  instance: ml.m5.large\n"
    )
    required = ("function", "image", "instance")
    cacheable = True
    retries = shared.JOB_RETRIES
    refused = REFUSED
    supplied = ("ProcessingJobName",)
    fields = {
        "function": Field(
            f.text(
                "The module beside the definition and the function in it.",
                "features:summarise",
                literal=True,
                pattern=rf"^{_NAME}(\.{_NAME}){{0,9}}:{_NAME}$",
            )
        ),
        "arguments": Field(
            f.named(
                "What the function is called with, by name.",
                f.anything("Any JSON value, references in it included.", 0.5),
                {"level": 0.5, "night": "${parameters.Night}"},
                maxProperties=40,
                propertyNames={"pattern": f"^{_NAME}$", "description": "A Python name."},
            )
        ),
        "requirements": Field(
            f.text("A requirements file, installed first.", "requirements.txt", path=True)
        ),
        "setup": Field(f.text("A shell script that runs first.", "setup.sh", path=True)),
        "image": shared.image("AppSpecification.ImageUri"),
        "instance": shared.instance("ProcessingResources.ClusterConfig"),
        "environment": shared.environment(),
        "network": shared.network(),
        "kms_key": shared.kms_key("ProcessingOutputConfig.KmsKeyId"),
        "role": shared.ROLE,
        "tags": shared.TAGS,
        "max_runtime": shared.MAX_RUNTIME,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the result and the Describe response."""
        del step
        return {"result": None, "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``result`` and what is below it."""
        if path[0] == "result":
            return Attribute(JsonGet(step.name, "result", json_path(path)))
        return super().attribute(step, path)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield modules that Python itself has: importing them would not find the file."""
        module = str(step.fields.get("function", "")).partition(":")[0].split(".")[0]
        if module.startswith("__") or (module in _OF_PYTHON and module != "code"):
            yield Problem(
                "bad-value",
                ("function",),
                f"`{module}` is a module of Python's own",
                "call the file or folder something else",
            )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateProcessingJob arguments."""
        fields = step.fields
        target = str(fields.get("function", ""))
        code, top = context.module(step, ("function",))
        inputs: dict[str, Any] = {
            "function": {"source": code, "path": f"{_ROOT}/code/{top}".rstrip("/")},
            "bootstrap": {"source": context.shipped(_BOOTSTRAP), "path": f"{_ROOT}/bootstrap"},
        }
        first: list[str] = []
        for name, run in (("requirements", "pip install --quiet -r"), ("setup", "/bin/bash")):
            if name in fields:
                source = context.asset(step, (name,))
                file = source.rsplit("/", 1)[-1]
                inputs[name] = {"source": source, "path": f"{_ROOT}/{name}"}
                first.append(f"{run} {shlex.quote(f'{_ROOT}/{name}/{file}')}")
        command = ["python3", f"{_ROOT}/bootstrap/{_BOOTSTRAP.name}", f"{_ROOT}/code", target]
        command.append(f"{_RESULT}/result.json")
        if first:
            command = ["/bin/bash", "-c", f'{" && ".join(first)} && exec "$@"', "bash", *command]
        job = {
            **{name: fields[name] for name in _JOB_FIELDS if name in fields},
            "inputs": inputs,
            "outputs": {"result": {"path": _RESULT}},
            "command": command,
            "arguments": [
                word for name, value in fields.get("arguments", {}).items()
                for word in _argument(name, value)
            ],
        }  # fmt: skip
        return processing_request(Step(step.name, "Processing", job, step.own), context)

    def property_files(self, step: Step) -> tuple[PropertyFile, ...]:
        """Return the file that holds the result."""
        del step
        return (PropertyFile("result", "result", "result.json"),)


def _argument(name: str, value: Any) -> tuple[str, Any]:
    """Return an argument's label and value as the script in the job reads them."""
    if is_expression(value):
        form = {"string": "text", "any": "any"}.get(value.type, "json")
        return f"{name}:{form}", as_text(value)
    return f"{name}:json", json_text(value)


KIND = Function()
