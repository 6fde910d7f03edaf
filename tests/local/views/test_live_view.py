"""What a terminal shows of a run: a real pseudo-terminal, its screen as it would be seen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest
from rich.console import Console

from pipelines.local.jobs import Progress
from pipelines.local.views import board
from pipelines.local.views.board import Row
from pipelines.local.views.live import LiveView
from pipelines.local.views.plain import PlainView

HERE = Path(__file__).parent
SCREENS = HERE / "screens"
LONGEST = 30.0
"""Seconds after which a terminal that shows nothing new has failed."""


class Terminal:
    """A program in a terminal.

    Args:
        scene: what it draws.
        columns, lines: the terminal's size.
        environment: further variables of the program.
    """

    def __init__(self, scene: str, columns: int, lines: int, **environment: str) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=500)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.master, child = pty.openpty()
        self._size(columns, lines)
        unwanted = ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR")
        inherited = {k: v for k, v in os.environ.items() if k not in unwanted}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "view_scenes.py"), scene],
            stdin=child, stdout=child, stderr=child,
            env={**inherited, "TERM": "xterm-256color", **environment},
        )  # fmt: skip
        os.close(child)

    def _size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns: int, lines: int) -> None:
        self._size(columns, lines)
        self.screen.resize(lines, columns)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read_until(self, met: Callable[[], bool]) -> None:
        last = time.monotonic()
        while not met():
            if not select.select([self.master], [], [], 0.2)[0]:
                assert time.monotonic() - last < LONGEST, self.shown()
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            if not data:
                return
            last = time.monotonic()
            self.raw += data
            self.stream.feed(data)

    def until(self, title: str) -> str:
        self.read_until(lambda: self.screen.title == title)
        return self.shown()

    def end(self) -> str:
        self.type("end\n")
        self.read_until(lambda: False)
        assert self.process.wait(LONGEST) == 0
        return self.shown()

    def shown(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip() + "\n"

    def close(self) -> None:
        os.close(self.master)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_one(*options: object, **environment: str) -> Terminal:
        opened.append(Terminal(*options, **environment))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.mark.parametrize(
    ("scene", "columns", "lines"),
    [("small", 80, 24), ("small", 40, 12), ("small", 200, 24), ("many", 80, 24), ("many", 40, 12)],
)
def test_the_screen_of_a_run(
    terminal: Callable[..., Terminal], scene: str, columns: int, lines: int
) -> None:
    here = terminal(scene, columns, lines)
    shown = here.until("drawn") + "=" * 20 + "\n" + here.end()
    file = SCREENS / f"{scene}-{columns}x{lines}.txt"
    if os.environ.get("SAGEDAG_GOLDEN") == "write":
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


def test_drawing_again_replaces_what_was_drawn(terminal: Callable[..., Terminal]) -> None:
    here = terminal("small", 80, 24)
    first = here.until("drawn")
    here.type("draw\n")
    second = here.until("drawn again")
    still = re.compile(r"[⠀-⣿]|\d+\.\d+ s")
    assert still.sub("", first) == still.sub("", second)
    assert first != second


def test_a_window_that_changes_its_size_shows_each_step_once(
    terminal: Callable[..., Terminal],
) -> None:
    here = terminal("small", 80, 24)
    here.until("drawn")
    # This terminal cuts lines when it becomes narrower, where others wrap them: for those, more
    # lines are cleared than had to be here, and the tree is whole.
    here.resize(50, 24)
    here.type("draw\n")
    here.until("drawn again")
    shown = here.end()
    for name in ("preprocess", "search", "good-enough", "register", "score", "reject"):
        assert shown.count(f" {name} ") + shown.count(f" {name}\n") == 1, shown
    assert max(len(line) for line in shown.splitlines()) < 50


def test_no_color_means_no_color(terminal: Callable[..., Terminal]) -> None:
    colors = re.compile(rb"\x1b\[[0-9;]*3[0-7]m")
    here = terminal("small", 80, 24)
    here.until("drawn")
    assert colors.search(here.raw)
    here = terminal("small", 80, 24, NO_COLOR="1")
    here.until("drawn")
    assert not colors.search(here.raw)


def test_the_cursor_is_hidden_while_drawing_and_back_at_the_end(
    terminal: Callable[..., Terminal],
) -> None:
    here = terminal("small", 80, 24)
    here.until("drawn")
    assert here.screen.cursor.hidden
    here.end()
    assert not here.screen.cursor.hidden
    assert here.screen.cursor.x == 0


def rows(*states: str) -> list[Row]:
    return [
        Row(f"step-{n}", 0, "", state, 0.0 if state == "waiting" else float(n))
        for n, state in enumerate(states)
    ]


def test_where_room_is_short_what_failed_and_runs_is_shown() -> None:
    everything = rows(*["succeeded"] * 50, "failed", *["waiting"] * 50, "running")
    lines = [line.plain for line in board.draw(everything, 80, 7, 200.0)]
    assert len(lines) == 7
    assert [line.split()[1] for line in lines[:-1]] == [
        "step-49", "step-50", "step-51", "step-52", "step-53", "step-101"
    ]  # fmt: skip
    assert lines[-1] == ("  96 more; of all 102: 1 failed, 1 running, 50 succeeded, 50 waiting")


def test_a_row_is_shown_below_what_it_stands_in() -> None:
    loop = Row("each", 0, "", "running")
    rounds = [Row(f"fit-{n}", 1, "each", "waiting") for n in range(30)]
    rounds[20].state = "failed"
    lines = [line.plain for line in board.draw([*rows("waiting"), loop, *rounds], 80, 4, 1.0)]
    assert [line.split()[1] for line in lines[:-1]] == ["step-0", "each", "fit-20"]


@pytest.mark.parametrize("width", [1, 8, 20, 39, 59, 60, 80, 200])
def test_no_line_is_longer_than_the_screen(width: int) -> None:
    row = Row("数据" * 30, 3, "", "running", 0.0, note="ü数" * 200, count="3/8 jobs")
    for line in board.draw([row, Row("x" * 300), *rows(*["failed"] * 9)], width, 5, 9e5):
        assert line.cell_len <= max(width, 28)


def test_a_terminal_that_went_away_does_not_end_the_run() -> None:
    class Gone:
        encoding = "utf-8"

        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

        def flush(self) -> None:
            raise OSError(5, "Input/output error")

        def isatty(self) -> bool:
            return True

    view = LiveView(Console(file=Gone(), width=80, height=24), interval=0)  # type: ignore[arg-type]
    view.draw()
    view.ended("Succeeded")


def test_plain_lines_tell_of_parts_and_of_what_runs_on() -> None:
    import view_scenes

    lines: list[str] = []
    view = PlainView(lines.append, quiet=0.02)
    view_scenes.small(view, lambda _seconds: None)
    deadline = time.monotonic() + LONGEST
    while not any("running for" in line for line in lines) and time.monotonic() < deadline:
        time.sleep(0.01)
    view.ended("Failed")
    assert "search       1/8  001: depth=1 auc=0.91" in lines
    assert "register     failed in 1.2 s: ValidationException: no such group" in lines
    running = [line for line in lines if "running for" in line]
    assert any("job 001: depth=1  auc=0.91 (best so far)" in line for line in running)
    view.progress("search", Progress(2, 8, "jobs", "002", "failed", "depth=2  failed: \x1b[31mx"))
    assert "\x1b" not in lines[-1]
