"""Runs a definition in a store until the end, or goes on with a run; tests kill it at any moment.

Usage: killed_run.py FOLDER [EXECUTION]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pipelines.definition import read_definition
from pipelines.local.execute import execute
from pipelines.local.isolation import choose
from pipelines.local.options import RunOptions
from pipelines.local.store import open_store

folder, resume = Path(sys.argv[1]), (sys.argv[2:] or [""])[0]
definition = read_definition(json.loads((folder / "definition.json").read_text()))
with open_store(folder / ".sagedag") as store:
    print("running", flush=True)
    record = execute(
        definition,
        name="sample",
        base=folder,
        store=store,
        isolation=choose("auto"),
        options=RunOptions(parallelism=2, resume=resume),
    )
print(record.status)
