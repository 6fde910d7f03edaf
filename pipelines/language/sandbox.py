"""The expressions that templates may hold: an allow-list, in Jinja's sandbox, with bounds.

A hostile definition can neither reach Python nor exhaust the machine: no operation makes a value
that is large, and none takes long.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

MAX_RENDERED = 64 * 1024
"""A rendered scalar has at most this many characters."""
MAX_NUMBER = 10**15
MAX_EXPRESSION_NODES = 500
MAX_EXPRESSION_DEPTH = 40

METHODS = frozenset({
    "lower", "upper", "title", "capitalize", "strip", "lstrip", "rstrip", "startswith",
    "endswith", "removeprefix", "removesuffix", "replace", "split",
})  # fmt: skip
ALLOWED = (
    nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Compare, nodes.Operand,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos,
    nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Filter, nodes.Concat, nodes.List,
    nodes.Tuple, nodes.Call, nodes.Test, nodes.Output, nodes.TemplateData, nodes.Template,
)  # fmt: skip


class Refused(Exception):
    """An operation that templates may not use."""


class TooLarge(Refused):
    """A value that grows beyond its bound."""


def slug(value: object) -> str:
    """Return text as part of a step's name: letters, digits and single hyphens."""
    return re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9]+", "-", str(value))).strip("-")


def bounded(value: Any) -> Any:
    """Return a value as it is; raises :class:`TooLarge` where it is too large."""
    if isinstance(value, str) and len(value) > MAX_RENDERED:
        raise TooLarge(f"the text grows beyond {MAX_RENDERED // 1024} KiB")
    # Written so that "not a number" is refused too.
    if isinstance(value, (int, float)) and not abs(value) <= MAX_NUMBER:
        raise TooLarge("the number grows beyond 10^15")
    return value


def _replaced(text: str, old: str, new: str) -> str:
    text, old, new = str(text), str(old), str(new)
    if len(text) + text.count(old) * len(new) > MAX_RENDERED:
        raise TooLarge(f"the text grows beyond {MAX_RENDERED // 1024} KiB")
    return text.replace(old, new)


def _joined(items: Any, on: str = "") -> str:
    parts = [str(item) for item in items]
    if sum(map(len, parts)) + len(on) * len(parts) > MAX_RENDERED:
        raise TooLarge(f"the text grows beyond {MAX_RENDERED // 1024} KiB")
    return str(on).join(parts)


def _rounded(value: Any, precision: int = 0) -> float:
    # Python's own computes 10 to the power of a negative precision, however large that is.
    if isinstance(precision, bool) or not isinstance(precision, int) or abs(precision) > 15:
        raise Refused("`round` takes a precision from -15 to 15")
    return round(value if isinstance(value, int) else float(bounded(value)), precision)


def written(value: Any) -> str:
    """Return a value as it is written in a text: numbers as in the source, booleans in YAML's way.

    Raises:
        Refused: the value is no scalar.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(getattr(value, "text", value))
    if isinstance(value, str):
        return value
    raise Refused("a list or a map can't stand in a text; a scalar is wanted")


def _concatenated(*values: Any) -> str:
    return str(bounded("".join(written(value) for value in values)))


_CONCATENATE = "~"
"""The filter that stands for the operator `~`: Jinja's own has no bound. Nobody can write it."""


class Bounded(NodeTransformer):
    """Puts our own `~` in place of Jinja's."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  # Jinja's name
        """Return the operator as a filter."""
        first, *rest = [self.visit(part) for part in node.nodes]
        return nodes.Filter(first, _CONCATENATE, rest, [], None, None, lineno=node.lineno)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with bounded arithmetic and calls."""

    intercepted_binops = frozenset("+-*/%") | {"//", "**"}

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute with numbers only; text is put together with ``~``."""
        for side in (left, right):
            if isinstance(side, bool) or not isinstance(side, (int, float)):
                raise Refused(f"`{operator}` works on numbers; text is put together with `~`")
            bounded(side)
        return bounded(super().call_binop(context, operator, left, right))

    def call(self, context: Any, called: Any, *args: Any, **kwargs: Any) -> Any:
        """Call ``asset`` or an allowed method of text."""
        target = getattr(called, "__self__", None)
        if isinstance(target, str):
            if called.__name__ == "replace":
                return _replaced(target, *args)
            return bounded(called(*args))
        if called is not context.get("asset"):
            raise Refused("only `asset('path')` and methods of text can be called")
        return called(*args, **kwargs)


def _environment() -> _Sandbox:
    # Only `{{ }}` is syntax: the other delimiters hold characters that YAML text cannot hold.
    made = _Sandbox(
        block_start_string="\x00%",
        block_end_string="%\x00",
        comment_start_string="\x00#",
        comment_end_string="#\x00",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
        optimized=False,  # folding constants would compute outside of our bounds
    )
    builtin = made.filters
    names = (
        "default", "d", "lower", "upper", "title", "capitalize", "trim", "int", "float", "string",
        "abs", "length", "first", "last",
    )  # fmt: skip
    allowed: dict[str, Callable[..., Any]] = {name: builtin[name] for name in names}
    own: dict[str, Callable[..., Any]] = {
        "slug": slug,
        "replace": _replaced,
        "join": _joined,
        "round": _rounded,
    }
    made.filters = {**allowed, **own, _CONCATENATE: _concatenated}
    made.tests = {"defined": made.tests["defined"]}
    made.globals = {}
    return made


SANDBOX = _environment()
FILTERS = tuple(name for name in SANDBOX.filters if name != _CONCATENATE)
