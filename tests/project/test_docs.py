"""The documentation's links lead somewhere, and its commands and examples are ones that exist."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
import yaml

from pipelines.cli import root

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("definitions/**/*.md"),
    ]
)
HAND_WRITTEN = [page for page in PAGES if page.parent in (ROOT, ROOT / "docs")]

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(sagedag [^`]+)`")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def test_every_link_leads_somewhere() -> None:
    wrong = []
    for page in PAGES:
        text = re.sub(r"`[^`\n]*`", "", _FENCED.sub("", page.read_text(encoding="utf-8")))
        for target in _LINK.findall(text):
            path, _, anchor = unquote(target).partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            place = (page.parent / path).resolve() if path else page
            if not place.exists() or (anchor and anchor not in anchors(place)):
                wrong.append(f"{name_of(page)}: {target}")
    assert wrong == []


def commands(page: Path) -> Iterator[str]:
    """Yield the command lines of a page: in blocks behind a prompt or alone, and inside texts."""
    text = page.read_text(encoding="utf-8")
    for language, block in _FENCED.findall(text):
        for line in block.splitlines():
            start = line.removeprefix("$ ")
            if start.startswith("sagedag ") and language in ("console", "sh", "bash", ""):
                yield start
    yield from _INLINE.findall(_FENCED.sub("", text))


LINES = sorted({(name_of(page), line) for page in HAND_WRITTEN for line in commands(page)})


@pytest.mark.parametrize(("page", "line"), LINES)
def test_a_command_and_its_options_exist(page: str, line: str) -> None:
    del page
    words = shlex.split(re.split(r" [|>&] | && | \.\.\.| …", line)[0], comments=True)
    command: click.Command = root
    context = click.Context(root, info_name="sagedag")
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        assert found is not None, f"there is no command {rest[0]}"
        command, rest = found, rest[1:]
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    known.add("--help")
    for word in rest:
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0] in known, f"{command.name} has no {word}"


def test_every_room_is_on_the_map() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = [
        path.name + ("/" if path.is_dir() else "")
        for path in (ROOT / "pipelines").iterdir()
        if (path.is_dir() or path.suffix == ".py") and not path.name.startswith("_")
    ]
    assert [room for room in sorted(rooms) if f"{room}`" not in text] == []
    # And what is on the map is there.
    named = re.findall(r"^\| `([\w/.<>]+)`", text, re.MULTILINE)
    assert [name for name in named if "<" not in name and not (ROOT / name).exists()] == []


def test_there_are_commands_to_look_at() -> None:
    assert len(LINES) > 100


BLOCKS = [
    pytest.param(language, block, id=f"{name_of(page)}-{number}")
    for page in HAND_WRITTEN
    for number, (language, block) in enumerate(_FENCED.findall(page.read_text(encoding="utf-8")))
    if language in ("json", "python", "yaml")
]


@pytest.mark.parametrize(("language", "block"), BLOCKS)
def test_an_example_can_be_read(language: str, block: str) -> None:
    if language == "json":
        json.loads(block)
    elif language == "yaml":
        yaml.safe_load(block)
    elif language == "python":
        compile(block, "example", "exec")
