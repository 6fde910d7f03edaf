"""Fits a factor; run by the SKLearn estimator in script mode."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from shared import read_pairs

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int)
parser.add_argument("--name")
parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
given = parser.parse_args()
pairs = read_pairs(Path(given.train))
factor = 0.0
for _ in range(given.rounds):
    factor += 0.5 * sum(y - factor * x for x, y in pairs) / sum(x for x, _ in pairs)
    print(f"loss={sum(abs(y - factor * x) for x, y in pairs):.6f}")
model = {"factor": factor, "name": given.name}
Path(given.model_dir, "model.json").write_text(json.dumps(model))
