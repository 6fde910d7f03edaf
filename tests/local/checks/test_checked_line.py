"""A definition with checks from YAML to the registry and back: the second run finds the baseline
that the first one registered."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from sagedag_process import run_sagedag

from pipelines.local.registry import Registry
from pipelines.local.store import read_store

pytest.importorskip("pandas")

YAML = """
pipeline: line
parameters: {First: false, Data: base.csv}
defaults: {instance: ml.m5.large}
steps:
  look:
    type: QualityCheck
    check: data_quality
    dataset: "${parameters.Data}"
    group: birds
    skip_check: "${parameters.First}"
    register_new_baseline: "${parameters.First}"
  keep:
    type: RegisterModel
    group: birds
    model: model.tar.gz
    image: {framework: sklearn, version: 1.2-1}
    content_types: [text/csv]
    response_types: [text/csv]
    checks: [look]
    approval: Approved
  guess:
    type: MonitorBatchTransform
    transform: {model: owls, input: {source: asked.csv, content_type: text/csv, split_type: Line}}
    monitor:
      check: data_quality
      dataset: {source: "${steps.guess-transform.output}", header: false}
      skip_check: true
      register_new_baseline: true
"""

HANDLERS = """
models:
  owls:
    data: model.tar.gz
    image: 683313688378.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2
"""

SCRIPT = """
def model_fn(folder): return None
def input_fn(body, kind): return [float(line) for line in body.split()]
def predict_fn(rows, model): return [2 * row for row in rows]
def output_fn(rows, accept): return "".join(f"{row}\\n" for row in rows), "text/csv"
"""


def test_a_baseline_goes_round(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(YAML)
    (tmp_path / "local.yaml").write_text(HANDLERS)
    (tmp_path / "base.csv").write_text("size,kind\n" + "".join(f"{n},a\n" for n in range(40)))
    (tmp_path / "late.csv").write_text("size\n" + "".join(f"{n}\n" for n in range(40)))
    (tmp_path / "asked.csv").write_text("1\n2\n3\n")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("code/inference.py")
        info.size = len(SCRIPT)
        archive.addfile(info, io.BytesIO(SCRIPT.encode()))
    first = run_sagedag("run", "pipeline.yaml", "-p", "First=true", cwd=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    with read_store(tmp_path / ".sagedag") as store:
        (version,) = Registry(store).packages("birds")
    metrics = version.description["ModelMetrics"]["ModelDataQuality"]
    baselines = version.description["DriftCheckBaselines"]["ModelDataQuality"]
    assert metrics["Statistics"]["S3Uri"] == baselines["Statistics"]["S3Uri"]
    (judged,) = (tmp_path / ".sagedag/s3").rglob("guess-monitoring/statistics.json")
    (column,) = json.loads(judged.read_text())["features"]
    # What the model gave: 2, 4 and 6.
    assert column["numerical_statistics"]["mean"] == 4
    late = run_sagedag("run", "pipeline.yaml", "-p", "Data=late.csv", cwd=tmp_path)
    assert late.returncode == 5, late.stdout + late.stderr
    assert "missing_column_check" in " ".join((late.stdout + late.stderr).split())
    with read_store(tmp_path / ".sagedag") as store:
        assert len(Registry(store).packages("birds")) == 1
