"""Serves the factor, as the SKLearn image does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def model_fn(model_dir: str) -> dict[str, Any]:
    """Loads the model."""
    loaded: dict[str, Any] = json.loads(Path(model_dir, "model.json").read_text())
    return loaded


def input_fn(body: str, content_type: str) -> list[float]:
    """Reads one number a line."""
    if content_type != "text/csv":
        raise ValueError(f"unsupported content type: {content_type}")
    return [float(line) for line in body.split()]


def predict_fn(rows: list[float], model: dict[str, Any]) -> list[float]:
    """Multiplies."""
    return [row * model["factor"] for row in rows]


def output_fn(prediction: list[float], accept: str) -> tuple[str, str]:
    """Writes JSON."""
    return json.dumps(prediction), "application/json"
