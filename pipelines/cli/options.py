"""Options and habits that commands share."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.errors import SagedagError, UsageError

if TYPE_CHECKING:
    from pipelines.language.diagnostics import Diagnostic

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

FORMATS = ("text", "json", "github", "sarif")


def variables_option(function: Decorated) -> Decorated:
    """Add ``--var``."""
    return click.option(
        "--var",
        "variables",
        metavar="NAME=VALUE",
        multiple=True,
        help="A value for `{{ vars.NAME }}`; may be repeated.",
    )(function)


def environment_options(
    function: Decorated, meaning: str = "The environment (default: $SAGEDAG_ENV, else local)."
) -> Decorated:
    """Add ``--env`` and ``--var``; ``meaning`` is what the first is for."""
    add = click.option("--env", "environment", metavar="NAME", help=meaning)
    return add(variables_option(function))


def output_option(function: Decorated) -> Decorated:
    """Add ``-o`` for what else goes to standard output."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write to this file instead of standard output.",
    )(function)


def format_option(function: Decorated) -> Decorated:
    """Add ``--format`` for diagnostics."""
    return click.option(
        "--format",
        "style",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="How diagnostics are written.",
    )(function)


def chosen_environment(name: str | None) -> str:
    """Return the environment's name: the option, else ``SAGEDAG_ENV``, else ``local``."""
    return name or os.environ.get("SAGEDAG_ENV") or "local"


def pairs(values: Sequence[str], option: str) -> dict[str, str]:
    """Return ``NAME=VALUE`` arguments as a map.

    Raises:
        UsageError: one has no name or no equals sign.
    """
    made: dict[str, str] = {}
    for text in values:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise UsageError(f"{option} takes NAME=VALUE, not `{text}`")
        made[name] = value
    return made


def sources(paths: Sequence[str]) -> Iterator[tuple[Path, bytes | None]]:
    """Yield the definition files that arguments mean; standard input comes with its bytes.

    Without arguments, the definitions below the working directory.
    """
    from pipelines.language.project import find_definitions

    for path in find_definitions(paths or ["."]):
        yield _read(path)


def source(path: str) -> tuple[Path, bytes | None]:
    """Return the one definition file that an argument means; standard input with its bytes.

    Raises:
        UsageError: there is none, or there are several.
    """
    from pipelines.language.project import find_definition

    return _read(find_definition(path))


def _read(path: Path) -> tuple[Path, bytes | None]:
    """Return a file, and its bytes where it is standard input."""
    if str(path) == "-":
        return Path.cwd() / "stdin.yaml", sys.stdin.buffer.read()
    return path, None


def print_diagnostics(
    diagnostics: Sequence[Diagnostic],
    style: str,
    *,
    err: bool = False,
    titles: Mapping[str, str] | None = None,
) -> None:
    """Print diagnostics, coloured on a terminal; ``titles`` say what further codes mean."""
    from pipelines.language.diagnostics import render

    stream = sys.stderr if err else sys.stdout
    if diagnostics or style in ("json", "sarif"):
        color = style == "text" and use_color(stream)
        click.echo(render(diagnostics, style, color=color, titles=titles), err=err, color=color)


def print_error(error: SagedagError) -> None:
    """Print what ended a command; what it quotes may hold anything."""
    from pipelines.language.diagnostics import escape_control

    label = click.style("error", fg="red", bold=True)
    click.echo(f"{label}: {escape_control(error.message)}", err=True)
    if error.hint:
        click.echo(f"{click.style('hint', bold=True)}: {escape_control(error.hint)}", err=True)


def use_color(stream: Any) -> bool:
    """Say whether colours make sense: a terminal, and the user does not refuse them."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR")


def width_of(stream: Any, otherwise: int) -> int:
    """Return how wide a terminal is; of what is none, ``otherwise``."""
    return shutil.get_terminal_size((otherwise, 24)).columns if stream.isatty() else otherwise


def plural(count: int, word: str) -> str:
    """Return ``3 errors``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def write_text(path: Path, text: str) -> None:
    """Write a file so that readers see the old or the new content, never a part.

    Raises:
        UsageError: it can't be written.
    """
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from error
