"""Splits numbers; run by an SKLearnProcessor."""

from __future__ import annotations

import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--share", type=float)
given = parser.parse_args()
folder = Path("/opt/ml/processing")
rows = [line for path in (folder / "input").glob("*.csv") for line in path.read_text().split()]
cut = round(given.share * len(rows))
for name, part in (("train", rows[:cut]), ("test", rows[cut:])):
    (folder / name / "part.csv").write_text("\n".join(part))
