"""`sagedag import --download`: code and Clarify's configurations come from S3, or stay there."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from moto_server import AwsServer, Fault

from pipelines.cli.import_definition import command
from pipelines.compiler import compile as compile_definition

Json = dict[str, Any]

ROLE = "arn:aws:iam::111122223333:role/pipelines"
BUCKET = "s3://dev-bucket"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
CLARIFY = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
CONFIG = {
    "dataset_type": "text/csv",
    "headers": ["age", "income", "label"],
    "label": "label",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "age", "value_or_threshold": [40]}],
    "methods": {
        "pre_training_bias": {"methods": "all"},
        "report": {"name": "report", "title": "Analysis Report"},
    },
}
SCRIPT = b"import sys\nprint('preparing', sys.argv)\n"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}


def s3_input(name: str, uri: Any, path: str) -> Json:
    return {
        "InputName": name,
        "AppManaged": False,
        "S3Input": {
            "S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None",
        },
    }  # fmt: skip


def processing(name: str, image: str, inputs: list[Json], entry: list[str] | None) -> Json:
    app: Json = {"ImageUri": image}
    if entry:
        app["ContainerEntrypoint"] = entry
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {"ClusterConfig": CLUSTER},
            "AppSpecification": app,
            "RoleArn": ROLE,
            "ProcessingInputs": inputs,
        },
    }


def prepare(uri: Any = f"{BUCKET}/Prepare-1f0a/input/code/prepare.py") -> Json:
    entry = ["python3", "/opt/ml/processing/input/code/prepare.py"]
    code = s3_input("code", uri, "/opt/ml/processing/input/code")
    return processing("Prepare", SKLEARN, [code], entry)


def train(uri: str = f"{BUCKET}/Train-2b/source/sourcedir.tar.gz") -> Json:
    return {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": SKLEARN, "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": f"{BUCKET}/models"},
            "ResourceConfig": CLUSTER,
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            "RoleArn": ROLE,
            "HyperParameters": {
                "depth": "7",
                "loss": '"hinge"',
                "sagemaker_submit_directory": json.dumps(uri),
                "sagemaker_program": '"train.py"',
                "sagemaker_container_log_level": "20",
                "sagemaker_region": '"us-east-1"',
            },
        },
    }


def clarify() -> Json:
    inputs = [
        s3_input("analysis_config", f"{BUCKET}/bias/analysis_config.json", f"{ROOT}/input/config"),
        s3_input("dataset", f"{BUCKET}/train.csv", f"{ROOT}/input/data"),
    ]
    step = processing("Bias", CLARIFY, inputs, None)
    output = {"S3Uri": f"{BUCKET}/bias", "LocalPath": f"{ROOT}/output", "S3UploadMode": "EndOfJob"}
    step["Arguments"]["ProcessingOutputConfig"] = {
        "Outputs": [{"OutputName": "analysis_result", "AppManaged": False, "S3Output": output}]
    }
    return {
        **step,
        "Type": "ClarifyCheck",
        "CheckType": "DATA_BIAS",
        "ModelPackageGroupName": "group",
        "SkipCheck": False,
        "FailOnViolation": True,
        "RegisterNewBaseline": False,
        "SuppliedBaselineConstraints": None,
    }


ROOT = "/opt/ml/processing"


def archive(*members: tuple[str, bytes], link: str = "") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, data in members:
            header = tarfile.TarInfo(name)
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))
        if link:
            header = tarfile.TarInfo("link")
            header.type, header.linkname = tarfile.SYMTYPE, link
            tar.addfile(header)
    return packed.getvalue()


def put(key: str, body: bytes) -> None:
    import boto3

    boto3.client("s3").put_object(Bucket="dev-bucket", Key=key, Body=body)


@pytest.fixture
def stored(aws: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    """A bucket with the code and the configuration, as the SDK uploads them."""
    monkeypatch.chdir(tmp_path)
    put("Prepare-1f0a/input/code/prepare.py", SCRIPT)
    put("Train-2b/source/sourcedir.tar.gz", archive(("train.py", b"print(1)\n"), ("lib/a.py", b"")))
    put("bias/analysis_config.json", json.dumps(CONFIG).encode())
    aws.forget_requests()
    return aws


def run(*steps: Json, options: tuple[str, ...] = ("--download", "-o", "out")) -> Result:
    document = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": list(steps)}
    result = CliRunner().invoke(
        command, ["-", *options], input=json.dumps(document), standalone_mode=False
    )
    if result.exception is not None:
        raise result.exception
    return result


def written(folder: str = "out") -> Any:
    return yaml.safe_load(Path(folder, "pipeline.yaml").read_text())["steps"]


def test_code_comes_along_and_the_result_is_complete(stored: AwsServer) -> None:
    result = run(prepare(), train())
    assert written()["Prepare"] == {"type": "Processing", "code": "code/prepare.py"}
    assert written()["Train"]["code"] == {"dir": "code/Train", "entry": "train.py"}
    assert written()["Train"]["hyperparameters"] == {"depth": 7, "loss": "hinge"}
    assert Path("out/code/prepare.py").read_bytes() == SCRIPT
    assert Path("out/code/Train/lib/a.py").is_file()
    assert "2 places of the same files" in result.stderr
    assert stored.writes == []
    compiled = compile_definition("out/pipeline.yaml", environment="aws")
    assert {name for asset in compiled.assets for name, _, _ in asset.entries} == {
        "prepare.py", "train.py", "lib/a.py",
    }  # fmt: skip
    assert sorted(each.name for each in Path().iterdir()) == ["out"]
    assert sorted(each.name for each in Path("out").iterdir()) == [
        "code", "environments.yaml", "pipeline.yaml",
    ]  # fmt: skip


def test_the_same_files_are_kept_once(stored: AwsServer) -> None:
    put("Train-3c/source/sourcedir.tar.gz", archive(("train.py", b"print(1)\n"), ("lib/a.py", b"")))
    again = {**train(f"{BUCKET}/Train-3c/source/sourcedir.tar.gz"), "Name": "Again"}
    run(train(), again)
    assert written()["Again"]["code"] == written()["Train"]["code"]


def test_a_clarify_check_comes_back_with_its_configuration(stored: AwsServer) -> None:
    result = run(clarify())
    step = written()["Bias"]
    assert (step["type"], step["check"]) == ("ClarifyCheck", "data_bias")
    assert step["config"] == {
        key: CONFIG[key] for key in ("headers", "label", "label_values_or_threshold", "facet")
    }
    assert "request" not in step
    assert "1 place of the same files" in result.stderr


def test_a_configuration_needs_no_folder(stored: AwsServer) -> None:
    result = run(clarify(), prepare(), options=("--download",))
    steps = yaml.safe_load(result.stdout)["steps"]
    assert steps["Bias"]["type"] == "ClarifyCheck"
    assert "source" in steps["Prepare"]["inputs"]["code"]
    read = [request.path for request in stored.requests]
    assert read == ["/dev-bucket/bias/analysis_config.json"]


def test_without_it_nothing_is_read_and_the_way_is_told(stored: AwsServer) -> None:
    result = run(clarify(), options=())
    assert yaml.safe_load(result.stdout)["steps"]["Bias"]["type"] == "Raw"
    told = f"its configuration lies at {BUCKET}/bias/analysis_config.json; --download fetches it"
    assert told in result.stderr
    assert stored.requests == []


def test_check_lists_what_moves_and_takes_it_for_the_same(stored: AwsServer) -> None:
    result = run(prepare(), clarify(), options=("--download", "-o", "out", "--check"))
    assert result.return_value == 0
    assert "moved: Steps.Prepare.Arguments.ProcessingInputs.code.S3Input.S3Uri" in result.stdout
    assert f'imported: "{BUCKET}/Prepare-1f0a/input/code/prepare.py"' in result.stdout
    assert not Path("out").exists()
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("fault", [Fault("AccessDenied", 403), Fault("NoSuchBucket", 404)])
def test_a_refused_read_leaves_the_place_and_tells(stored: AwsServer, fault: Fault) -> None:
    stored.fail_on("s3:GetObject", fault)
    result = run(prepare(), clarify())
    assert written()["Prepare"]["inputs"]["code"]["source"].startswith(f"{BUCKET}/Prepare-1f0a/")
    assert written()["Bias"]["type"] == "Raw"
    assert f"note: /Steps/0: {BUCKET}/Prepare-1f0a/input/code/prepare.py stays on S3: " in (
        result.stderr
    )
    assert not Path("out/code").exists()


def test_what_is_not_there_stays(stored: AwsServer) -> None:
    result = run(prepare(f"{BUCKET}/gone/prepare.py"))
    assert "stays on S3: there is no such object" in result.stderr


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (archive(("../escape.py", b"x")), "leaves the folder"),
        (archive(("train.py", b"x"), link="/etc/passwd"), "link"),
        (b"no archive", "truncated header"),
        (archive(), "no files"),
    ],
    ids=["escape", "link", "no archive", "empty"],
)
def test_an_archive_that_is_not_safe_stays(stored: AwsServer, body: bytes, why: str) -> None:
    put("Train-2b/source/sourcedir.tar.gz", body)
    result = run(train())
    assert why in result.stderr
    assert "code" not in written()["Train"]
    assert not Path("escape.py").exists()


def test_code_that_is_too_large_stays(stored: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.importer.fetching.MAX_BYTES", 10)
    assert "bytes, which is more than 10" in run(prepare()).stderr


def test_a_folder_of_code_comes_with_all_its_files(stored: AwsServer) -> None:
    put("sources/ab12/prepare.py", SCRIPT)
    put("sources/ab12/lib/b.py", b"")
    run(prepare(f"{BUCKET}/sources/ab12/"))
    assert written()["Prepare"]["code"] == {"dir": "code/Prepare", "entry": "prepare.py"}
    assert Path("out/code/Prepare/lib/b.py").is_file()


def test_a_key_that_leads_out_of_its_folder_stays(stored: AwsServer) -> None:
    put("sources/ab12/../../escape.py", SCRIPT)
    assert "leads out of a folder" in run(prepare(f"{BUCKET}/sources/ab12/")).stderr


def test_an_input_of_another_name_takes_the_file_beside_it(stored: AwsServer) -> None:
    step = prepare()
    step["Arguments"]["ProcessingInputs"][0]["InputName"] = "script"
    run(step)
    assert written()["Prepare"]["inputs"]["script"]["asset"] == "code/prepare.py"


def test_data_in_the_folder_above_are_no_code(stored: AwsServer) -> None:
    put("raw/data.csv", b"1,2\n")
    step = prepare()
    data = s3_input("data", f"{BUCKET}/raw/", "/opt/ml/processing/input")
    step["Arguments"]["ProcessingInputs"].insert(0, data)
    run(step)
    assert written()["Prepare"]["inputs"]["data"]["source"] == f"{BUCKET}/raw/"
    assert [each.name for each in Path("out/code").iterdir()] == ["prepare.py"]


def test_a_folder_that_a_shell_goes_to_is_code(stored: AwsServer) -> None:
    put("sources/ab12/step.py", SCRIPT)
    step = prepare(f"{BUCKET}/sources/ab12/")
    shell = ["bash", "-c", "cd /opt/ml/processing/input/code && exec python3 -m step"]
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = shell
    run(step)
    assert written()["Prepare"]["inputs"]["code"]["asset"] == "code/Prepare"
    assert written()["Prepare"]["command"] == shell


def trainer() -> Json:
    """A step of SDK 3's ModelTrainer: code and drivers are channels."""
    step = train()
    arguments = step["Arguments"]
    del arguments["HyperParameters"]
    drivers = "/opt/ml/input/data/sm_drivers/sm_train.sh"
    arguments["AlgorithmSpecification"] |= {
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": ["-c", f"chmod +x {drivers} && {drivers}"],
    }
    arguments["InputDataConfig"] = [
        {
            "ChannelName": name,
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix", "S3Uri": f"{BUCKET}/job/input/{name}",
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }
        for name in ("code", "sm_drivers", "train")
    ]  # fmt: skip
    put("job/input/code/train.py", b"print(1)\n")
    put("job/input/sm_drivers/sm_train.sh", b"exec python3 $CODE/train.py\n")
    put("job/input/train/data.csv", b"1\n")
    return step


def test_the_channels_of_sdk_3_take_files_beside_the_definition(stored: AwsServer) -> None:
    result = run(trainer())
    inputs = written()["Train"]["inputs"]
    assert inputs["code"] == "{{ asset('code/Train') }}"
    assert inputs["sm_drivers"] == "{{ asset('code/Train-sm_drivers') }}"
    assert inputs["train"] == f"{BUCKET}/job/input/train"
    assert [each.name for each in Path("out/code/Train").iterdir()] == ["train.py"]
    assert "2 places of the same files" in result.stderr


def test_files_of_one_name_keep_it(stored: AwsServer) -> None:
    put("Other-1/input/code/prepare.py", b"print('other')\n")
    other = {**prepare(f"{BUCKET}/Other-1/input/code/prepare.py"), "Name": "Other"}
    run(prepare(), other)
    assert written()["Prepare"]["code"] == "code/prepare.py"
    assert written()["Other"]["code"] == "code/Other-code/prepare.py"


def test_the_result_runs_on_this_machine(stored: AwsServer) -> None:
    put("Prepare-1f0a/input/code/prepare.py", b"open('/opt/ml/processing/out/a', 'w').write('b')")
    step = prepare()
    step["Arguments"]["ProcessingOutputConfig"] = {
        "Outputs": [
            {
                "OutputName": "out", "AppManaged": False,
                "S3Output": {"S3Uri": f"{BUCKET}/out", "LocalPath": "/opt/ml/processing/out",
                             "S3UploadMode": "EndOfJob"},
            }
        ]
    }  # fmt: skip
    run(step)
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "run", "out/pipeline.yaml", "--store", "store"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.read_text() for path in Path("store").rglob("a")] == ["b"]


def test_files_that_assets_leave_out_are_told(stored: AwsServer) -> None:
    body = archive(("train.py", b"x"), ("__pycache__/train.pyc", b"x"), ("a.pyc", b"x"))
    put("Train-2b/source/sourcedir.tar.gz", body)
    assert "2 files of it are no part of code: `__pycache__/train.pyc`" in run(train()).stderr


def test_code_that_is_there_is_not_replaced_unasked(stored: AwsServer) -> None:
    Path("out/code").mkdir(parents=True)
    Path("out/code/prepare.py").write_text("mine")
    with pytest.raises(Exception, match="exists"):
        run(prepare())
    assert Path("out/code/prepare.py").read_text() == "mine"
    run(prepare(), options=("--download", "-o", "out", "--force"))
    assert Path("out/code/prepare.py").read_bytes() == SCRIPT


def test_a_pipeline_by_name_brings_its_code(stored: AwsServer) -> None:
    import boto3

    definition = {"Version": "2020-12-01", "Steps": [prepare()]}
    boto3.client("sagemaker").create_pipeline(
        PipelineName="elsewhere",
        PipelineDefinition=json.dumps(definition),
        ClientRequestToken="t" * 32,
        RoleArn=ROLE,
    )
    result = CliRunner().invoke(command, ["elsewhere", "-o", "out"], standalone_mode=False)
    assert result.exception is None
    assert written()["Prepare"]["code"] == "code/prepare.py"
    result = CliRunner().invoke(
        command, ["elsewhere", "-o", "without", "--no-download"], standalone_mode=False
    )
    assert "source" in written("without")["Prepare"]["inputs"]["code"]
