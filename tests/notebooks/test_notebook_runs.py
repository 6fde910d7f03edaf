"""A notebook's step on this machine: what its image would run is not here, and that is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DEFINITION = """\
pipeline: books
steps:
  book:
    type: NotebookJob
    notebook: explore.ipynb
    image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-distribution-prod:1-cpu
    kernel: python3
"""


def test_a_notebook_fails_with_the_reason_and_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(DEFINITION)
    (tmp_path / "explore.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4}')
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "run", "pipeline.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5, done.stdout + done.stderr
    told = " ".join((done.stdout + done.stderr).split())
    assert "a notebook is run by 'amazon_sagemaker_scheduler'" in told
    assert "jupyter execute" in told
