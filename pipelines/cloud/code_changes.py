"""Which files of an asset differ between what is deployed and what is wanted."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.cloud.plan import CodeChange, FileChange

Files = Mapping[str, tuple[int, str]]
"""File name → size and SHA-256."""


def code_change(words: str, before: str, after: str, old: Files | None, new: Files) -> CodeChange:
    """Return what differs between two assets.

    Args:
        words: the field that names them.
        before, after: their URIs.
        old: the deployed asset's manifest; None where it could not be read.
        new: the wanted asset's files.
    """
    if old is None:
        return CodeChange(words, before, after, known=False)
    found: list[FileChange] = []
    for name in sorted({*old, *new}):
        first, second = old.get(name), new.get(name)
        if first is None and second is not None:
            found.append(FileChange("+", name, None, second[0]))
        elif second is None and first is not None:
            found.append(FileChange("-", name, first[0], None))
        elif first is not None and second is not None and first != second:
            found.append(FileChange("~", name, first[0], second[0]))
    return CodeChange(words, before, after, tuple(found))
