"""Differences in the definition's own words: places, values, and what must not be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.cloud.masking import MASKED, is_sensitive
from pipelines.cloud.redaction import redact
from pipelines.cloud.wanted import SourceLookup, Words
from pipelines.definition.expressions import GET, JOIN, JSON_GET, escape
from pipelines.definition.normal import Path
from pipelines.definition.normal_values import NAME_MEMBERS

LONGEST = 160
"""Characters of a value that are shown."""

_ASSET = re.compile(r"s3://[^\s\"'{}]+?/assets/sha256/([0-9a-f]{64})")


@dataclass(frozen=True)
class Spot:
    """A place in a definition JSON.

    Args:
        pointer: of the part that was found.
        rest: what could not be followed: it is not in this definition.
        value: what stands at the pointer.
        path: the pointer's segments, positions in lists as numbers.
    """

    pointer: str
    rest: Path
    value: Any
    path: Path = ()


def follow(definition: Any, path: Path, pointer: str = "", member: str = "") -> Spot:
    """Find a place of a normal form in a definition as it is written.

    Args:
        definition: the definition, or the part of it at ``pointer``.
        path: names of members and of items in lists that have names, and indexes.
        member: the name of the member that holds ``definition``.
    """
    value = definition
    found: list[str | int] = []
    for number, segment in enumerate(path):
        if isinstance(value, Mapping) and segment in value:
            member = str(segment)
            value = value[segment]
            found.append(member)
        elif isinstance(value, list) and (index := _index(value, segment, member)) is not None:
            value = value[index]
            found.append(index)
        else:
            return Spot(_pointer(pointer, found), path[number:], value, tuple(found))
    return Spot(_pointer(pointer, found), (), value, tuple(found))


def _pointer(start: str, path: Sequence[str | int]) -> str:
    return start + "".join(f"/{escape(str(segment))}" for segment in path)


def _index(items: Sequence[Any], segment: str | int, member: str) -> int | None:
    if isinstance(segment, int):
        return segment if segment < len(items) else None
    key = NAME_MEMBERS.get(member, "Name")
    for index, item in enumerate(items):
        if isinstance(item, Mapping) and item.get(key) == segment:
            return index
    return None


_SOURCE_DIRECTORY = re.compile(r"(?i)sagemaker_submit_directory")
_PARAMETER = {"DefaultValue": "default", "EnumValues": "enum", "Type": "type"}


def words_at_top(sources: SourceLookup, path: Path) -> Words:
    """Return what the definition calls a place outside of the steps.

    Args:
        sources: of the definition that the words are taken from; it need not be the compared one.
        path: in the normal form: parameters by their names.
    """
    if path[0] == "Parameters" and len(path) > 1:
        words = [str(path[1]), *(_PARAMETER.get(str(each), str(each)) for each in path[2:])]
        return Words(dotted(("parameters", *words)), sources.position("parameters", *words))
    origin = sources.find(_pointer("", path))
    if origin is None or not origin.words:
        return Words(dotted(path))
    return Words(dotted((origin.words, *path[1:])), origin.position)


def dotted(path: Sequence[str | int]) -> str:
    """Return a path in words; the member that holds all of a step's request says nothing."""
    return ".".join(str(each) for each in path if each != "Arguments")


def is_source_directory(spot: Spot) -> bool:
    """Whether a place names a job's code by the framework's own variable."""
    return bool(_SOURCE_DIRECTORY.fullmatch(spot.pointer.rpartition("/")[2]))


def assets_in(value: Any) -> list[str]:
    """Return the URIs of the assets that a JSON value names, in order, each once."""
    found: dict[str, None] = {}
    _collect(value, found)
    return list(found)


def _collect(value: Any, found: dict[str, None]) -> None:
    if isinstance(value, str):
        found.update(dict.fromkeys(match.group(0) for match in _ASSET.finditer(value)))
    elif isinstance(value, Mapping):
        for item in value.values():
            _collect(item, found)
    elif isinstance(value, list):
        for item in value:
            _collect(item, found)


def without_assets(value: Any) -> Any:
    """Return a value with every asset's digest taken out: equal where only code differs."""
    if isinstance(value, str):
        return _ASSET.sub(lambda match: match.group(0)[:-64], value)
    if isinstance(value, Mapping):
        return {key: without_assets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_assets(item) for item in value]
    return value


def shown(value: Any, place: str = "") -> str:
    """Return a value in words, on one line and not too long.

    Expressions are shown as references. A value whose place sounds like a secret is not shown.

    Args:
        place: what the place is called; its last part decides.
    """
    if value is not None and not isinstance(value, bool) and is_sensitive(place):
        return MASKED
    return clipped(in_words(value))


def with_places(value: Any) -> Any:
    """Return a value whose assets keep their bucket and prefix, and a digest's beginning."""
    # What is cut off: `/assets/sha256/` and the digest, 15 and 64 characters.
    if isinstance(value, str):
        return _ASSET.sub(lambda match: f"{match.group(0)[:-79]}/…/{match.group(1)[:8]}", value)
    if isinstance(value, Mapping):
        return {key: with_places(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_places(item) for item in value]
    return value


def clipped(text: str, most: int = LONGEST) -> str:
    """Return a text on one line, without control characters and credentials, shortened."""
    line = "".join(c if c.isprintable() else _visible(c) for c in redact(text))
    return line if len(line) <= most else f"{line[: most - 40]}…{line[-39:]}"


def _visible(character: str) -> str:
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character, f"\\x{ord(character):02x}")


def in_words(value: Any) -> str:
    """Return a value as a definition would write it, of any length."""
    if isinstance(value, str):
        return _string(value)
    text = reference(value)
    if text is not None:
        return text
    if isinstance(value, Mapping):
        inside = ", ".join(
            f"{key}: {MASKED if is_sensitive(str(key)) else in_words(item)}"
            for key, item in value.items()
        )
        return "{" + inside + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(items_in_words(value)) + "]"
    return json.dumps(value)


def items_in_words(items: Sequence[Any]) -> list[str]:
    """Return a list's items in words; what follows `--password` in a command line is not shown."""
    made: list[str] = []
    secret = False
    for item in items:
        option, equals, _ = item.partition("=") if isinstance(item, str) else ("", "", "")
        named = option.startswith("-") and is_sensitive(option.lstrip("-"))
        if secret and not option.startswith("-"):
            made.append(MASKED)
        else:
            made.append(f"{option}={MASKED}" if named and equals else in_words(item))
        secret = named and not equals
    return made


def _string(text: str) -> str:
    """Return a text as YAML shows it; a JSON string in it (a hyperparameter) is unwrapped."""
    if text.startswith('"') and text.endswith('"'):
        try:
            inner = json.loads(text)
        except ValueError:
            inner = None
        text = inner if isinstance(inner, str) else text
    text = _ASSET.sub(lambda match: f"asset {match.group(1)[:8]}", text)
    return text if text.strip() == text and text else json.dumps(text, ensure_ascii=False)


_OUTPUT = re.compile(r"ProcessingOutputConfig\.Outputs\['([^']+)'\]\.S3Output\.S3Uri")
_MODEL = "ModelArtifacts.S3ModelArtifacts"
_EXECUTION = {
    "PipelineExecutionId": "execution.id",
    "PipelineExecutionArn": "execution.arn",
    "PipelineName": "execution.pipeline_name",
    "PipelineArn": "execution.pipeline_arn",
    "StartDateTime": "execution.start_datetime",
    "CurrentDateTime": "execution.current_datetime",
    "TrainingJobName": "execution.training_job_name",
    "ProcessingJobName": "execution.processing_job_name",
}


def reference(value: Any) -> str | None:
    """Return an expression as the language writes it; None where it is none."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((name, body),) = value.items()
    if name == GET and isinstance(body, str):
        return "${" + _path(body) + "}"
    if name == JOIN and isinstance(body, Mapping) and isinstance(body.get("Values"), list):
        on = str(body.get("On", ""))
        parts = (v if isinstance(v, str) else reference(v) or in_words(v) for v in body["Values"])
        return on.join(parts)
    if name == JSON_GET and isinstance(body, Mapping):
        file = body.get("PropertyFile")
        text = str(file.get(GET, "")) if isinstance(file, Mapping) else ""
        step, _, rest = text.removeprefix("Steps.").partition(".PropertyFiles.")
        if step and rest:
            return "${" + f"steps.{step}.files.{rest}.{body.get('Path', '')}" + "}"
    return None


def _path(text: str) -> str:
    root, _, rest = text.partition(".")
    if root == "Parameters":
        return f"parameters.{rest}"
    if text.startswith("ForEach.CurrentItem"):
        return "item" + text.removeprefix("ForEach.CurrentItem")
    if root == "Execution":
        return _EXECUTION.get(rest, f"execution.{rest}")
    if root != "Steps":
        return text
    step, _, inside = rest.partition(".")
    output = _OUTPUT.fullmatch(inside)
    if output:
        return f"steps.{step}.outputs.{output.group(1)}"
    if inside == _MODEL:
        return f"steps.{step}.model"
    return f"steps.{step}.properties.{inside}" if inside else f"steps.{step}"
