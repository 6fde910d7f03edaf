"""Compile-time templates: ``{{ expression }}``, evaluated scalar by scalar.

Jinja2 gives the grammar and the sandbox. Only an allow-list of its expressions is let in, and every
value is bounded, so that a hostile definition can neither reach Python nor exhaust the machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipelines.language.diagnostics import Report, suggest
from pipelines.language.nodes import (
    Entry,
    Node,
    Scalar,
    Sequence,
    inside,
)

MAX_RENDERED = 64 * 1024
"""A rendered scalar has at most this many characters."""
MAX_NUMBER = 10**15

FOREIGN_DOLLAR = "\ue000"
"""Stands for a dollar sign in text from git or the command line until references are read, so that
such text never becomes a reference."""

_METHODS = frozenset({
    "lower", "upper", "title", "capitalize", "strip", "lstrip", "rstrip", "startswith",
    "endswith", "removeprefix", "removesuffix", "replace", "split",
})  # fmt: skip
_ALLOWED = (
    nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Compare, nodes.Operand,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos,
    nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Filter, nodes.Concat, nodes.List,
    nodes.Tuple, nodes.Call, nodes.Test, nodes.Output, nodes.TemplateData, nodes.Template,
)  # fmt: skip


class _Refused(Exception):
    """An operation that templates may not use, or a value that is too large."""


def slug(value: object) -> str:
    """Return text as part of a step's name: letters, digits and single hyphens."""
    return re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9]+", "-", str(value))).strip("-")


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_RENDERED:
        raise _Refused(f"the text grows beyond {MAX_RENDERED // 1024} KiB")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) > MAX_NUMBER:
        raise _Refused("the number grows beyond 10^15")
    return value


def _replaced(text: str, old: str, new: str) -> str:
    text, old, new = str(text), str(old), str(new)
    if len(text) + text.count(old) * len(new) > MAX_RENDERED:
        raise _Refused(f"the text grows beyond {MAX_RENDERED // 1024} KiB")
    return text.replace(old, new)


def _joined(items: Any, on: str = "") -> str:
    parts = [str(item) for item in items]
    if sum(map(len, parts)) + len(on) * len(parts) > MAX_RENDERED:
        raise _Refused(f"the text grows beyond {MAX_RENDERED // 1024} KiB")
    return str(on).join(parts)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with bounded arithmetic and calls."""

    intercepted_binops = frozenset("+-*/%") | {"//", "**"}

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute with numbers only; text is put together with ``~``."""
        for side in (left, right):
            if isinstance(side, bool) or not isinstance(side, (int, float)):
                raise _Refused(f"`{operator}` works on numbers; text is put together with `~`")
            _bounded(side)
        return _bounded(super().call_binop(context, operator, left, right))

    def call(self, context: Any, called: Any, *args: Any, **kwargs: Any) -> Any:
        """Call ``asset`` or an allowed method of text."""
        target = getattr(called, "__self__", None)
        if isinstance(target, str):
            if called.__name__ == "replace":
                return _replaced(target, *args)
            return _bounded(called(*args))
        if called is not context.get("asset"):
            raise _Refused("only `asset('path')` and methods of text can be called")
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
    )
    builtin = made.filters
    names = (
        "default", "d", "lower", "upper", "title", "capitalize", "trim", "int", "float", "string",
        "round", "abs", "length", "first", "last",
    )  # fmt: skip
    allowed: dict[str, Callable[..., Any]] = {name: builtin[name] for name in names}
    made.filters = {**allowed, "slug": slug, "replace": _replaced, "join": _joined}
    made.tests = {"defined": made.tests["defined"]}
    made.globals = {}
    return made


_SANDBOX = _environment()


@dataclass(frozen=True)
class Names:
    """What templates can name.

    Args:
        values: the names and their values.
        asset: gives the S3 URI of a file beside the definition; it gets the scalar, for its folder.
        lazy: names whose values are made on first use (``git``).
    """

    values: Mapping[str, Any]
    asset: Callable[[Scalar, str], str]
    lazy: Mapping[str, Callable[[], Any]] = field(default_factory=dict)

    def with_values(self, **values: Any) -> Names:
        """Return the same names with more or other values."""
        return replace(self, values={**self.values, **values})

    def known(self) -> list[str]:
        """Return every name."""
        return [*self.values, *self.lazy, "asset"]


def render(node: Node, names: Names, report: Report, *, keys_below: bool = False) -> Node:
    """Return ``node`` with every template evaluated.

    Args:
        keys_below: evaluate the keys of this map too (the keys of ``steps``).
    """
    if isinstance(node, Scalar):
        return render_scalar(node, names, report)
    if isinstance(node, Sequence):
        return replace(node, items=tuple(render(item, names, report) for item in node.items))
    entries: dict[str, Entry] = {}
    for name, entry in node.entries.items():
        key = entry.key
        if keys_below and "{{" in name:
            key = render_scalar(entry.key, names, report)
            if not isinstance(key.value, str):
                key = replace(key, value=str(key.value))
            name = str(key.value)
        entries[name] = Entry(key, render(entry.value, names, report))
    return replace(node, entries=entries)


def render_scalar(scalar: Scalar, names: Names, report: Report) -> Scalar:
    """Return a scalar with its templates evaluated; a wrong one is reported and stays as it is."""
    text = scalar.value
    if not isinstance(text, str) or "{{" not in text:
        return scalar
    here = _Place(scalar, report)
    try:
        tree = _SANDBOX.parse(text)
    except TemplateSyntaxError as error:
        here.report(
            "template-syntax",
            f"the template can't be read: {error.message}",
            "write `{{ name }}`; text goes in quotes",
        )
        return scalar
    parts = [part for output in tree.body for part in getattr(output, "nodes", [])]
    if not here.allows(tree, names):
        return scalar
    values: list[Any] = []
    for part in parts:
        if isinstance(part, nodes.TemplateData):
            values.append(part.data)
            continue
        done, value = _evaluate(part, scalar, names, here)
        if not done:
            return scalar
        values.append(value)
    return _finish(scalar, parts, values, here)


def _finish(scalar: Scalar, parts: list[Any], values: list[Any], here: _Place) -> Scalar:
    if len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData):
        value = values[0]
        if isinstance(value, (str, int, float, bool)) or value is None:
            written = str(value) if not isinstance(value, bool) else str(value).lower()
            return replace(scalar, value=value, text="" if value is None else written)
        here.report("template-value", "the template gives a list or a map; a scalar is wanted")
        return scalar
    text = "".join(
        str(value).lower() if isinstance(value, bool) else str(value) for value in values
    )
    if len(text) > MAX_RENDERED:
        here.report(
            "template-value", f"the rendered text is longer than {MAX_RENDERED:,} characters"
        )
        return scalar
    return replace(scalar, value=text, text=text)


def _evaluate(part: nodes.Expr, scalar: Scalar, names: Names, here: _Place) -> tuple[bool, Any]:
    """Return whether the expression could be evaluated, and its value."""
    used = {name.name for name in part.find_all(nodes.Name)}
    if isinstance(part, nodes.Name):
        used.add(part.name)
    values = dict(names.values)
    values.update({name: made() for name, made in names.lazy.items() if name in used})
    values["asset"] = lambda path: names.asset(scalar, path)
    body = nodes.Assign(nodes.Name("result", "store"), part)
    try:
        template = _SANDBOX.from_string(nodes.Template([body], lineno=1))
        value = getattr(template.make_module(values), "result", None)
        if isinstance(value, Undefined):
            str(value)  # raises UndefinedError with the reason
        return True, _bounded(value)
    except _Refused as error:
        here.report("template-forbidden", str(error))
    except UndefinedError as error:
        here.undefined(str(error.message), part, values)
    except SecurityError:
        here.report("template-forbidden", "the template reaches for something it may not")
    except RecursionError:
        here.report("template-syntax", "the template is nested too deeply")
    except (TypeError, ValueError, ArithmeticError, KeyError, IndexError, AttributeError) as error:
        here.report("template-value", f"the template fails: {error}")
    return False, None


class _Place:
    """Reports at the part of a scalar that a template message is about."""

    def __init__(self, scalar: Scalar, report: Report) -> None:
        self.scalar = scalar
        self._report = report

    def report(self, code: str, message: str, hint: str = "", word: str = "") -> None:
        text = str(self.scalar.value)
        begin = text.find("{{")
        end = text.find("}}", begin)
        length = (end + 2 if end > 0 else len(text)) - begin
        if word:
            found = re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", text[begin:])
            found = found or re.search(re.escape(word), text[begin:])
            if found:
                begin, length = begin + found.start(), len(word)
        span = inside(self.scalar, begin, length)
        self._report.add(code, self.scalar.source, span, message, hint)

    def allows(self, tree: nodes.Template, names: Names) -> bool:
        """Check every node of the expression against the allow-list."""
        lenient = {
            id(inner)
            for filtered in tree.find_all(nodes.Filter)
            if filtered.name in ("default", "d") and filtered.node is not None
            for inner in (filtered.node, *filtered.node.find_all(nodes.Node))
        } | {
            id(i) for t in tree.find_all(nodes.Test) for i in (t.node, *t.node.find_all(nodes.Node))
        }
        for node in tree.find_all(nodes.Node):
            if not isinstance(node, (*_ALLOWED, nodes.Keyword)):
                self.report(
                    "template-forbidden",
                    f"a template can't use {_name_of(node)}",
                    "it holds names, literals, comparisons, arithmetic and filters",
                )
                return False
            if isinstance(node, nodes.Filter) and node.name not in _SANDBOX.filters:
                self.report(
                    "template-forbidden",
                    f"there is no filter `{node.name}`",
                    suggest(node.name, _SANDBOX.filters, most=0),
                    node.name,
                )
                return False
            if isinstance(node, nodes.Test) and node.name not in _SANDBOX.tests:
                self.report(
                    "template-forbidden",
                    f"there is no test `{node.name}`",
                    "the only one is `is defined`",
                    node.name,
                )
                return False
            if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
                self.report("template-forbidden", f"`{node.attr}` can't be reached", "", node.attr)
                return False
            if isinstance(node, nodes.Call) and not self._may_call(node):
                return False
            if (
                isinstance(node, nodes.Name)
                and node.name not in names.known()
                and id(node) not in lenient
            ):
                self.report(
                    "template-undefined",
                    f"`{node.name}` is not defined",
                    suggest(node.name, names.known(), most=20),
                    node.name,
                )
                return False
        return True

    def _may_call(self, call: nodes.Call) -> bool:
        target = call.node
        if isinstance(target, nodes.Name) and target.name == "asset":
            return True
        if isinstance(target, nodes.Getattr) and target.attr in _METHODS:
            return True
        self.report(
            "template-forbidden",
            "only `asset('path')` and methods of text such as `.lower()` can be called",
        )
        return False

    def undefined(self, message: str, part: nodes.Expr, values: Mapping[str, Any]) -> None:
        """Report a name below a name that does not exist, with the nearest one."""
        for node in (part, *part.find_all(nodes.Getattr)):
            if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
                holder = values.get(node.node.name)
                if isinstance(holder, Mapping) and node.attr not in holder:
                    self.report(
                        "template-undefined",
                        f"`{node.node.name}.{node.attr}` is not defined",
                        suggest(node.attr, [str(k) for k in holder]),
                        f"{node.node.name}.{node.attr}",
                    )
                    return
        self.report("template-undefined", message)


def _name_of(node: nodes.Node) -> str:
    return {"Pow": "`**`", "Dict": "maps", "Slice": "slices"}.get(
        type(node).__name__, f"`{type(node).__name__.lower()}`"
    )


def foreign(text: str) -> str:
    """Return text from outside the definition so that it can't become a reference."""
    return text.replace("$", FOREIGN_DOLLAR)


def settle(value: Any) -> Any:
    """Return data with the dollar signs of foreign text put back."""
    if isinstance(value, str):
        return value.replace(FOREIGN_DOLLAR, "$") if FOREIGN_DOLLAR in value else value
    if isinstance(value, dict):
        return {settle(k): settle(v) for k, v in value.items()}
    if isinstance(value, list):
        return [settle(item) for item in value]
    return value
