"""Fit a straight line by least squares and measure it on the points kept back."""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path

Points = list[tuple[float, float]]


def read(channel: str) -> Points:
    """Return the points of a channel."""
    folder = Path(os.environ[f"SM_CHANNEL_{channel}"])
    with next(folder.glob("*.csv")).open(newline="") as stream:
        return [(float(row["x"]), float(row["y"])) for row in csv.DictReader(stream)]


def fit(points: Points) -> tuple[float, float]:
    """Return slope and intercept of the line with the least squared error."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return slope, mean_y - slope * mean_x


def main() -> None:
    """Fit, measure, and save the line."""
    slope, intercept = fit(read("TRAIN"))
    test = read("TEST")
    rmse = math.sqrt(sum((y - slope * x - intercept) ** 2 for x, y in test) / len(test))
    print(f"y = {slope:.3f} x + {intercept:.3f}, rmse={rmse:.4f}")
    model = Path(os.environ["SM_MODEL_DIR"]) / "line.json"
    model.write_text(json.dumps({"slope": slope, "intercept": intercept}))


if __name__ == "__main__":
    main()
