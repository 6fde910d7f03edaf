"""What the scripts share."""

from __future__ import annotations

from pathlib import Path


def read_pairs(folder: Path) -> list[tuple[float, float]]:
    """Returns the pairs of numbers in a folder's files."""
    lines = [line for path in sorted(folder.iterdir()) for line in path.read_text().split()]
    pairs = (line.split(",") for line in lines)
    return [(float(x), float(y)) for x, y in pairs]
