"""Splits a CSV file without a header into train, validation and test sets, the label first."""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

PROCESSING = Path("/opt/ml/processing")
PARTS = {"train": 0.7, "validation": 0.15, "test": 0.15}


def main() -> None:
    """Reads the files that SageMaker mounted; the argument only says where they came from."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--input-data", required=True)
    print("splitting", parser.parse_args().input_data)
    rows: list[list[str]] = []
    for path in sorted((PROCESSING / "input").glob("*.csv")):
        with path.open(newline="") as file:
            rows.extend([row[-1], *row[1:-1]] for row in csv.reader(file))
    random.Random(7).shuffle(rows)
    start = 0
    for name, share in PARTS.items():
        end = start + round(share * len(rows))
        with (PROCESSING / name / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows[start:end])
        start = end


if __name__ == "__main__":
    main()
