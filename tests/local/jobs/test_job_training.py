"""Training jobs: script mode, drivers, models, metrics, and what can go wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from job_shapes import judge
from job_training import model_of, sourcedir, training_request
from job_workshop import Workshop

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


def fill(workshop: Workshop, train: str = TRAIN, **files: str) -> None:
    workshop.objects.put("s3://bucket/data/train.csv", b"1,2\n")
    code = {"train.py": train, "other.py": "CURVE = '1 2 3'\n", **files}
    workshop.objects.put("s3://bucket/code/sourcedir.tar.gz", sourcedir(code))


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


def test_checkpoints_outlive_a_failed_job(every_mode: Workshop) -> None:
    fill(
        every_mode,
        "from pathlib import Path\n"
        "kept = Path('/opt/ml/checkpoints/epoch')\n"
        "epoch = int(kept.read_text()) + 1 if kept.exists() else 1\n"
        "kept.write_text(str(epoch))\n"
        "raise SystemExit(epoch < 2)\n",
    )
    request = training_request(CheckpointConfig={"S3Uri": "s3://bucket/checkpoints"})
    with pytest.raises(JobFailed):
        every_mode.train(request)
    answer = every_mode.train(request)
    judge("DescribeTrainingJob", answer)
    assert every_mode.objects.get("s3://bucket/checkpoints/epoch") == b"2"


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
    with pytest.raises(JobFailed, match="takes too long"):
        workshop.train(request)


def test_values_become_arguments_as_the_toolkit_writes_them() -> None:
    given = {"b": "[1, 2]", "map": '{"y": 1, "x": 2}', "none": "null", "text": "a b", "n": "1e-3"}
    assert script_arguments(decode_hyperparameters(given)) == [
        *("-b", "[1, 2]", "--map", "x=2,y=1", "-n", "0.001", "--none", "", "--text", "a b")
    ]
