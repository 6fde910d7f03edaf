"""Training jobs: script mode, drivers, models, metrics, and what can go wrong."""

from __future__ import annotations

import io
import json
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from job_shapes import judge
from job_workshop import ROLE, Workshop

from pipelines.local.jobs import JobFailed
from pipelines.local.jobs.archive import unpack
from pipelines.local.jobs.toolkit import decode_hyperparameters, script_arguments

TRAIN = """
import json, os, sys
json.dump({"argv": sys.argv[1:], "cwd": os.getcwd(),
           "environment": {name: value for name, value in os.environ.items()
                           if name.startswith(("SM_", "TRAINING"))},
           "hyperparameters": json.load(open("/opt/ml/input/config/hyperparameters.json")),
           "inputs": json.load(open("/opt/ml/input/config/inputdataconfig.json")),
           "resources": json.load(open("/opt/ml/input/config/resourceconfig.json")),
           "train": open(os.environ["SM_CHANNEL_TRAIN"] + "/train.csv").read()},
          open(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"), "w"))
import other
print("epoch 1 accuracy=0.5;")
print("epoch 2 accuracy=0.91; loss=1e-3")
open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "curve.txt"), "w").write(other.CURVE)
"""


def sourcedir(files: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return stream.getvalue()


def training_request(**changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn",
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "accuracy", "Regex": r"accuracy=([0-9.]+);"},
                {"Name": "loss", "Regex": r"loss=(\S+)"},
                {"Name": "absent", "Regex": r"absent=(\S+)"},
            ],
        },
        "HyperParameters": {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"s3://bucket/code/sourcedir.tar.gz"',
            "sagemaker_container_log_level": "20",
            "n-estimators": "10",
            "model": '"random-forest"',
            "plain": "not json",
            "c": "0.5",
            "deep": "true",
        },
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": "s3://bucket/data/train.csv",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    request.update(changes)
    return request


def fill(workshop: Workshop, train: str = TRAIN, **files: str) -> None:
    workshop.objects.put("s3://bucket/data/train.csv", b"1,2\n")
    code = {"train.py": train, "other.py": "CURVE = '1 2 3'\n", **files}
    workshop.objects.put("s3://bucket/code/sourcedir.tar.gz", sourcedir(code))


def model_of(workshop: Workshop, answer: dict[str, Any], tmp_path: Path) -> Path:
    workshop.objects.download(answer["ModelArtifacts"]["S3ModelArtifacts"], tmp_path / "fetched")
    unpack(tmp_path / "fetched" / "model.tar.gz", tmp_path / "model")
    return tmp_path / "model"


def test_script_mode(every_mode: Workshop, tmp_path: Path) -> None:
    fill(every_mode)
    answer = every_mode.train(training_request())
    judge("DescribeTrainingJob", answer)
    assert answer["TrainingJobStatus"] == answer["SecondaryStatus"] == "Completed"
    assert [each["Status"] for each in answer["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert answer["BillableTimeInSeconds"] >= 1
    metrics = {each["MetricName"]: each["Value"] for each in answer["FinalMetricDataList"]}
    assert metrics == {"accuracy": 0.91, "loss": 0.001}
    name = answer["TrainingJobName"]
    where = f"s3://bucket/models/{name}/output/model.tar.gz"
    assert answer["ModelArtifacts"]["S3ModelArtifacts"] == where
    assert every_mode.objects.exists(f"s3://bucket/models/{name}/output/output.tar.gz")
    text = (model_of(every_mode, answer, tmp_path) / "model.json").read_text(encoding="utf-8")
    _check_what_the_script_saw(json.loads(text), answer)


def _check_what_the_script_saw(seen: dict[str, Any], answer: dict[str, Any]) -> None:
    arguments = ["-c", "0.5", "--deep", "True", "--model", "random-forest"]
    arguments += ["--n-estimators", "10", "--plain", "not json"]
    assert seen["argv"] == arguments
    assert seen["cwd"].endswith(("/opt/ml/code", "/ml/code"))
    assert seen["train"] == "1,2\n"
    assert seen["hyperparameters"]["model"] == '"random-forest"'
    assert seen["inputs"]["train"]["ContentType"] == "text/csv"
    assert seen["resources"]["current_host"] == "algo-1"
    variables = seen["environment"]
    expected = {
        "SM_CURRENT_HOST": "algo-1",
        "SM_HOSTS": '["algo-1"]',
        "SM_CHANNELS": '["train"]',
        "SM_USER_ENTRY_POINT": "train.py",
        "SM_MODULE_NAME": "train",
        "SM_MODULE_DIR": "s3://bucket/code/sourcedir.tar.gz",
        "SM_LOG_LEVEL": "20",
        "SM_NETWORK_INTERFACE_NAME": "eth0",
        "SM_HP_MODEL": "random-forest",
        "SM_HP_N-ESTIMATORS": "10",
        "SM_HP_DEEP": "true",
        "SM_NUM_GPUS": variables["SM_NUM_GPUS"],
        "TRAINING_JOB_NAME": answer["TrainingJobName"],
        "TRAINING_JOB_ARN": answer["TrainingJobArn"],
    }
    assert {name: variables.get(name) for name in expected} == expected
    assert int(variables["SM_NUM_CPUS"]) >= 1
    assert json.loads(variables["SM_HPS"])["n-estimators"] == 10
    assert json.loads(variables["SM_USER_ARGS"]) == arguments
    whole = json.loads(variables["SM_TRAINING_ENV"])
    assert whole["hyperparameters"]["deep"] is True
    assert whole["channel_input_dirs"]["train"].endswith("/ml/input/data/train")
    for folder in ("MODEL", "INPUT", "OUTPUT", "OUTPUT_DATA", "INPUT_CONFIG"):
        assert "/ml/" in variables[f"SM_{folder}_DIR"]


def test_a_model_s_bytes_depend_on_its_files_alone(workshop: Workshop) -> None:
    fill(workshop, "open('/opt/ml/model/m', 'w').write('same')\n")
    stored = []
    for _ in range(2):
        answer = workshop.train(training_request())
        stored.append(workshop.objects.get(answer["ModelArtifacts"]["S3ModelArtifacts"]))
    assert stored[0] == stored[1]


@pytest.mark.parametrize("channel", ["archive", "files"])
def test_code_as_a_channel(workshop: Workshop, channel: str, tmp_path: Path) -> None:
    fill(workshop)
    if channel == "files":
        unpack_here = tmp_path / "code"
        unpack(workshop.objects.root / "bucket" / "code" / "sourcedir.tar.gz", unpack_here)
        workshop.objects.upload(unpack_here, "s3://bucket/plain")
    request = training_request()
    del request["HyperParameters"]["sagemaker_submit_directory"]
    source = "s3://bucket/code/sourcedir.tar.gz" if channel == "archive" else "s3://bucket/plain"
    request["InputDataConfig"].append(
        {
            "ChannelName": "code",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
        }
    )
    answer = workshop.train(request)
    assert (model_of(workshop, answer, tmp_path) / "model.json").is_file()


def test_shell_scripts_run(workshop: Workshop, tmp_path: Path) -> None:
    script = '#!/bin/sh\necho "$@" > "$SM_MODEL_DIR/arguments"\n'
    fill(workshop, **{"train.sh": script})
    request = training_request()
    request["HyperParameters"] = {
        "sagemaker_program": "train.sh",
        "sagemaker_submit_directory": "s3://bucket/code/sourcedir.tar.gz",
        "text": '"two words; echo not-a-command"',
    }
    answer = workshop.train(request)
    seen = (model_of(workshop, answer, tmp_path) / "arguments").read_text(encoding="utf-8")
    assert seen == "--text two words; echo not-a-command\n"


def test_a_failing_script_gives_its_reason(every_mode: Workshop) -> None:
    fill(
        every_mode,
        "open('/opt/ml/output/failure', 'w').write('bad rows ' + 'y' * 3000)\n"
        "raise SystemExit(4)\n",
    )
    with pytest.raises(JobFailed) as failed:
        every_mode.train(training_request())
    answer = failed.value.description
    judge("DescribeTrainingJob", answer)
    assert answer["TrainingJobStatus"] == "Failed"
    assert answer["FailureReason"].startswith("AlgorithmError: bad rows")
    assert len(answer["FailureReason"]) == 1024
    assert failed.value.exit_code == 4
    assert not every_mode.objects.exists("s3://bucket/models")


def test_a_time_limit_is_the_api_s(workshop: Workshop) -> None:
    fill(workshop, "import time\ntime.sleep(60)\n")
    with pytest.raises(JobFailed, match="MaxRuntimeExceeded") as failed:
        workshop.train(training_request(StoppingCondition={"MaxRuntimeInSeconds": 1}))
    judge("DescribeTrainingJob", failed.value.description)
    assert failed.value.description["TrainingJobStatus"] == "Stopped"
    assert failed.value.description["SecondaryStatus"] == "MaxRuntimeExceeded"


def test_missing_requirements_are_named(workshop: Workshop) -> None:
    text = (
        "# what the script needs\npytest>=1\nno-such-package-anywhere==1.0  # pinned\n"
        "botocore<0.1\nnever-here; python_version < '3'\n-r other.txt\n--no-index\n"
    )
    fill(workshop, **{"requirements.txt": text})
    with pytest.raises(JobFailed) as failed:
        workshop.train(training_request())
    assert "no-such-package-anywhere==1.0 (not installed)" in failed.value.reason
    assert "botocore<0.1 (version " in failed.value.reason
    assert "never-here" not in failed.value.reason
    assert "pytest" not in failed.value.reason
    assert "pip install no-such-package-anywhere==1.0" in failed.value.hint


def test_a_script_that_is_not_there(workshop: Workshop) -> None:
    fill(workshop)
    for name in ("nowhere.py", "../../model/x.py"):
        request = training_request()
        request["HyperParameters"]["sagemaker_program"] = name
        with pytest.raises(
            JobFailed, match=r"not in the job's code; there is: other\.py, train\.py"
        ):
            workshop.train(request)


def test_hostile_code_archives_are_refused(every_mode: Workshop) -> None:
    fill(every_mode, **{"../../../escaped.py": "x"})
    with pytest.raises(JobFailed, match="leaves the folder"):
        every_mode.train(training_request())
    assert not list(every_mode.project.rglob("escaped.py"))


def test_a_built_in_algorithm_has_no_driver_here(workshop: Workshop) -> None:
    image = "811284229777.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
    request = training_request(
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters={"predictor_type": "regressor"},
    )
    fill(workshop)
    with pytest.raises(JobFailed, match="'linear-learner'") as failed:
        workshop.train(request)
    assert "docker" in failed.value.hint
    assert "handler" in failed.value.hint


def test_channels_that_cannot_be_prepared(workshop: Workshop) -> None:
    fill(workshop)
    request = training_request()
    request["InputDataConfig"][0]["InputMode"] = "Pipe"
    with pytest.raises(JobFailed, match="is to be piped"):
        workshop.train(request)
    request = training_request()
    request["InputDataConfig"][0]["ChannelName"] = "../../escape"
    with pytest.raises(JobFailed, match="cannot be a channel's name"):
        workshop.train(request)


def test_a_model_s_links_out_are_refused(every_mode: Workshop) -> None:
    fill(every_mode, "import os\nos.symlink('/etc/passwd', '/opt/ml/model/m')\n")
    with pytest.raises(JobFailed, match="symbolic link that leaves"):
        every_mode.train(training_request())


def test_metrics_are_guarded(workshop: Workshop) -> None:
    fill(workshop, "print('a' * 100_000 + 'b')\nprint('v=7')\n")
    request = training_request()
    definitions = [{"Name": "v", "Regex": "v=([0-9]+)"}]
    request["AlgorithmSpecification"]["MetricDefinitions"] = definitions
    assert workshop.train(request)["FinalMetricDataList"][0]["Value"] == 7
    definitions[0]["Regex"] = "([unclosed"
    with pytest.raises(JobFailed, match="expression of metric 'v' is wrong"):
        workshop.train(request)
    definitions[0]["Regex"] = r"(.*a){12}[bc]"
    started = time.monotonic()
    with pytest.raises(JobFailed, match="takes too long"):
        workshop.train(request)
    assert time.monotonic() - started < 15


def test_the_sdk_s_drivers_run_as_they_are(every_mode: Workshop, tmp_path: Path) -> None:
    from importlib.util import find_spec

    spec = find_spec("sagemaker.train")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the SageMaker SDK 3 is not installed")
    drivers = tmp_path / "sm_drivers"
    folder = Path(spec.submodule_search_locations[0])
    files = [each for each in (folder / "container_drivers").rglob("*.py") if each.is_file()]
    for file in files:
        target = drivers / file.relative_to(folder / "container_drivers")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    source = {"source_dir": "code", "entry_script": "train.py"}
    (drivers / "sourcecode.json").write_text(json.dumps(source), encoding="utf-8")
    (drivers / "distributed.json").write_text("{}", encoding="utf-8")
    (drivers / "sm_train.sh").write_text(SM_TRAIN, encoding="utf-8")
    every_mode.objects.upload(drivers, "s3://bucket/sm_drivers")
    every_mode.objects.put("s3://bucket/plain/train.py", SDK_3.encode())
    every_mode.objects.put("s3://bucket/data/train.csv", b"1,2\n")
    request = training_request(HyperParameters={"depth": "3"})
    request["AlgorithmSpecification"] |= {
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": [
            "-c",
            "chmod +x /opt/ml/input/data/sm_drivers/sm_train.sh && "
            "/opt/ml/input/data/sm_drivers/sm_train.sh",
        ],
    }
    for name in ("code", "sm_drivers"):
        uri = f"s3://bucket/{'plain' if name == 'code' else name}/"
        request["InputDataConfig"].append(
            {
                "ChannelName": name,
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
            }
        )
    if every_mode.mode == "paths":
        # The limit of that mode: the text of a shell script is not rewritten.
        with pytest.raises(JobFailed):
            every_mode.train(request)
        return
    answer = every_mode.train(request)
    seen = json.loads((model_of(every_mode, answer, tmp_path) / "m").read_text(encoding="utf-8"))
    assert seen == {"argv": ["--depth", "3"], "channel": "1,2\n", "host": "algo-1"}


SM_TRAIN = """#!/bin/bash
set -e
SM_PYTHON_CMD=$(command -v python3)
$SM_PYTHON_CMD /opt/ml/input/data/sm_drivers/scripts/environment.py
source /opt/ml/input/sm_training.env
cd /opt/ml/input/data/code
$SM_PYTHON_CMD train.py --depth $SM_HP_DEPTH
"""

SDK_3 = """
import json, os, sys
json.dump({"argv": sys.argv[1:], "host": os.environ["SM_CURRENT_HOST"],
           "channel": open(os.environ["SM_CHANNEL_TRAIN"] + "/train.csv").read()},
          open(os.environ["SM_MODEL_DIR"] + "/m", "w"))
"""


def test_values_become_arguments_as_the_toolkit_writes_them() -> None:
    given = {"b": "[1, 2]", "map": '{"y": 1, "x": 2}', "none": "null", "text": "a b", "n": "1e-3"}
    assert script_arguments(decode_hyperparameters(given)) == [
        *("-b", "[1, 2]", "--map", "x=2,y=1", "-n", "0.001", "--none", "", "--text", "a b")
    ]
