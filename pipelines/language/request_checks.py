"""Requests judged by the API's model, with problems told at the fields they came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipelines.language.diagnostics import as_clause
from pipelines.language.request_merge import given_at
from pipelines.language.spec import StepSpec
from pipelines.service.instances import check_instance_type
from pipelines.service.shapes import Mismatch, check, input_shape, shape
from steps import all_fields
from steps._contract import Kind, Problem
from steps._expressions import UNKNOWN, Join, JsonGet, Path, is_expression
from steps._jobs import command_line
from steps._shared_fields import CONTAINER_FIELDS

_S3_PATTERN = "(https|s3)://"
"""How the API's patterns of S3 URIs begin (shapes ``S3Uri``, ``ModelPackageSourceUri`` and so on).
"""

CODES = {
    "unknown-member": "unknown-member",
    "missing-member": "missing-member",
    "type": "request-type",
    "enum": "bad-value",
    "length": "too-long",
    "range": "bad-value",
    "pattern": "bad-value",
    "count": "too-many",
}


def check_request(
    spec: StepSpec, arguments: Mapping[str, Any], *, local: bool = False
) -> Iterator[Problem]:
    """Yield what the service would refuse in a step's arguments.

    Args:
        local: whether a local path may stand for an S3 URI, as in the environment `local`.
    """
    kind = spec.kind
    yield from _refused(spec, arguments)
    yield from _refused_beside(spec)
    for mismatch in _mismatches(spec, arguments):
        if local and mismatch.kind == "pattern" and _S3_PATTERN in mismatch.message:
            continue
        problem = _told(spec, arguments, mismatch)
        if problem.path != ("instance", "type") or mismatch.kind != "enum":  # told below, better
            yield problem
    instance = spec.step.fields.get("instance")
    value = instance.get("type") if isinstance(instance, Mapping) else None
    if isinstance(value, str) and re.match(r"ml\.[a-z]", value):
        known = check_instance_type(value, kind.operation)
        if known is not None:
            message, hint = as_clause(known.message), as_clause(known.hint)
            yield Problem("bad-instance", ("instance", "type"), message, hint)


def _mismatches(spec: StepSpec, arguments: Mapping[str, Any]) -> Iterator[Mismatch]:
    """Yield where the arguments do not fit the shapes of the calls that they become."""
    kind = spec.kind
    if kind.operation:
        whole = input_shape(kind.operation)
        yield from check(arguments, whole, expression_type=_type_of, ignore_missing=kind.supplied)
    for member, operation in kind.item_operations.items():
        for index, item in enumerate(arguments.get(member, ())):
            for mismatch in check(item, input_shape(operation), expression_type=_type_of):
                yield replace(mismatch, path=(member, index, *mismatch.path))
    if kind.parts:
        yield from _mismatches_of_parts(kind, arguments)


def _mismatches_of_parts(kind: Kind, arguments: Mapping[str, Any]) -> Iterator[Mismatch]:
    """Yield where arguments that are no call's request do not fit the shapes of their members."""
    for member, value in arguments.items():
        if member not in kind.parts:
            message = f"`{member}` is not a member of the arguments of {kind.name} steps"
            hint = "It has " + ", ".join(f"`{name}`" for name in kind.parts) + "."
            yield Mismatch((member,), message, hint, at_key=True, kind="unknown-member")
            continue
        lead = f"{member}."
        supplied = [name.removeprefix(lead) for name in kind.supplied if name.startswith(lead)]
        part = shape(kind.parts[member], kind.service)
        for found in check(value, part, expression_type=_type_of, ignore_missing=supplied):
            yield replace(found, path=(member, *found.path))


def _type_of(value: Any) -> str | None:
    if not is_expression(value):
        return None
    if isinstance(value, JsonGet) or UNKNOWN in getattr(value, "values", ()):
        return "any"
    return "string" if isinstance(value, Join) else str(value.type)


def _refused(spec: StepSpec, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    for dotted, reason in spec.kind.refused.items():
        value: Any = arguments
        for member in dotted.split("."):
            value = value.get(member) if isinstance(value, Mapping) else None
        if value is not None:
            path: Path = ("request", *dotted.split("."))
            yield Problem(
                "refused-member",
                path,
                f"`{dotted}` can't be set inside a pipeline",
                reason,
                at_key=True,
            )


_OWN_FIELDS = {
    "Name": "the step's key is its name",
    "Type": "the field `type` says it",
    "Arguments": "`request` is merged into them",
    "DependsOn": "the field `depends_on` says it",
    "PropertyFiles": "the field `files` says it",
}
"""Members of the step object that checks and references rely on, and what says them."""


def _refused_beside(spec: StepSpec) -> Iterator[Problem]:
    """Yield the members of ``step_fields`` that other fields say."""
    given = spec.step.fields.get("step_fields")
    for name in given if isinstance(given, Mapping) else ():
        if name in _OWN_FIELDS:
            yield Problem(
                "refused-member",
                ("step_fields", name),
                f"`{name}` can't be set here",
                _OWN_FIELDS[name],
                at_key=True,
            )


def _told(spec: StepSpec, arguments: Mapping[str, Any], mismatch: Mismatch) -> Problem:
    """Return a mismatch as a problem at the field that the wrong value came from."""
    path = mismatch.path
    given = given_at(spec.step.fields.get("request"), arguments, path)
    code = CODES.get(mismatch.kind, "request-type")
    if mismatch.kind in ("length", "count") and " at least " in mismatch.message:
        code = "bad-value"
    source = field_of(spec, path)
    in_field = len(source) > 1 and source[-1] == path[-1]  # a field in the API's own words
    if given or (mismatch.kind == "unknown-member" and not in_field):
        return Problem(
            code,
            ("request", *(given or path)),
            as_clause(mismatch.message),
            as_clause(mismatch.hint),
            at_key=mismatch.at_key,
        )
    message, hint = as_clause(mismatch.message), as_clause(mismatch.hint)
    return Problem(code, source, message, hint, at_key=not source or (in_field and mismatch.at_key))


def field_of(spec: StepSpec, path: Path) -> Path:
    """Return the definition's field that an argument came from; empty where none is known.

    The fields' ``api`` says which argument each becomes; the longest one that leads to ``path``
    wins. In a list written as a map by name (``ProcessingInputs[]``) the item's position gives the
    name.
    """
    best: tuple[int, Path] = (0, ())
    for name, fieldspec in all_fields(spec.kind).items():
        value = spec.step.fields.get(name)
        if not fieldspec.api or value is None:
            continue
        target = tuple(fieldspec.api.replace("[]", "").split("."))
        members = tuple(s for s in path if isinstance(s, str))
        if members[: len(target)] != target or len(target) <= best[0]:
            continue
        found: Path = (name,)
        rest = path[len(target) :] if path[: len(target)] == target else ()
        if fieldspec.api.endswith("[]") and isinstance(value, Mapping) and rest:
            names = list(value)
            if isinstance(rest[0], int) and rest[0] < len(names):
                inner = fieldspec.members.get(str(rest[1])) if len(rest) > 1 else None
                key = inner.split(".") if inner else []
                found = (name, names[rest[0]])
                found += _as_far_as_it_leads(value[names[rest[0]]], tuple(key))
        elif name == "arguments" and isinstance(value, Mapping) and rest and _is_index(rest[0]):
            found = (name, _option(value, rest[0]))
        elif rest and isinstance(value, Mapping) and rest[0] in value:
            found = (name, *_as_far_as_it_leads(value, rest))
        elif rest and isinstance(value, list) and isinstance(rest[0], int):
            found = (name, rest[0]) if rest[0] < len(value) else (name,)
        elif isinstance(value, Mapping) and name == "instance" and rest:
            found = _instance_field(value, str(rest[0]))
        best = (len(target), found)
    if not best[1] or best[1][0] == "containers":
        return _container_field(spec, path) or best[1]
    return best[1]


def _is_index(segment: str | int) -> bool:
    return isinstance(segment, int)


def _as_far_as_it_leads(value: Any, path: Path) -> Path:
    """Return the beginning of a path that is there in a field's own words."""
    for length, segment in enumerate(path):
        leads = segment in value if isinstance(value, Mapping) else False
        if isinstance(value, list) and isinstance(segment, int):
            leads = segment < len(value)
        if not leads:
            return path[:length]
        value = value[segment]
    return path


def _container_field(spec: StepSpec, path: Path) -> Path:
    """Return the field of a container; its members stand wherever the kind puts the container."""
    fields = spec.step.fields
    base: Path = ()
    if "containers" in fields and "Containers" in path:
        base = ("containers", *path[path.index("Containers") + 1 :][:1])
        fields = fields["containers"][base[1]] if len(base) > 1 else {}
    for name, field in CONTAINER_FIELDS.items():
        if field.api in path and name in fields and "containers" in spec.kind.fields:
            rest = path[path.index(field.api) + 1 :]
            value = fields[name]
            inner = rest[:1] if isinstance(value, Mapping) and rest and rest[0] in value else ()
            return (*base, name, *inner)
    return base


def _option(options: Mapping[str, Any], index: Any) -> str:
    """Return the option that a word of the command line comes from."""
    words = 0
    for name, value in options.items():
        words += len(command_line({name: value}))
        if index < words:
            break
    return name


_INSTANCE_MEMBERS = {
    "InstanceType": "type",
    "InstanceCount": "count",
    "VolumeSizeInGB": "volume_gb",
    "VolumeKmsKeyId": "kms_key",
    "KeepAlivePeriodInSeconds": "keep_alive",
}


def _instance_field(value: Mapping[str, Any], member: str) -> Path:
    key = _INSTANCE_MEMBERS.get(member, "")
    return ("instance", key) if key in value else ("instance",)
