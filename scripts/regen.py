"""Write everything in the repository that is generated, or check that it is up to date.

Usage: python scripts/regen.py [--check]

Each generator gives the files of one part of the repository. Files in a folder that a generator
owns, and that it does not give any more, are deleted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import command_pages  # noqa: E402 - after the path - found on the path that was set above
import error_pages  # noqa: E402 - after the path
import lint_pages  # noqa: E402 - after the path
import picture_files  # noqa: E402 - after the path
import reference_pages  # noqa: E402 - after the path


@dataclass(frozen=True)
class Generator:
    """A part of the repository that is generated.

    Args:
        make: gives the files' texts by their paths from the repository's root.
        owns: folders and patterns (``docs/errors/*.md``) whose files all come from ``make``.
    """

    make: Callable[[], Mapping[str, str]]
    owns: tuple[str, ...] = ()


GENERATORS: tuple[Generator, ...] = (
    Generator(reference_pages.schema),
    Generator(reference_pages.reference, owns=("docs/reference/kinds/*.md",)),
    Generator(command_pages.commands),
    Generator(error_pages.errors, owns=("docs/errors/*.md",)),
    Generator(lint_pages.pages, owns=("docs/lint/*.md",)),
    Generator(picture_files.pictures),
)
"""To generate more, add a function here."""


@dataclass(frozen=True)
class Change:
    """A file that differs from what would be generated; ``text`` is None where it must go."""

    path: str
    text: str | None


def changes(root: Path = ROOT, generators: Sequence[Generator] | None = None) -> list[Change]:
    """Return what writing would change below ``root``, sorted by path."""
    wanted: dict[str, str] = {}
    found: list[Change] = []
    for generator in GENERATORS if generators is None else generators:
        made = generator.make()
        wanted.update(made)
        present = {
            p.relative_to(root).as_posix() for glob in generator.owns for p in root.glob(glob)
        }
        found += [Change(path, None) for path in present - set(made)]
    for path, text in wanted.items():
        file = root / path
        if not file.is_file() or file.read_bytes() != text.encode():
            found.append(Change(path, text))
    return sorted(found, key=lambda change: change.path)


def apply(change: Change, root: Path = ROOT) -> None:
    """Write or delete one file; readers see the old or the new content, never a part."""
    path = root / change.path
    if change.text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as stream:
        stream.write(change.text.encode())
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Regenerate, or with ``--check`` list what is out of date and return 1."""
    parser = argparse.ArgumentParser(description="Write the generated files of the repository.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if files differ")
    options = parser.parse_args(arguments)
    found = changes(root)
    for change in found:
        if not options.check:
            apply(change, root)
        verb = "delete" if change.text is None else "write"
        print(f"{'out of date' if options.check else verb}: {change.path}")
    if options.check and found:
        print("run `make regen` and commit the result", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
