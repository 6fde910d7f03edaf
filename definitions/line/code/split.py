"""Split points 80 to 20: every fifth row is for testing."""

from __future__ import annotations

import csv
from pathlib import Path

ROOT = Path("/opt/ml/processing")


def main() -> None:
    """Read the points and write both parts."""
    with next((ROOT / "points").glob("*.csv")).open(newline="") as stream:
        header, *rows = csv.reader(stream)
    parts = {
        "train": [row for number, row in enumerate(rows) if number % 5],
        "test": rows[::5],
    }
    for name, part in parts.items():
        with (ROOT / name / "points.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([header, *part])
        print(f"{name}: {len(part)} points")


if __name__ == "__main__":
    main()
