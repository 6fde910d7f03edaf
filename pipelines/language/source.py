"""Reading YAML: hostile text in, a tree with places out.

The tree is built from parser events without recursion, so depth and size are limited before
anything is made of them. Scalars follow JSON's grammar with YAML 1.2's null and booleans.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipelines.language.diagnostics import Report
from pipelines.language.events import TooDeep, parse_events
from pipelines.language.nodes import Entry, MapNode, Node, Scalar, Sequence, Source, Span, Value

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 50_000
TOO_DEEP = f"more than {MAX_DEPTH} levels of nesting"

_STRAY = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
"""What no YAML text holds (YAML 1.2, "Character set"), and the noncharacters that
:mod:`pipelines.language.foreign` takes for itself."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,300})", re.ASCII)
_FLOAT = re.compile(
    r"-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,4})?", re.ASCII
)
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class _Refused(Exception):
    """The text can't be read further; the report says why."""


def read(path: Path, name: str, data: bytes, report: Report) -> Node | None:
    """Return the tree of a YAML text; None (and diagnostics) where it can't be read.

    Args:
        path: the file, absolute; relative paths inside it start from its folder.
        name: how messages call it.
        data: the file's bytes, UTF-8.
    """
    source = Source(path, name)
    if len(data) > MAX_BYTES:
        limit = f"the file has {len(data):,} bytes; a definition has at most {MAX_BYTES:,}"
        report.add("too-large", source, Span(1, 1, 2), limit)
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        shown = Source(path, name, data.decode("utf-8-sig", "replace"))
        offset = len(data[: error.start].decode("utf-8-sig"))
        hint = "save the file as UTF-8"
        report.add("yaml-syntax", shown, shown.at(offset), "the text is not UTF-8", hint)
        return None
    source = Source(path, name, text)
    stray = _STRAY.search(text)
    if stray is not None:
        message = f"the character U+{ord(stray.group()):04X} is not allowed in YAML"
        report.add("yaml-syntax", source, source.at(stray.start()), message)
        return None
    try:
        return _Builder(source, report).build()
    except _Refused:
        return None
    except TooDeep as found:
        span = Span(found.line + 1, found.column + 1, found.column + 2)
        report.add("too-large", source, span, TOO_DEEP)
    except yaml.MarkedYAMLError as error:
        _report_syntax(error, source, report)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        report.add("yaml-syntax", source, Span(1, 1, 2), f"the text can't be parsed: {error}")
    return None


def _report_syntax(error: yaml.MarkedYAMLError, source: Source, report: Report) -> None:
    """Translate the parser's error; the slips that everybody makes get their own words."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = source.lines or [""]
    line = min(line, len(lines) - 1)
    here = lines[line]
    for number in (line, line - 1):
        slip = re.search(r"(?<!['\"\w])\$\{[^}]*\}?", lines[number]) if number >= 0 else None
        opened = slip and re.search(r"[\[{,]", lines[number][: slip.start()])
        if slip and opened:
            span = Span(number + 1, slip.start() + 1, slip.end() + 1)
            hint = f'write "{slip.group()}"'
            message = "`${` inside [ ] or { } must be quoted"
            report.add("quote-it", source, span, message, hint)
            return
    template = re.search(r"(?:^|[:\-,\[]\s*)(\{\{.*?(?:\}\}|$)[^#]*)", here)
    if template:
        value = template.group(1).rstrip()
        span = Span(line + 1, template.start(1) + 1, template.start(1) + len(value) + 1)
        message = "a value that begins with `{{` must be quoted"
        report.add("quote-it", source, span, message, f'write "{value}"')
        return
    if re.match(r"\s*\t", here):
        column = here.index("\t")
        span = Span(line + 1, column + 1, column + 2)
        report.add("yaml-syntax", source, span, "YAML indents with spaces, never with tabs")
        return
    message, hint, at_start = _in_words(error, here[column : column + 1], here[:column])
    if at_start and error.context_mark:
        line, column = error.context_mark.line, error.context_mark.column
    span = Span(line + 1, column + 1, column + 2)
    report.add("yaml-syntax", source, span, message, hint)


def _in_words(error: yaml.MarkedYAMLError, sign: str, before: str) -> tuple[str, str, bool]:
    """Return the parser's message and a hint, and whether to point at what was begun before."""
    problem, context = str(error.problem or ""), str(error.context or "")
    begun = error.context_mark
    if "mapping values are not allowed" in problem:
        hint = (
            "quote the value if it contains `: `, or check the indentation and that the line above "
            "has its `:`"
        )
        return "a `:` can't stand here", hint, False
    if "quoted scalar" in context and "end of stream" in problem:
        return "the quote is never closed", "", True
    if "flow" in context and "expected" in problem:
        opening, closing = "{}" if "mapping" in context else "[]"
        where = f"line {begun.line + 1}, column {begun.column + 1}" if begun else "a line above"
        message = f"a `,` or the closing `{closing}` is missing before this"
        quote = "; a value with `: ` in it is quoted" if sign == ":" else ""
        return message, f"the `{opening}` stands in {where}{quote}", False
    if "cannot start any token" in problem:
        return f"a value can't begin with `{sign}`", "quote it", False
    if "block" in context and "expected" in problem and before.rstrip().endswith(('"', "'")):
        hint = 'a quote inside is written twice in \'…\', and \\" in "…"'
        return "text goes on after the closing quote", hint, False
    if "block" in context and "expected" in problem:
        hint = "keys of one map stand exactly below each other"
        return "this line's indentation fits nothing above it", hint, False
    return f"YAML: {problem or context or 'the text is no YAML'}".strip(), "", False


@dataclass
class _Open:
    """A collection whose end has not been read yet."""

    is_map: bool
    mark: Any
    anchor: str | None
    flow: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Scalar | None = None
    weight: int = 1


class _Builder:
    """Builds the tree from the parser's events."""

    def __init__(self, source: Source, report: Report) -> None:
        self.source = source
        self.report = report
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.pending: set[str] = set()
        self.root: Node | None = None
        self.documents = 0
        self.nodes = 0

    def build(self) -> Node | None:
        for event in parse_events(self.source.text, MAX_DEPTH):
            self.take(event)
        if self.root is None:
            hint = "begin one with `sagedag init`"
            self.report.add(
                "empty", self.source, Span(1, 1, 2), "the file holds no definition", hint
            )
        return self.root

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.refuse(
                    event,
                    "yaml-syntax",
                    "one file holds one definition; `---` begins a second one here",
                )
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self.open(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self.close()
        elif isinstance(event, yaml.ScalarEvent):
            self.check_tag(event)
            scalar = self.scalar(event)
            # Long texts and templates count for more: aliases must not multiply them either.
            weight = 1 + len(scalar.text) // 256 + scalar.text.count("{{")
            self.remember(event.anchor, scalar, weight)
            self.add(scalar, weight)
        elif isinstance(event, yaml.AliasEvent):
            anchor = str(event.anchor)
            if anchor in self.pending or anchor not in self.anchors:
                self.refuse(
                    event,
                    "yaml-alias",
                    f"the alias `*{anchor}` stands inside its own anchor"
                    if anchor in self.pending
                    else f"there is no anchor `&{anchor}` above this alias",
                    "a value that begins with `*` must be quoted",
                    width=len(anchor) + 1,
                )
            node, weight = self.anchors[anchor]
            self.add(node, weight)

    def open(self, event: Any) -> None:
        self.check_tag(event)
        is_map = isinstance(event, yaml.MappingStartEvent)
        parent = self.stack[-1] if self.stack else None
        if parent is not None and parent.is_map and parent.key is None:
            if parent.flow and is_map:
                value = self.template_text(parent.mark)
                self.refuse(
                    parent,
                    "quote-it",
                    "a value that begins with `{{` must be quoted",
                    f'write "{value}"',
                    width=len(value),
                )
            self.refuse(event, "yaml-syntax", "a key is text; this one is a list or a map")
        if len(self.stack) >= MAX_DEPTH:
            self.refuse(event, "too-large", TOO_DEEP)
        if event.anchor:
            self.pending.add(event.anchor)
        self.stack.append(_Open(is_map, event.start_mark, event.anchor, bool(event.flow_style)))

    def template_text(self, mark: Any) -> str:
        """Return the unquoted text that begins with `{{` at a mark."""
        rest = self.source.lines[mark.line][mark.column :]
        if any(each.flow for each in self.stack[:-1]):
            end = re.search(r"\}\}[^,\]}]*", rest)
            return str(rest[: end.end()]).rstrip() if end else str(rest)
        return str(re.split(r"\s#", rest)[0]).rstrip()

    def close(self) -> None:
        done = self.stack.pop()
        at = self.span(done.mark, done.mark)
        node: Node
        if done.is_map:
            node = MapNode(done.entries, self.source, at)
        else:
            node = Sequence(tuple(done.items), self.source, at)
        self.pending.discard(done.anchor or "")
        self.remember(done.anchor, node, done.weight)
        self.add(node, done.weight)

    def add(self, node: Node, weight: int) -> None:
        """Put a finished node where it belongs; ``weight`` counts its nodes, aliases unfolded."""
        if not self.stack:
            self.root = node
            self.count(node, weight)
            return
        parent = self.stack[-1]
        parent.weight += weight
        self.count(node, parent.weight)
        if not parent.is_map:
            parent.items.append(node)
        elif parent.key is None:
            self.add_key(parent, node)
        else:
            if parent.key.text == "<<" and not parent.key.quoted:
                # It is refused; what is merged counts all the same, so that nothing is missing.
                merged = node.entries if isinstance(node, MapNode) else {}
            else:
                merged = {str(parent.key.value): Entry(parent.key, node)}
            parent.entries.update({k: v for k, v in merged.items() if k not in parent.entries})
            parent.key = None

    def add_key(self, parent: _Open, node: Node) -> None:
        if not isinstance(node, Scalar):
            self.report.at(node, "yaml-syntax", "a key is text; this one is a list or a map")
            raise _Refused
        if node.text == "<<" and not node.quoted:
            self.report.at(
                node,
                "yaml-merge",
                "`<<` is not part of YAML 1.2",
                "share blocks between files with `extends`, between steps with "
                "`defaults`, or repeat an anchor as a whole value",
            )
        known = parent.entries.get(node.text)
        if known is not None:
            self.report.at(
                node,
                "duplicate-key",
                f"`{node.text}` stands here twice",
                f"the first one is in line {known.key.span.line}",
            )
        parent.key = Scalar(node.text, node.text, node.source, node.span, node.quoted)

    def count(self, node: Node, weight: int) -> None:
        if weight > MAX_NODES:
            self.report.at(node, "too-large", f"more than {MAX_NODES:,} values, aliases unfolded")
            raise _Refused

    def remember(self, anchor: str | None, node: Node, weight: int) -> None:
        if anchor:
            self.anchors[anchor] = (node, weight)

    def check_tag(self, event: Any) -> None:
        tag = event.tag
        if tag and tag not in ("!", "tag:yaml.org,2002:str"):
            self.refuse(
                event,
                "yaml-tag",
                f"the tag `{tag.replace('tag:yaml.org,2002:', '!!')}` is not part of the language",
                "write the value plainly",
                width=len(tag.replace("tag:yaml.org,2002:", "!!")),
            )

    def scalar(self, event: Any) -> Scalar:
        text = event.value
        quoted = event.style in ("'", '"')
        block = event.style in ("|", ">")
        value: Value = text
        if event.implicit[0] and not quoted and not block and event.tag is None:
            value = resolve_plain(text)
        span = self.span(event.start_mark, event.end_mark)
        return Scalar(value, text, self.source, span, quoted, block)

    def span(self, start: Any, end: Any) -> Span:
        stop = end.column if end.line == start.line else start.column + 1
        return Span(start.line + 1, start.column + 1, max(stop, start.column + 1) + 1)

    def refuse(self, event: Any, code: str, message: str, hint: str = "", width: int = 1) -> None:
        mark = event.mark if isinstance(event, _Open) else event.start_mark
        span = Span(mark.line + 1, mark.column + 1, mark.column + 1 + width)
        self.report.add(code, self.source, span, message, hint)
        raise _Refused


def resolve_plain(text: str) -> Value:
    """Return the value of a plain scalar: JSON's numbers, YAML 1.2's null and booleans, or text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
