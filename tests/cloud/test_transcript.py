"""A deploy from the first plan to the way back, as somebody sees it: ``transcript.txt``.

``SAGEDAG_WRITE=1`` writes the transcript anew; read it before you commit it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from cloud_commands import sagedag
from moto_server import AwsServer

TRANSCRIPT = Path(__file__).with_name("transcript.txt")

SESSION = (
    "plan --env dev --detailed-exitcode",
    "upsert --env dev --alias live --yes",
    "plan --env dev --detailed-exitcode",
    "# in line/pipeline.yaml: max_depth: 6 → max_depth: 8",
    "plan --env dev --detailed-exitcode",
    "upsert --env dev --yes",
    "upsert --env dev --yes",
    "versions line --env dev",
    "promote line --env dev --version 2 --alias live --yes",
    "rollback line --env dev --yes",
    "versions line --env dev",
    "plan --env dev --detailed-exitcode",
)


def test_the_transcript(project: Path, aws: AwsServer) -> None:
    told: list[str] = []
    for line in SESSION:
        if line.startswith("#"):
            told.append(line)
            file, _, change = line.removeprefix("# in ").partition(": ")
            before, after = change.split(" → ")
            path = project / file
            path.write_text(path.read_text().replace(before, after))
            continue
        ran = sagedag(project, *line.split())
        shown = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-01-31 12:00", ran.out + ran.err)
        told += [f"$ sagedag {line}", shown.rstrip(), f"(exit {ran.code})", ""]
    text = "\n".join(told)
    if os.environ.get("SAGEDAG_WRITE"):
        TRANSCRIPT.write_text(text)
    assert text == TRANSCRIPT.read_text()
