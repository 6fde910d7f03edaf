"""Definitions that the SDK 3's own producers emit run here as they are."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# The SDK 3, like the rest of this folder.
pytest.importorskip("sagemaker.train")

from drivers_pipeline import drivers_pipeline
from producers import build, produce
from surroundings import BUCKET

from pipelines.local.isolation import probe_all
from pipelines.local.objects import ObjectStore

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
BINDS = any(probe.works and probe.name != "paths" for probe in probe_all())


def sagedag_run(folder: Path, definition: dict[str, Any], aws: str) -> dict[str, Any]:
    """`sagedag run definition.json`; code that the SDK uploaded is read from S3 (moto's)."""
    (folder / "definition.json").write_text(json.dumps(definition))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables = kept | {
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONPATH": str(REPOSITORY),
        # Threads that wait for each other take minutes on a busy machine.
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "pipelines", "run", "definition.json", "--allow-s3", "--json"]
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def abalone(count: int) -> bytes:
    """Rows like those of the abalone data: sex, seven sizes, and the rings they tell of."""
    source = random.Random(3)
    lines = []
    for _ in range(count):
        sizes = [round(source.uniform(0.05, 0.8), 3) for _ in range(7)]
        rings = round(4 + 20 * sizes[0] * sizes[1] + 5 * sizes[6])
        lines.append(",".join(map(str, [source.choice("MFI"), *sizes, rings])))
    return ("\n".join(lines) + "\n").encode()


def test_aws_s_example_trains_and_registers(tmp_path: Path, aws: str) -> None:
    pytest.importorskip("xgboost")
    definition = produce(aws, HERE / "scripts" / "download.py")
    objects = ObjectStore(tmp_path / ".sagedag" / "s3")
    source = definition["Parameters"][4]["DefaultValue"]
    objects.put(source, abalone(400))
    ran = sagedag_run(tmp_path, definition, aws)
    assert ran["status"] == "Succeeded"
    assert objects.get("s3://sagemaker-sample-files/log/rows.txt") == b"400"
    package = ran["modelPackages"][0]
    assert package["ModelPackageGroupName"] == "my-model-package-group"
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    container = package["InferenceSpecification"]["Containers"][0]
    assert objects.find(container["ModelDataUrl"]) is not None
    assert ran["models"][0]["PrimaryContainer"]["ModelDataUrl"] == container["ModelDataUrl"]
    log = next(Path(step["Log"]) for step in ran["steps"] if step["StepType"] == "Training")
    last = log.read_text().splitlines()[-2]
    assert last.startswith("[49]#011train-rmse:")
    # Rings spread by 3; the model tells them better than their mean does.
    assert float(last.rpartition(":")[2]) < 2


def test_the_sdk_s_drivers(tmp_path: Path, aws: str) -> None:
    if not BINDS:
        pytest.skip("shell scripts see /opt/ml only where it is mounted or linked")
    ran = sagedag_run(tmp_path, build(aws, drivers_pipeline), aws)
    objects = ObjectStore(tmp_path / ".sagedag" / "s3")
    assert objects.get(f"s3://{BUCKET}/numbers/numbers.txt") == b"2\n4\n6"
    train = next(step for step in ran["steps"] if step["StepName"] == "Train")
    log = Path(train["Log"]).read_text()
    assert "total=12;" in log
    uri = next(each["path"] for each in ran["outputs"] if each["output"] == "model")
    import tarfile

    with tarfile.open(uri) as archive:
        content = archive.extractfile("model.json")
        assert content is not None
        assert json.load(content) == {"sum": 12, "depth": 6, "kind": "a forest"}
