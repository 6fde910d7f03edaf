"""Compile-time templates: ``{{ expression }}``, evaluated scalar by scalar.

Jinja2 gives the grammar; :mod:`pipelines.language.sandbox` says which expressions are let in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jinja2 import Undefined, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError

from pipelines.language.diagnostics import Report, as_clause, suggest
from pipelines.language.foreign import protect
from pipelines.language.nodes import Scalar, Span, inside
from pipelines.language.rendering import Names
from pipelines.language.sandbox import (
    ALLOWED,
    FILTERS,
    MAX_EXPRESSION_DEPTH,
    MAX_EXPRESSION_NODES,
    MAX_RENDERED,
    METHODS,
    SANDBOX,
    Bounded,
    Refused,
    TooLarge,
    bounded,
    written,
)


def evaluate(scalar: Scalar, names: Names, report: Report, *, condition: bool = False) -> Scalar:
    """Return a scalar with its templates evaluated; a wrong one is reported and stays as it is.

    Args:
        condition: the text is a condition, in which words alone can name a value.
    """
    text = str(scalar.value)
    here = _Place(scalar, report)
    if len(text) > MAX_RENDERED:
        here.report(
            "template-value", f"a text with a template has at most {MAX_RENDERED:,} characters"
        )
        return scalar
    try:
        tree = SANDBOX.parse(text)
    except (TemplateSyntaxError, RecursionError) as error:
        here.at_part(0)
        why = as_clause(getattr(error, "message", None) or "it is nested too deeply")
        hint = "write `{{ name }}`; text goes in quotes"
        here.report("template-syntax", f"the template can't be read: {why}", hint)
        return scalar
    parts = [part for output in tree.body for part in getattr(output, "nodes", [])]
    values: list[Any] = []
    failed, number = False, 0
    for part in parts:
        if isinstance(part, nodes.TemplateData):
            values.append(part.data)
            continue
        here.at_part(number)
        number += 1
        done, value = _evaluate(part, names, here) if here.allows(part, names) else _FAILED
        failed = failed or not done
        if isinstance(value, str) and _is_foreign(part, names):
            value = protect(value, words=condition)
        values.append(value)
    return scalar if failed else _finish(scalar, parts, values, here)


_FAILED: tuple[bool, Any] = (False, None)


def _is_foreign(part: nodes.Expr, names: Names) -> bool:
    """Whether text from outside the definition has a share in an expression."""
    for node in _nodes(part):
        if isinstance(node, nodes.Name) and node.name in names.lazy:
            return True
        if isinstance(node, (nodes.Getattr, nodes.Getitem)) and _name(node.node) == "vars":
            # A variable looked up by a computed name may be any.
            key = node.attr if isinstance(node, nodes.Getattr) else _constant(node.arg)
            if key in names.foreign or (key is None and names.foreign):
                return True
    return False


def _name(node: nodes.Node) -> str:
    return node.name if isinstance(node, nodes.Name) else ""


def _constant(node: nodes.Node) -> str | None:
    return str(node.value) if isinstance(node, nodes.Const) else None


def _finish(scalar: Scalar, parts: list[Any], values: list[Any], here: _Place) -> Scalar:
    if len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData):
        value = values[0]
        if value is None:
            return replace(scalar, value=None, text="")
        if isinstance(value, (str, int, float, bool)):
            return replace(scalar, value=value, text=written(value))
        here.report("template-value", "the template gives a list or a map; a scalar is wanted")
        return scalar
    if None in values:
        here.at_part(
            sum(not isinstance(p, nodes.TemplateData) for p in parts[: values.index(None)])
        )
        hint = "give it a value: `{{ name | default('text', true) }}`"
        here.report("template-value", "the template gives nothing, in the middle of a text", hint)
        return scalar
    try:
        text = str(bounded("".join(written(value) for value in values)))
    except Refused as error:
        here.report("template-value", str(error))
        return scalar
    return replace(scalar, value=text, text=text)


def _evaluate(part: nodes.Expr, names: Names, here: _Place) -> tuple[bool, Any]:
    """Return whether the expression could be evaluated, and its value."""
    used = {node.name for node in _nodes(part) if isinstance(node, nodes.Name)}
    values = dict(names.values)
    values.update({name: made() for name, made in names.lazy.items() if name in used})
    values["asset"] = lambda path: names.asset(here.scalar_of_part(), path)
    try:
        return True, bounded(_value(part, values))
    except TooLarge as error:
        here.report("template-value", str(error))
    except Refused as error:
        here.report("template-forbidden", str(error))
    except UndefinedError as error:
        here.undefined(str(error.message), part, values)
    except SecurityError:
        here.report("template-forbidden", "the template reaches for something it may not")
    except (RecursionError, MemoryError, SyntaxError):
        here.report("template-syntax", "the template is nested too deeply")
    except NameError:  # a literal such as 1e999, which Python writes as a name
        here.report("template-value", "a number in the template is too large")
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        here.report("template-value", f"the template fails: {error}")
    return _FAILED


def _value(part: nodes.Expr, values: Mapping[str, Any]) -> Any:
    # Most templates are a name or a name with an attribute: they need no compiling.
    if isinstance(part, nodes.Name) and part.name in values:
        return values[part.name]
    if isinstance(part, nodes.Getattr) and _name(part.node):
        holder = values.get(_name(part.node))
        if isinstance(holder, Mapping) and part.attr in holder:
            return holder[part.attr]
    body = nodes.Assign(nodes.Name("result", "store"), Bounded().visit(part))
    template = SANDBOX.from_string(nodes.Template([body], lineno=1))
    value = getattr(template.make_module(dict(values)), "result", None)
    if isinstance(value, Undefined):
        str(value)  # raises UndefinedError with the reason
    return value


def _nodes(root: nodes.Node) -> Iterator[nodes.Node]:
    """Yield a node and all below it, without recursion."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(list(node.iter_child_nodes())))


def _is_too_large(root: nodes.Node) -> bool:
    level, count = [root], 0
    for _ in range(MAX_EXPRESSION_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        count += len(level)
        if not level or count > MAX_EXPRESSION_NODES:
            break
    return bool(level)


class _Place:
    """Reports at the part of a scalar that a template message is about."""

    def __init__(self, scalar: Scalar, report: Report) -> None:
        self.scalar = scalar
        self._report = report
        self.begin, self.end = 0, len(str(scalar.value))

    def at_part(self, number: int) -> None:
        """Let the messages that follow be about the template with this number."""
        text, begin = str(self.scalar.value), -2
        for _ in range(number + 1):
            begin = text.find("{{", begin + 2)
        self.begin = max(begin, 0)
        end = text.find("}}", self.begin)
        self.end = end + 2 if end > 0 else len(text)

    def span(self, word: str = "") -> Span:
        """Return the place of the template, or of a word in it."""
        text, begin, length = str(self.scalar.value), self.begin, self.end - self.begin
        found = re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", text[begin : self.end])
        found = found or re.search(re.escape(word), text[begin : self.end])
        if word and found:
            begin, length = begin + found.start(), len(word)
        return inside(self.scalar, begin, length)

    def scalar_of_part(self) -> Scalar:
        """Return a scalar that stands where the template does."""
        return replace(self.scalar, span=self.span())

    def report(self, code: str, message: str, hint: str = "", word: str = "") -> None:
        self._report.add(code, self.scalar.source, self.span(word), message, hint)

    def allows(self, part: nodes.Expr, names: Names) -> bool:
        """Check every node of the expression against the allow-list."""
        if _is_too_large(part):
            self.report("template-syntax", "the template is too long or nested too deeply")
            return False
        # Before `default` and in `is defined`, a name may be undefined.
        lenient = {
            id(inner)
            for node in _nodes(part)
            if (isinstance(node, nodes.Filter) and node.name in ("default", "d"))
            or isinstance(node, nodes.Test)
            if node.node is not None
            for inner in _nodes(node.node)
        }
        return all(
            self.allows_node(node, names, may_be_undefined=id(node) in lenient)
            for node in _nodes(part)
        )

    def allows_node(self, node: nodes.Node, names: Names, *, may_be_undefined: bool) -> bool:
        if not isinstance(node, (*ALLOWED, nodes.Keyword)):
            hint = "it holds names, literals, comparisons, arithmetic and filters"
            self.report("template-forbidden", f"a template can't use {_name_of(node)}", hint)
        elif isinstance(node, nodes.Filter) and node.name not in SANDBOX.filters:
            hint = suggest(node.name, FILTERS, most=30)
            self.report("template-forbidden", f"there is no filter `{node.name}`", hint, node.name)
        elif isinstance(node, nodes.Test) and node.name not in SANDBOX.tests:
            hint = "the only one is `is defined`"
            self.report("template-forbidden", f"there is no test `{node.name}`", hint, node.name)
        elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            self.report("template-forbidden", f"`{node.attr}` can't be reached", "", node.attr)
        elif isinstance(node, nodes.Call) and not _may_call(node):
            self.report(
                "template-forbidden",
                "only `asset('path')` and methods of text such as `.lower()` can be called",
            )
        elif (
            isinstance(node, nodes.Name) and node.name not in names.known() and not may_be_undefined
        ):
            hint = suggest(node.name, names.known(), most=20)
            if node.name in ("parameters", "steps", "execution"):
                hint = f"what is known when the pipeline runs is written `${{{node.name}.…}}`"
            self.report("template-undefined", f"`{node.name}` is not defined", hint, node.name)
        else:
            return True
        return False

    def undefined(self, message: str, part: nodes.Expr, values: Mapping[str, Any]) -> None:
        """Report a name below a name that does not exist, with the nearest one."""
        for node in _nodes(part):
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


def _may_call(call: nodes.Call) -> bool:
    target = call.node
    if isinstance(target, nodes.Name):
        return target.name == "asset"
    return isinstance(target, nodes.Getattr) and target.attr in METHODS
