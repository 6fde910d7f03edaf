"""The boolean expressions of Condition steps.

``a >= 0.9 and (b == 1 or not c)`` is read, brought to negation normal form, then to the only form
that the service has: a list of clauses that must all hold, each one comparison or an ``Or`` of
comparisons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Union

from pipelines.language.foreign import settle
from pipelines.language.reference_syntax import Wrong
from pipelines.language.references import Scope, resolve_text
from steps._contract import Clause, Comparison
from steps._expressions import UNKNOWN, JsonGet, is_expression

MAX_CLAUSES = 64
"""More than this is refused: distributing ``and`` over ``or`` grows without bound."""
MAX_DEPTH = 50

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<op>==|!=|<=|>=|<|>)
    | (?P<punct>[()\[\],])
    | (?P<braced>\$\{[^}]*\})
    | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?(?![\w.]))
    | (?P<string>'[^']*'|"[^"]*")
    | (?P<json>json\(\s*(?:'[^']*'|"[^"]*")\s*\)
               (?:\.[\w-]+|\[[0-9]+\]|\['[^'\]]*'\]|\["[^"\]]*"\])+)
    | (?P<word>[A-Za-z_][\w-]*(?:\.[\w-]+|\[[0-9]+\]|\['[^'\]]*'\]|\["[^"\]]*"\])*)
    )""",
    re.VERBOSE | re.ASCII,
)
_SPACE = re.compile(r"\s*")
_OPERATORS = {
    "==": "Equals",
    "<": "LessThan",
    "<=": "LessThanOrEqualTo",
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqualTo",
}
_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    begin: int

    @property
    def end(self) -> int:
        return self.begin + len(self.text)


@dataclass(frozen=True)
class _Compare:
    operator: str
    left: Any
    right: Any


@dataclass(frozen=True)
class _Not:
    inner: _Tree


@dataclass(frozen=True)
class _And:
    parts: tuple[_Tree, ...]


@dataclass(frozen=True)
class _Or:
    parts: tuple[_Tree, ...]


_Tree = Union[_Compare, _Not, _And, _Or]


class _Refused(Exception):
    def __init__(
        self, begin: int, end: int, message: str, hint: str = "", code: str = "condition-syntax"
    ) -> None:
        super().__init__(message)
        self.wrong = Wrong(begin, end, message, hint, code)


def clauses_of(text: str, scope: Scope) -> tuple[Clause, ...] | list[Wrong]:
    """Return the clauses of a condition, or all that is wrong with it.

    Args:
        text: the expression.
        scope: resolves the references in it.
    """
    wrongs: list[Wrong] = []
    try:
        tree = _Reader(text, scope, wrongs).read()
        clauses = _clauses(_negated_inward(tree, negate=False))
        if len(clauses) > MAX_CLAUSES:
            raise _too_large(len(text))
    except _Refused as refused:
        return [*wrongs, refused.wrong]
    if wrongs:
        return wrongs
    return tuple(tuple(_comparison(part) for part in clause) for clause in clauses)


def _too_large(end: int) -> _Refused:
    return _Refused(
        0,
        end,
        f"the condition needs more than {MAX_CLAUSES} clauses",
        "split it into several Condition steps",
        "condition-too-large",
    )


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            begin = position + len(_SPACE.match(text, position)[0])  # type: ignore[index]  # matches
            bad = text[begin]
            hints = {
                "=": "compare with `==`",
                "&": "write `and`",
                "|": "write `or`",
                "!": "write `not`",
            }
            raise _Refused(begin, begin + 1, f"`{bad}` has no meaning here", hints.get(bad, ""))
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        position = match.end()
    return tokens


class _Reader:
    """A recursive-descent reader of conditions."""

    def __init__(self, text: str, scope: Scope, wrongs: list[Wrong]) -> None:
        self.text = text
        self.scope = scope
        self.wrongs = wrongs
        self.tokens = _tokens(text)
        self.position = 0
        self.depth = 0

    def read(self) -> _Tree:
        if not self.tokens:
            raise _Refused(0, max(1, len(self.text)), "the condition is empty")
        tree = self.disjunction()
        rest = self.peek()
        if rest is not None:
            hint = "join comparisons with `and` or `or`"
            raise _Refused(rest.begin, rest.end, f"`{rest.text}` is not expected here", hint)
        return tree

    def peek(self) -> _Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self, *texts: str) -> _Token | None:
        token = self.peek()
        if token is not None and token.kind != "string" and token.text in texts:
            self.position += 1
            return token
        return None

    def next(self, wanted: str) -> _Token:
        token = self.peek()
        if token is None:
            end = len(self.text.rstrip())
            raise _Refused(max(0, end - 1), end, f"the condition ends where {wanted} is expected")
        self.position += 1
        return token

    def disjunction(self) -> _Tree:
        parts = [self.conjunction()]
        while self.take("or"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else _Or(tuple(parts))

    def conjunction(self) -> _Tree:
        parts = [self.negation()]
        while self.take("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else _And(tuple(parts))

    def negation(self) -> _Tree:
        self.depth += 1
        token = self.peek()
        if self.depth > MAX_DEPTH and token is not None:
            raise _Refused(token.begin, token.end, "the condition is nested too deeply")
        try:
            if self.take("not"):
                return _Not(self.negation())
            if self.take("("):
                inner = self.disjunction()
                self.close(")")
                return inner
            return self.comparison()
        finally:
            self.depth -= 1

    def close(self, bracket: str) -> None:
        token = self.next(f"`{bracket}`")
        if token.text != bracket:
            raise _Refused(token.begin, token.end, f"`{bracket}` is expected here")

    def comparison(self) -> _Tree:
        first = self.position
        left = self.operand()
        begin = self.tokens[first].begin
        operator = self.operator()
        if operator is None:
            return self.bare(left, self.tokens[first])
        right = self.operand(many=operator in ("in", "not in"))
        end = self.tokens[self.position - 1].end
        another = self.peek()
        if another is not None and another.kind == "op":
            raise _Refused(
                another.begin,
                another.end,
                "comparisons can't be chained",
                "write `a < b and b < c`",
            )
        return self.checked(_Compare(operator, left, right), begin, end)

    def operator(self) -> str | None:
        token = self.peek()
        if token is None:
            return None
        if token.kind == "op":
            self.position += 1
            return token.text
        if self.take("in"):
            return "in"
        if self.take("not-in"):
            return "not in"
        following = self.tokens[self.position + 1 : self.position + 2]
        if token.text == "not" and following and following[0].text == "in":
            self.position += 2
            return "not in"
        return None

    def operand(self, *, many: bool = False) -> Any:
        token = self.next("a value")
        if token.kind == "punct" and token.text == "[":
            return self.items(token, many)
        if many:
            raise _Refused(token.begin, token.end, "`in` wants a list", "write `[a, b]`")
        if token.kind == "number":
            return float(token.text) if re.search(r"[.eE]", token.text) else int(token.text)
        if token.kind == "string":
            return self.literal(token)
        if token.text in ("true", "false"):
            return token.text == "true"
        if token.kind not in ("word", "braced", "json") or token.text in ("and", "or", "not", "in"):
            raise _Refused(token.begin, token.end, f"a value is expected, not `{token.text}`")
        return self.reference(token)

    def literal(self, token: _Token) -> Any:
        """Return a text in quotes; references in it make it a join, as everywhere else."""
        text = token.text[1:-1]
        if "${" not in text:
            return settle(text)
        found = resolve_text(text, self.scope)
        if not isinstance(found, list):
            return settle(found) if isinstance(found, str) else found
        shift = token.begin + 1
        self.wrongs += [replace(w, begin=w.begin + shift, end=w.end + shift) for w in found]
        return UNKNOWN

    def reference(self, token: _Token) -> Any:
        shift, text = token.begin, token.text
        if token.kind == "braced":
            shift, text = shift + 2, text[2:-1]
        found = self.scope.resolve(text)
        if isinstance(found, Wrong):
            hint = found.hint
            if re.fullmatch(r"[\w-]+", text) and "did you mean" not in hint:
                hint = f'for the text, write "{text}"'
            begin, end = found.begin + shift, found.end + shift
            self.wrongs.append(Wrong(begin, end, found.message, hint, found.code))
            return UNKNOWN
        return found

    def items(self, opening: _Token, many: bool) -> list[Any]:
        values: list[Any] = []
        while not self.take("]"):
            values.append(self.operand())
            if not self.take(","):
                self.close("]")
                break
        end = self.tokens[self.position - 1].end
        if not many:
            raise _Refused(opening.begin, end, "a list can only stand after `in` or `not-in`")
        if not values:
            raise _Refused(opening.begin, end, "the list is empty")
        return values

    def bare(self, value: Any, token: _Token) -> _Tree:
        if is_expression(value) and (value.type == "boolean" or isinstance(value, JsonGet)):
            return _Compare("==", value, True)
        what = "is not a boolean" if is_expression(value) else "is a constant"
        raise _Refused(
            token.begin,
            token.end,
            f"`{token.text}` {what}",
            "compare it: `… == value`",
            "condition-type",
        )

    def checked(self, compare: _Compare, begin: int, end: int) -> _Tree:
        """Return the comparison with its reference on the left, its types checked."""
        left, operator, right = compare.left, compare.operator, compare.right
        others = right if isinstance(right, list) else [right]
        if not is_expression(left) and not any(is_expression(other) for other in others):
            raise _Refused(
                begin,
                end,
                "two constants are compared",
                "one side must be a reference",
                "condition-type",
            )
        if not is_expression(left) and not isinstance(right, list):
            left, right, operator = right, left, _MIRRORED[operator]
        for other in others if isinstance(right, list) else [right]:
            kinds = _kind(left), _kind(other)
            if "any" not in kinds and kinds[0] != kinds[1]:
                raise _Refused(
                    begin, end, f"a {kinds[0]} is compared with a {kinds[1]}", "", "condition-type"
                )
            if operator in ("<", "<=", ">", ">=") and not {"any", "number"} & set(kinds):
                raise _Refused(
                    begin,
                    end,
                    f"`{operator}` compares numbers, not a {kinds[0]}",
                    "",
                    "condition-type",
                )
            if operator in ("<", "<=", ">", ">=") and set(kinds) & {"text", "boolean"}:
                raise _Refused(begin, end, f"`{operator}` compares numbers", "", "condition-type")
        return _Compare(operator, left, right)


def _kind(value: Any) -> str:
    if is_expression(value):
        found = {"integer": "number", "float": "number", "string": "text"}
        return str(found.get(value.type, value.type))
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else "text"


def _negated_inward(tree: _Tree, *, negate: bool) -> _Tree:
    """Return the tree without ``not``: it is taken into the comparisons."""
    if isinstance(tree, _Not):
        return _negated_inward(tree.inner, negate=not negate)
    if isinstance(tree, _Compare):
        if not negate:
            return tree
        if tree.operator in ("in", "not in"):
            return _Compare("not in" if tree.operator == "in" else "in", tree.left, tree.right)
        return _Compare(_OPPOSITE[tree.operator], tree.left, tree.right)
    parts = tuple(_negated_inward(part, negate=negate) for part in tree.parts)
    return _Or(parts) if isinstance(tree, _Or) != negate else _And(parts)


def _clauses(tree: _Tree) -> list[tuple[_Compare, ...]]:
    """Return the conjunctive normal form of a tree without ``not``."""
    if isinstance(tree, _Compare):
        return [(tree,)]
    assert isinstance(tree, (_And, _Or))
    if isinstance(tree, _And):
        return [clause for part in tree.parts for clause in _clauses(part)]
    product: list[tuple[_Compare, ...]] = [()]
    for part in tree.parts:
        choices = _clauses(part)
        if len(product) * len(choices) > MAX_CLAUSES:
            raise _too_large(1)
        product = [(*left, *right) for left in product for right in choices]
    return product


def _comparison(compare: _Compare) -> Comparison:
    if compare.operator in ("in", "not in"):
        return Comparison("In", compare.left, list(compare.right), compare.operator == "not in")
    if compare.operator == "!=":
        return Comparison("Equals", compare.left, compare.right, negated=True)
    return Comparison(_OPERATORS[compare.operator], compare.left, compare.right)
