"""Notebook steps, run: parameters, kernel, the notebook as it ran, and a cell that fails."""

from __future__ import annotations

import importlib.util
import json
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest
from sagedag_process import run_sagedag

from pipelines.local.isolation import choose
from pipelines.local.jobs import JobContext, JobFailed
from pipelines.local.jobs.drivers.notebook import notebook_command
from pipelines.local.objects import ObjectStore

DEFINITION = """\
pipeline: books
environments: {local: {}}
defaults:
  NotebookJob:
    image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-distribution-prod:1-cpu
    kernel: python3
steps:
  good:
    type: NotebookJob
    notebook: good.ipynb
    arguments: {night: 2026-01-01}
    dependencies: [survey.py]
    setup: setup.sh
    output: s3://bucket/books
  bad:
    type: NotebookJob
    notebook: bad.ipynb
    kernel: conda-env-x
"""


PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
PICTURE = (
    "import base64\nfrom IPython.display import Image, display\n"
    f"display(Image(data=base64.b64decode('{PIXEL}'), format='png'))"
)


def notebook(path: Path, *cells: str) -> None:
    """Write a notebook whose first cell is that of the parameters."""
    made = []
    for number, source in enumerate(cells):
        tags = ["parameters"] if number == 0 else []
        made.append({
            "cell_type": "code", "id": f"c{number}", "metadata": {"tags": tags},
            "execution_count": None, "outputs": [], "source": source,
        })  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(whole))


def test_notebooks_run_and_a_failing_cell_is_told(tmp_path: Path) -> None:
    pytest.importorskip("papermill")
    pytest.importorskip("ipykernel")
    (tmp_path / "pipeline.yaml").write_text(DEFINITION)
    (tmp_path / "survey.py").write_text("def name(night): return 'survey of ' + night\n")
    (tmp_path / "setup.sh").write_text("export OBSERVER=ada\n")
    notebook(tmp_path / "good.ipynb", "night = 'none'", "import os, survey", PICTURE,
             "print(survey.name(night), 'by', os.environ['OBSERVER'])")  # fmt: skip
    notebook(tmp_path / "bad.ipynb", "x = 1", "x / 0  # here")
    done = run_sagedag("run", "pipeline.yaml", "--parallel", "1", cwd=tmp_path)
    told = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 5, told
    assert "cell [2]: ZeroDivisionError: division by zero x / 0 # here" in told
    (archive,) = (tmp_path / ".sagedag/s3/bucket/books").rglob("output.tar.gz")
    with tarfile.open(archive) as packed:
        stream = packed.extractfile("good.ipynb")
        assert stream is not None
        ran: Any = json.load(stream)
    injected = [cell for cell in ran["cells"] if "injected-parameters" in cell["metadata"]["tags"]]
    assert 'night = "2026-01-01"' in "".join(injected[0]["source"])
    (printed,) = ran["cells"][-1]["outputs"]
    assert "".join(printed["text"]) == "survey of 2026-01-01 by ada\n"
    page = run_sagedag("report", "--output", "-", cwd=tmp_path).stdout
    assert f'<img src="data:image/png;base64,{PIXEL}" alt="cell 4">' in page
    assert page.count("<img ") == 1
    assert "output.tar.gz" in page
    (log,) = (tmp_path / ".sagedag/logs").rglob("bad.log")
    assert "there is no kernel 'conda-env-x' on this machine" in log.read_text()


def test_without_papermill_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "papermill" else real(name)
    )
    context = JobContext(
        name="job", arn="arn", folder=tmp_path / "job", objects=ObjectStore(tmp_path / "s3"),
        isolation=choose("paths"), cancelled=threading.Event(), on_line=None,
        log=tmp_path / "log", account="0" * 12, region="eu-west-1",
    )  # fmt: skip
    with pytest.raises(JobFailed, match="papermill is not installed") as failure:
        notebook_command({}, context)
    assert 'pip install "sagedag[notebooks]"' in failure.value.hint
