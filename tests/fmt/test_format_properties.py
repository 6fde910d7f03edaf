from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from orders import FIELDS, LAST, ORDER

from pipelines.cli.fmt import TOP
from pipelines.language.formatter import FormatRefused, format_text

SCALARS = st.sampled_from(
    [
        "1",
        "'a # b'",
        '"{{ x }}"',
        "null",
        "{b: 1, a: 2}",
        "[z, y]",
        "{b: 1,\n@  a: [2,\n@ # inside\n@ 3]}",
        "|\n@  text  \n@  # no comment\n\n@  more",
        "|-\n@  text\n@\n",
        "|+\n@  kept\n\n",
        ">\n@  folded\n@  text",
        '"two\n@  # lines  \n@  "',
        "'it''s\n\n@  long'",
        "plain\n@  goes on  ",
        "x   # why",
        "",
        "&a 1",
        "*a",
        "&b {q: 1}",
        "*b",
        "\n@  deeper: 1\n@  # in\n@  again:\n@    - 1\n@    # item\n@    - z: 2\n@      a: 1",
    ]
)
COMMENTS = st.sampled_from(
    [
        "",
        "",
        "",
        "\n",
        "\n\n",
        "@# c{n}\n",
        "\n@# c{n}\n",
        "@# c{n}\n\n",
        "@    # deep c{n}\n",
        "@    # c{n}\n\n@# c{n}'\n",
        "# left c{n}\n",
    ]
)
NAMES = st.lists(st.sampled_from(["zeta", "alpha", "mid", "x-1"]), unique=True, max_size=3)


class Writer:
    """Writes a YAML file whose comments are numbered, so that each can be looked for."""

    def __init__(self, draw: Callable[..., object]) -> None:
        self.draw = draw
        self.count = 0

    def gap(self, indent: str) -> str:
        self.count += 1
        text = str(self.draw(COMMENTS))
        return text.replace("{n}", f"{self.count}.").replace("@", indent)

    def entries(self, keys: list[str], indent: str, value: Callable[[str, str], str]) -> str:
        return "".join(f"{self.gap(indent)}{indent}{key}:{value(key, indent)}\n" for key in keys)

    def scalar(self, key: str, indent: str) -> str:
        return " " + str(self.draw(SCALARS)).replace("@", indent)

    def step(self, key: str, indent: str) -> str:
        kind = str(self.draw(st.sampled_from(sorted(FIELDS))))
        known = st.lists(st.sampled_from([*FIELDS[kind], *LAST]), unique=True, max_size=4)
        keys = ["type", *self.draw(known), *self.draw(NAMES)]  # type: ignore[misc]
        keys = self.draw(st.permutations(keys))  # type: ignore[assignment]

        def field(name: str, at: str) -> str:
            if name == "type":
                return f" {kind}"
            if name in ("then", "else") and len(indent) < 8:
                return self.steps(name, at)
            return self.scalar(name, at)

        return "\n" + self.entries(keys, indent + "  ", field).rstrip("\n")

    def steps(self, key: str, indent: str) -> str:
        names = self.draw(NAMES) or ["only"]
        return "\n" + self.entries(names, indent + "  ", self.step).rstrip("\n")  # type: ignore[arg-type]


@st.composite
def definitions(draw: Callable[..., object]) -> str:
    writer = Writer(draw)
    keys = draw(st.lists(st.sampled_from([*TOP, "x-1", "odd"]), unique=True, max_size=6))

    def value(key: str, indent: str) -> str:
        if key == "steps":
            return writer.steps(key, indent)
        return writer.scalar(key, indent)

    text = writer.entries(keys, "", value) + writer.gap("")  # type: ignore[arg-type]
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return text


class Plain(yaml.SafeLoader):
    """Keeps `<<` a key and everything else a string."""

    yaml_implicit_resolvers: dict[str, list[object]] = {}


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(definitions())
def test_formatting_twice_is_formatting_once_and_nothing_is_lost(text: str) -> None:
    try:
        data = yaml.load(text, Loader=Plain)
    except yaml.YAMLError:
        data = assume(False)
    try:
        once = format_text(text, ORDER)
    except FormatRefused as refusal:
        # Only what is refused on purpose; never "would change", "would lose".
        assert re.search("line break", refusal.message), refusal.message
        return
    assert format_text(once, ORDER) == once
    assert yaml.load(once, Loader=Plain) == data
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    assert sorted(lines) == sorted(line.rstrip() for line in once.splitlines() if line.strip())
    assert once == "" or once.endswith("\n")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    definitions(),
    st.lists(
        st.tuples(st.integers(0, 400), st.text("\n\t {}[]:-#&*|>'\"%?,a", max_size=3)), max_size=4
    ),
)
def test_any_text_is_formatted_or_refused(text: str, edits: list[tuple[int, str]]) -> None:
    for place, piece in edits:
        text = text[:place] + piece + text[place + 1 :]
    try:
        once = format_text(text, ORDER)
    except FormatRefused as refusal:
        assert refusal.line >= 1
        assert refusal.column >= 1
        return
    assert format_text(once, ORDER) == once


@pytest.mark.parametrize("text", ["key: |\n  x\n", "a: >-\n\n  b\n\n\n"])
def test_block_scalars_at_the_end(text: str) -> None:
    assert format_text(text, ORDER) == text.rstrip("\n") + "\n"
