"""``sagedag fmt``: put keys in the documented order."""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from pipelines.errors import DefinitionError, FindingsError, UsageError
from pipelines.language.formatter import FormatRefused, KeyOrder, format_text
from pipelines.language.formatting.outline import split_lines

STDIN = "-"
_FILES = ("pipeline.yaml", "environments.yaml")
_PASSED_OVER = {"node_modules", "__pycache__", "venv"}

TOP = (
    "pipeline",
    "description",
    "display_name",
    "extends",
    "role",
    "vars",
    "parameters",
    "defaults",
    "steps",
    "parallelism",
    "schedules",
    "experiment",
    "mlflow",
    "tags",
    "pipeline_fields",
    "environments",
)
_STEP_FIRST = ("type", "display_name", "description", "depends_on", "matrix")
_STEP_LAST = ("cache", "retry", "request", "step_fields")


@dataclass(frozen=True)
class Formatted:
    """A file's name for people, its text and its text formatted."""

    name: str
    before: str
    after: str


def documented_order() -> KeyOrder:
    """Return the order that the reference documents, the kinds' fields included."""
    from steps import KINDS

    kinds = {kind.name: tuple(kind.fields) for kind in KINDS}

    def step(kind: str) -> tuple[str, ...]:
        own = (
            name
            for name in kinds.get(kind, ())
            if name not in _STEP_FIRST and name not in _STEP_LAST
        )
        return (*_STEP_FIRST, *own, *_STEP_LAST)

    return KeyOrder(TOP, step)


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@click.option("--check", is_flag=True, help="Change nothing; exit 7 if a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change.")
def command(paths: tuple[str, ...], check: bool, diff: bool) -> None:
    """Put keys in the documented order; keep comments and every value as written.

    PATH is a definition, a directory (every pipeline.yaml and environments.yaml below it; by
    default the working directory) or `-` (standard input to standard output). Steps and
    parameters stay in their own order.

    \b
    Examples:
      sagedag fmt
      sagedag fmt definitions/pulsar/pipeline.yaml --diff
      sagedag fmt --check definitions
      sagedag fmt - < pipeline.yaml
    """
    order = documented_order()
    changed: list[str] = []
    refusals: list[str] = []
    for path in find_files(paths or (".",)):
        name = "<stdin>" if path == STDIN else _shown(path)
        try:
            result = format_file(path, name, order)
        except FormatRefused as refusal:
            refusals.append(f"{name}:{refusal.line}:{refusal.column}: {refusal.message}")
            continue
        differs = result.before != result.after
        if differs:
            changed.append(name)
        if diff:
            _print_diff(result)
        elif path == STDIN and not check:
            _write_standard_output(result.after)
        elif differs and not check:
            write_atomically(Path(path), result.after)
        if differs and not diff and (check or path != STDIN):
            click.echo(name if check else f"formatted {name}")
    if refusals:
        raise DefinitionError(
            "not formatted:\n  " + "\n  ".join(refusals),
            "a file that is not formatted is not touched; `sagedag validate` says more",
        )
    if check and changed:
        count = "1 file" if len(changed) == 1 else f"{len(changed)} files"
        raise FindingsError(f"{count} would change", "run `sagedag fmt`")


def find_files(paths: tuple[str, ...]) -> list[str]:
    """Return the files that ``paths`` mean, each once, a directory's in the order of their names.

    Raises:
        UsageError: a path does not exist, or `-` stands beside other paths.
    """
    if STDIN in paths:
        if len(paths) > 1:
            raise UsageError("`-` stands for standard input and cannot be one of several paths")
        return [STDIN]
    found: dict[str, None] = {}
    for path in paths:
        if Path(path).is_dir():
            found.update(dict.fromkeys(_below(path)))
        elif Path(path).is_file():
            found[path] = None
        else:
            raise UsageError(f"there is no file or directory {_shown(path)}")
    return list(found)


def _below(directory: str) -> list[str]:
    found: list[str] = []
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _PASSED_OVER
        )
        found.extend(
            str(Path(folder, name))
            for name in _FILES
            if name in names and Path(folder, name).is_file()
        )
    return found


def format_file(path: str, name: str, order: KeyOrder) -> Formatted:
    """Read and format one file.

    Raises:
        FormatRefused: it is not UTF-8, or cannot be formatted safely.
        UsageError: it cannot be read.
    """
    try:
        raw = sys.stdin.buffer.read() if path == STDIN else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FormatRefused("the file is not UTF-8", line) from None
    return Formatted(name, text, format_text(text, order))


def write_atomically(path: Path, text: str) -> None:
    """Replace the file's content in one move; its mode stays, and a link stays a link.

    Raises:
        UsageError: the folder or the file cannot be written.
    """
    target = path.resolve()
    temporary = ""
    try:
        mode = target.stat().st_mode & 0o7777
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode("utf-8"))
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    except OSError as error:
        raise UsageError(f"cannot write {_shown(str(path))}: {error.strerror}") from None
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _print_diff(result: Formatted) -> None:
    before = split_lines(result.before)
    after = split_lines(result.after)
    for line in difflib.unified_diff(before, after, result.name, f"{result.name} (formatted)"):
        shown = line.rstrip("\r\n")
        click.echo(shown)
        if not line.endswith(("\n", "\r")):
            click.echo("\\ No newline at end of file")


def _write_standard_output(text: str) -> None:
    # Bytes, so that CRLF stays CRLF and the terminal's encoding has no say.
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def _shown(path: str) -> str:
    """Return the path for people: control characters escaped, undecodable bytes visible."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "replace").decode("ascii")
        for char in path
    )
