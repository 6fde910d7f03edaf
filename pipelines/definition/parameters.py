"""The parameters of a definition, and the values they may take."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from pipelines.definition.expressions import describe
from pipelines.definition.model import PARAMETER_TYPES, Parameter, ParameterType, Scalar
from pipelines.definition.problems import Problems, nearest
from pipelines.errors import UsageError

# botocore, shapes PipelineParameterName (256, [A-Za-z0-9\-_]*) and String1024.
NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")
MAX_WIRE_LENGTH = 1024

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


def read_parameters(value: object, problems: Problems) -> tuple[Parameter, ...]:
    """Read the ``Parameters`` list; what is wrong goes into ``problems``."""
    found: dict[str, Parameter] = {}
    for index, item in enumerate(
        problems.sequence(value if value is not None else [], "/Parameters")
    ):
        pointer = f"/Parameters/{index}"
        before = len(problems.found)
        entry = problems.mapping(item, pointer)
        if len(problems.found) > before:
            continue
        parameter = _read_parameter(entry, pointer, problems)
        if parameter is None:
            continue
        if parameter.name in found:
            problems.add(f"{pointer}/Name", f"the parameter `{parameter.name}` stands twice")
        found[parameter.name] = parameter
    return tuple(found.values())


def _read_parameter(
    entry: Mapping[str, object], pointer: str, problems: Problems
) -> Parameter | None:
    name, kind = entry.get("Name"), entry.get("Type")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        problems.add(f"{pointer}/Name", "must be 1 to 256 letters, digits, `-` or `_`")
        return None
    if kind not in PARAMETER_TYPES:
        problems.add(f"{pointer}/Type", f"must be one of {', '.join(PARAMETER_TYPES)}")
        return None
    kind = PARAMETER_TYPES[PARAMETER_TYPES.index(kind)]
    default = _typed(entry.get("DefaultValue"), kind, f"{pointer}/DefaultValue", problems)
    enum: list[Scalar] = []
    allowed = entry.get("EnumValues")
    for index, item in enumerate(
        problems.sequence(allowed, f"{pointer}/EnumValues") if allowed is not None else []
    ):
        value = _typed(item, kind, f"{pointer}/EnumValues/{index}", problems)
        if value is not None:
            enum.append(value)
    if enum and default is not None and default not in enum:
        problems.add(f"{pointer}/DefaultValue", "is none of EnumValues")
    description = entry.get("Description")
    return Parameter(
        name, kind, default, tuple(enum), description if isinstance(description, str) else ""
    )


def _typed(value: object, kind: ParameterType, pointer: str, problems: Problems) -> Scalar | None:
    """Check a value that stands in the JSON; None stays None."""
    if value is None:
        return None
    if kind == "String" and isinstance(value, str):
        return value
    if kind == "Boolean" and isinstance(value, bool):
        return value
    if kind == "Integer" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == "Float" and isinstance(value, (int, float)) and not isinstance(value, bool):
        number = _to_float(value)
        if number is not None:
            return number
    problems.add(pointer, f"{describe(value)} is no {kind}")
    return None


def _to_float(value: int | float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def coerce(parameter: Parameter, text: str) -> Scalar:
    """Turn the text that StartPipelineExecution takes into the parameter's type.

    Raises:
        UsageError: the text is no such value, is too long, or is none of the enum's.
    """
    if len(text) > MAX_WIRE_LENGTH:
        raise UsageError(
            f"the value of parameter `{parameter.name}` has {len(text)} characters; "
            f"the service takes {MAX_WIRE_LENGTH}"
        )
    value = _parse(parameter.type, text.strip() if parameter.type != "String" else text)
    if value is None:
        article = "an" if parameter.type == "Integer" else "a"
        raise UsageError(
            f"parameter `{parameter.name}` is {article} {parameter.type}; `{text}` is not"
        )
    if parameter.enum and value not in parameter.enum:
        allowed = ", ".join(str(item) for item in parameter.enum)
        raise UsageError(
            f"parameter `{parameter.name}` cannot be `{text}`; it is one of {allowed}"
            + nearest(text, [str(item) for item in parameter.enum])
        )
    return value


def _parse(kind: ParameterType, text: str) -> Scalar | None:
    if kind == "String":
        return text
    if kind == "Boolean":
        return {"true": True, "false": False}.get(text.lower())
    if kind == "Integer":
        return int(text) if _INTEGER.fullmatch(text) else None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def bind(parameters: tuple[Parameter, ...], given: Mapping[str, str]) -> dict[str, Scalar]:
    """Give every parameter its value: what is given, else its default.

    Args:
        parameters: those of the definition.
        given: names and values as text, the form in which the API takes them.

    Returns:
        A typed value for every parameter, in the definition's order.

    Raises:
        UsageError: a name is unknown, a value does not fit, or one is missing.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            names = ", ".join(known) or "none"
            raise UsageError(
                f"the pipeline has no parameter `{name}`" + nearest(name, known),
                hint=f"its parameters are: {names}",
            )
    values: dict[str, Scalar] = {}
    missing: list[str] = []
    for parameter in parameters:
        if parameter.name in given:
            values[parameter.name] = coerce(parameter, given[parameter.name])
        elif parameter.default is not None:
            values[parameter.name] = parameter.default
        else:
            missing.append(parameter.name)
    if missing:
        plural = "s" if len(missing) > 1 else ""
        raise UsageError(
            f"no value for the parameter{plural} {', '.join(f'`{name}`' for name in missing)}",
            hint=f"give it with -p {missing[0]}=VALUE; the definition has no default for it",
        )
    return values


def wire(value: Scalar) -> str:
    """Write a parameter's value as the text that the API takes and returns."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
