"""Fields of the core kinds, and AutoML, equal what SDK 2's estimators and models write."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import sdk2_kinds
import surroundings
from sdk2_producers import CODE
from side_by_side import differences, ours

pytestmark = pytest.mark.slow  # for importing the SDK and running its producers

Json = dict[str, Any]
RECORDED = Path(__file__).parents[1] / "sdk" / "kinds" / "automl-sdk2.json"
DEFINITION = f"""
defaults: {{image: &image "{sdk2_kinds.IMAGE}"}}
steps:
  train:
    type: Training
    instance: {{type: ml.m5.xlarge, count: 2, volume_gb: 100, kms_key: alias/volumes,
               keep_alive: 30m}}
    command: [python3, -m, fit]
    arguments: [--fast]
    hyperparameters: {{depth: 6}}
    inputs:
      train: {{source: s3://survey/manifest.json, distribution: ShardedByS3Key, compression: Gzip,
              content_type: application/x-recordio, record_wrapping: RecordIO,
              data_type: AugmentedManifestFile, mode: Pipe,
              attribute_names: [source-ref, label], shuffle_seed: 7}}
      more: {{file_system: {{id: fs-0123456789abcdef0, type: FSxLustre, path: /fsx/more,
             access: rw}}, content_type: text/csv}}
      plain: {{file_system: {{id: fs-0123456789abcdef0, type: EFS, path: /plain}}}}
    output: s3://models/out
    metrics: {{loss: "loss=([0-9.]+)"}}
    spot: {{max_wait: 3h}}
    checkpoints: {{destination: s3://models/checkpoints, path: /opt/ml/state}}
    environment: {{LEVEL: info}}
    network: {{subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d], isolation: true,
              encryption: true}}
    kms_key: alias/outputs
    tags: {{team: astro}}
    max_runtime: 2h
    request: {{ProfilerConfig: {{DisableProfiler: true}}}}
  many-CreateModel: {{type: CreateModel, mode: MultiModel, model: s3://models/all/,
                     environment: {{STAGE: all}}}}
  chain-CreateModel:
    type: CreateModel
    network: {{subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d], isolation: true}}
    containers:
      - {{model: s3://models/first.tar.gz, image: *image, environment: {{STAGE: first}}}}
      - {{model: s3://models/second.tar.gz, image: *image, environment: {{STAGE: second}}}}
  chain-versions-RegisterModel:
    type: RegisterModel
    group: chain
    approval: Approved
    content_types: [text/csv]
    response_types: [text/csv]
    inference_instances: [ml.m5.large]
    transform_instances: [ml.m5.large]
    skip_model_validation: None
    containers:
      - {{model: s3://models/first.tar.gz, image: *image, environment: {{STAGE: first}}}}
      - {{model: s3://models/second.tar.gz, image: *image, environment: {{STAGE: second}}}}
  prepare:
    type: Processing
    image: {{framework: sklearn, version: 1.4-2}}
    instance: ml.m5.large
    code: {{dir: code, entry: train.py}}
    arguments: {{seed: 7}}
    outputs: {{report: s3://results/report}}
    environment: {{LEVEL: info}}
    max_runtime: 1h
"""
DISTRIBUTIONS: dict[str, tuple[str, Json]] = {
    "{torch_distributed: true}": ("pytorch", {"torch_distributed": {"enabled": True}}),
    "{mpi: {processes_per_host: 8}}": (
        "pytorch",
        {"mpi": {"enabled": True, "processes_per_host": 8}},
    ),
    "{mpi: {options: -verbose}}": (
        "pytorch",
        {"mpi": {"enabled": True, "custom_mpi_options": "-verbose"}},
    ),
    "{smdistributed_dataparallel: true}": (
        "pytorch",
        {"smdistributed": {"dataparallel": {"enabled": True}}},
    ),
    "{smdistributed_dataparallel: {options: -verbose}}": (
        "pytorch",
        {"smdistributed": {"dataparallel": {"enabled": True, "custom_mpi_options": "-verbose"}}},
    ),
    "{smdistributed_modelparallel: {partitions: 2, ddp: true}, mpi: {processes_per_host: 8}}": (
        "pytorch",
        {
            "smdistributed": {
                "modelparallel": {"enabled": True, "parameters": {"partitions": 2, "ddp": True}}
            },
            "mpi": {"enabled": True, "processes_per_host": 8},
        },
    ),
    "{parameter_server: true}": ("tensorflow", {"parameter_server": {"enabled": True}}),
}


@pytest.fixture(scope="module")
def server() -> Any:
    with surroundings.aws_server() as endpoint_url:
        yield endpoint_url


@pytest.fixture(scope="module")
def theirs(server: str) -> Json:
    return sdk2_kinds.build(server)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Json:
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "code").mkdir()
    (folder / "code" / "train.py").write_bytes((CODE / "train.py").read_bytes())
    return ours(folder, DEFINITION)


@pytest.mark.parametrize(
    "name", ["train", "many-CreateModel", "chain-CreateModel", "chain-versions-RegisterModel"]
)
def test_the_step_is_the_same(name: str, mine: Json, theirs: Json) -> None:
    assert list(differences(mine[name], theirs[name])) == []


def test_code_in_a_folder_is_the_same_but_for_how_it_is_started(mine: Json, theirs: Json) -> None:
    """The SDK uploads an archive and a shell script that unpacks it; see decision 5."""
    pair = [copy.deepcopy(each["prepare"]["Arguments"]) for each in (mine, theirs)]
    inputs = [{each["InputName"] for each in step.pop("ProcessingInputs")} for step in pair]
    started = [step["AppSpecification"].pop("ContainerEntrypoint") for step in pair]
    assert inputs == [{"code"}, {"code", "entrypoint"}]
    assert started == [
        ["python3", "/opt/ml/processing/input/code/train.py"],
        ["/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"],
    ]
    for step in pair:
        for output in step["ProcessingOutputConfig"]["Outputs"]:
            assert output.pop("AppManaged", False) is False
    assert list(differences(*pair)) == []


def test_the_record_of_automl_is_what_the_sdk_writes(theirs: Json) -> None:
    recorded = json.loads(RECORDED.read_text("utf-8"))["steps"]
    assert list(differences(recorded, {name: theirs[name] for name in recorded})) == []


@pytest.fixture(scope="module")
def distributed(server: str) -> Json:
    return sdk2_kinds.hyperparameters(server, DISTRIBUTIONS)


@pytest.mark.parametrize("written", list(DISTRIBUTIONS))
def test_distributions_are_the_same(written: str, distributed: Json, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("")
    step = ours(
        tmp_path,
        f"""
steps:
  train:
    type: Training
    image: "{sdk2_kinds.IMAGE}"
    instance: {{type: ml.p4d.24xlarge, count: 2}}
    code: {{dir: code, entry: train.py}}
    distribution: {written}
""",
    )["train"]
    pair = [step["Arguments"]["HyperParameters"], distributed[written]]
    for made in pair:
        for name in ("sagemaker_submit_directory", "sagemaker_program", "sagemaker_region"):
            made.pop(name, None)
        made.pop("sagemaker_container_log_level", None)
        made.pop("sagemaker_job_name", None)
    assert list(differences(*pair)) == []
