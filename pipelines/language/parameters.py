"""Pipeline parameters: types inferred, defaults and enums checked."""

from __future__ import annotations

import re
from typing import Any

from pipelines.language.diagnostics import Report
from pipelines.language.foreign import settle
from pipelines.language.nodes import MapNode, Node, Scalar, get, plain
from pipelines.language.source import resolve_plain
from pipelines.language.spec import ParameterSpec
from pipelines.language.validation import describe, kind_of
from steps._expressions import SourceFloat, SourceInt


def read_parameters(tree: Node, report: Report) -> tuple[ParameterSpec, ...]:
    """Return the parameters of a definition in the order of the file.

    Args:
        tree: the merged, rendered definition with parameters in long form.
    """
    block = get(tree, "parameters")
    if not isinstance(block, MapNode):
        return ()
    made = []
    for name, entry in block.entries.items():
        if not isinstance(entry.value, MapNode):
            continue  # the schema says what is wrong
        made.append(_parameter(name, entry.value, report))
    return tuple(made)


def _parameter(name: str, node: MapNode, report: Report) -> ParameterSpec:
    data = settle(plain(node))
    stated = str(data.get("type", ""))
    kind = next((k for k in _CHECKS if k.lower() == stated.lower()), "")
    default = data.get("default")
    enum = data.get("enum") if isinstance(data.get("enum"), list) else []
    if not kind:
        examples = [default] if default is not None else list(enum or [])
        kind = _inferred(examples[0]) if examples else "String"
        if stated == "" and not examples:
            kind = "String"
    stated_default = get(node, "default")
    if not stated and isinstance(stated_default, Scalar) and _is_too_large(stated_default):
        report.at(
            stated_default,
            "bad-default",
            f"the number of `{name}` is too large to be held",
            f"write it in quotes for the text, or `{name}: {{type: String, …}}`",
        )
    if isinstance(default, (dict, list)):
        default = None  # the schema says what is wrong
    if default is not None:
        at = get(node, "default") or node
        default = _typed(name, kind, default, at, report)
    values = []
    for index, value in enumerate(enum or []):
        at = get(node, "enum", index) or node
        values.append(_typed(name, kind, value, at, report))
    if values and kind != "String":
        # The SDK writes EnumValues for String parameters alone, and no other source names them.
        at = get(node, "enum") or node
        report.at(
            at,
            "enum-not-text",
            f"`{name}` is {kind}; only a String parameter has an enum",
            "make it a String, or check the value with a Condition",
        )
    if values and default is not None and default not in values:
        at = get(node, "default") or node
        report.at(
            at,
            "bad-default",
            f"the default of `{name}` is not in its enum",
            "the enum is " + ", ".join(str(value) for value in values),
        )
    text = str(data.get("description", ""))
    return ParameterSpec(name, kind, default, tuple(values), text)


def _inferred(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int):
        return "Integer"
    return "Float" if isinstance(value, float) else "String"


def _is_too_large(node: Scalar) -> bool:
    """Whether a value is written as a number that none of the number types holds."""
    unquoted = isinstance(node.value, str) and not node.quoted and not node.block
    return unquoted and _TOO_LARGE.fullmatch(node.text) is not None


_TOO_LARGE = re.compile(r"-?[1-9][0-9]*(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""JSON's numbers: those that are read as text have no number type that holds them."""


_CHECKS = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
_EXAMPLES = {"String": "", "Integer": 1, "Float": 0.5, "Boolean": True}


def _typed(name: str, kind: str, value: Any, at: Node, report: Report) -> Any:
    """Return a value as the parameter's type; report it where it is none."""
    if isinstance(value, bool):
        fits = kind == "Boolean"
    elif isinstance(value, (SourceInt, SourceFloat, int, float)):
        if kind == "String":
            return getattr(value, "text", str(value))
        if kind == "Float":
            return float(value)
        if kind == "Integer" and isinstance(value, float) and not value.is_integer():
            fits = False
        else:
            fits = kind == "Integer"
            value = int(value)
    else:
        fits = kind == "String" and isinstance(value, str)
    if not fits:
        article = "an" if kind == "Integer" else "a"
        hint = ""
        if isinstance(value, str) and kind_of(resolve_plain(value)) == kind_of(_EXAMPLES[kind]):
            hint = "write it without quotes"
        message = f"`{name}` is {article} {kind}, and this is {describe(value)}"
        report.at(at, "bad-default", message, hint)
    elif isinstance(value, str) and "${" in value:
        report.at(
            at,
            "literal-wanted",
            "a parameter's default can't hold a reference",
            "use a `{{ template }}`",
        )
    return value
