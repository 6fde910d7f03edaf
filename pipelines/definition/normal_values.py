"""The normal form of values: expressions in one way of writing, lists by name, no empty members."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.definition.expressions import GET, JOIN, JSON_GET
from pipelines.definition.references import PathSyntaxError, format_path, parse_path

NAME_MEMBERS: Mapping[str, str] = {
    "ProcessingInputs": "InputName",
    "Outputs": "OutputName",
    "InputDataConfig": "ChannelName",
    "MetricDefinitions": "Name",
    "IntegerParameterRanges": "Name",
    "ContinuousParameterRanges": "Name",
    "CategoricalParameterRanges": "Name",
    "ProductionVariants": "VariantName",
    "ShadowProductionVariants": "VariantName",
    "Tags": "Key",
    "OutputParameters": "OutputName",
    "PropertyFiles": "PropertyFileName",
    "Actions": "ActionName",
    "Artifacts": "ArtifactName",
    "Contexts": "ContextName",
}
"""Lists whose items have names and whose order means nothing, with the member that names them."""

DEFAULTS: Mapping[str, Any] = {
    "AppManaged": False,
    "EnableManagedSpotTraining": False,
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "CompressionType": "None",
    "RecordWrapperType": "None",
    "SplitType": "None",
    "AssembleWith": "None",
    "JoinSource": "None",
    "InputFilter": "$",
    "OutputFilter": "$",
    "S3InputMode": "File",
    "S3CompressionType": "None",
    "S3DataDistributionType": "FullyReplicated",
    "MaxConcurrency": 1,
}
"""Members that say as much as their absence: the defaults of the Amazon SageMaker API Reference.
[U] It names none for the last four, which are not required; the SDK writes these values."""

TEXTS = ("ErrorMessage",)
"""Members that are text whatever stands in them: a join of one value says no more than the value.
"""

_WHOLE = 2.0**53
"""Up to here a float that is a whole number is that number."""


class Values:
    """Brings values to their normal form.

    Args:
        parameters: the types of the pipeline's parameters, by name.
    """

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self.parameters = parameters

    def normal(self, value: Any, *, keep_empty: bool = False) -> Any:
        """Return a value's normal form.

        Args:
            value: a JSON value of bounded depth.
            keep_empty: an empty member and a missing one differ here, as in a function's event.
        """
        if isinstance(value, Mapping) and not keep_empty and None in value.values():
            value = {name: member for name, member in value.items() if member is not None}
        expression = self._expression(value)
        if expression is not None:
            return expression
        if isinstance(value, Mapping):
            made = {}
            for name, member in value.items():
                normal = self._member(str(name), member, keep_empty)
                if keep_empty or not _says_nothing(str(name), normal):
                    made[str(name)] = normal
            return made
        if isinstance(value, (list, tuple)):
            return [self.normal(item, keep_empty=keep_empty) for item in value]
        if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE:
            return int(value)
        return value

    def _member(self, name: str, value: Any, keep_empty: bool) -> Any:
        if name in TEXTS:
            found = self.normal(value)
            parts = _joined(found)
            return parts[0] if parts is not None and len(parts) == 1 else found
        key = NAME_MEMBERS.get(name)
        if key is None or keep_empty or not isinstance(value, list):
            return self.normal(value, keep_empty=keep_empty)
        named = by_name(value, key)
        if named is None:
            return self.normal(value)
        return {each: self.normal(item) for each, item in named.items()}

    def _expression(self, value: Any) -> Any:
        if not isinstance(value, Mapping) or len(value) != 1:
            return None
        ((name, body),) = value.items()
        if name == GET and isinstance(body, str):
            return {GET: path_text(body)}
        if name == JOIN and isinstance(body, Mapping) and isinstance(body.get("Values"), list):
            return self._join(body)
        if name == JSON_GET and isinstance(body, Mapping):
            path = body.get("Path")
            made = {str(member): self.normal(item) for member, item in body.items()}
            return {JSON_GET: {**made, "Path": path_text(path)} if isinstance(path, str) else made}
        return None

    def _join(self, body: Mapping[str, Any]) -> Any:
        """Return a join without separator and without joins in it, neighbouring texts as one."""
        on = body.get("On", "")
        parts: list[Any] = []
        for number, item in enumerate(body["Values"]):
            if number:
                _append(parts, on if isinstance(on, str) else "")
            found = self.normal(item)
            inner = _joined(found)
            for part in inner if inner is not None else [found]:
                _append(parts, part)
        if not parts:
            return ""
        if len(parts) == 1 and (isinstance(parts[0], str) or self._is_text(parts[0])):
            return parts[0]
        return {JOIN: {"On": "", "Values": parts}}

    def _is_text(self, value: Any) -> bool:
        """Whether an expression gives a text anyway, so that a join of it alone says no more.

        [U] A step's property is taken for one: what the Describe responses hold beside texts is
        numbers, which the service turns into a text where it wants one.
        """
        path = value.get(GET) if isinstance(value, Mapping) else None
        if not isinstance(path, str):
            return False
        root, _, name = path.partition(".")
        if root == "Parameters":
            return self.parameters.get(name, "String") == "String"
        return root in ("Execution", "Steps")


def _says_nothing(name: str, normal: Any) -> bool:
    if normal in (None, {}, []):
        return True
    default = DEFAULTS.get(name)
    return default is not None and normal == default and type(normal) is type(default)


def path_text(text: str) -> str:
    """Return a path in one way of writing; what is no path stays as it is.

    A quoted key stays a quoted key: whether the service takes ``Outputs.train`` for
    ``Outputs['train']`` is not documented.
    """
    text = text.replace(".[", "[")
    try:
        segments = parse_path(text)
    except PathSyntaxError:
        return text
    if "['" not in text and '["' not in text:
        return format_path(segments)
    return _with_keys(text)


def _with_keys(text: str) -> str:
    """Return a path with single quotes around its keys, without the root sign of JSON paths."""
    body = text.removeprefix("$.") if text.startswith("$.") else text.removeprefix("$")
    return body.replace('["', "['").replace('"]', "']")


def by_name(items: list[Any], member: str) -> dict[str, Any] | None:
    """Return a list's items by the member that names them; None where names lack or repeat."""
    made: dict[str, Any] = {}
    for item in items:
        name = item.get(member) if isinstance(item, Mapping) else None
        if not isinstance(name, str) or name in made:
            return None
        made[name] = item
    return made


def gets(value: Any) -> Iterator[str]:
    """Yield the path of every ``Get`` in a value, malformed ones and those of steps included."""
    if isinstance(value, Mapping):
        body = value.get(GET) if len(value) == 1 else None
        if isinstance(body, str):
            yield body
            return
        for item in value.values():
            yield from gets(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from gets(item)


def sort_key(value: Any) -> str:
    """Return a text that orders JSON values, equal for equal ones alone."""
    return json.dumps(value, sort_keys=True, default=repr)


def is_expression(value: Any) -> bool:
    """Whether a value in normal form is an expression."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in _NAMES


_NAMES = (GET, JOIN, JSON_GET)


def _joined(value: Any) -> list[Any] | None:
    body = value.get(JOIN) if isinstance(value, Mapping) and len(value) == 1 else None
    parts = body.get("Values") if isinstance(body, Mapping) else None
    return parts if isinstance(parts, list) else None


def _append(parts: list[Any], part: Any) -> None:
    text = _literal(part)
    if text is None:
        parts.append(part)
    elif parts and isinstance(parts[-1], str):
        parts[-1] += text
    elif text:
        parts.append(text)


def _literal(value: Any) -> str | None:
    """Return a plain value as the text that a join makes of it; None for everything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (int, float)) else None
