"""`--job-env docker`: the client's command, and the real client against a daemon that is played."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_engine import Container as Created
from fake_engine import FakeEngine

from pipelines.errors import ExecutionFailed
from pipelines.local import isolation
from pipelines.local.isolation import Container, choose
from pipelines.local.isolation.containers import client_environment, run_argv
from pipelines.local.jobs import JobContext, JobFailed, JobStopped, run_processing, run_training
from pipelines.local.objects import ObjectStore

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BEGINNING = (
    "docker", "run", "--rm", "--init", "--name", "job", "--network", "host",
    "--add-host", "algo-1:127.0.0.1", "--security-opt", "no-new-privileges",
)  # fmt: skip


@pytest.mark.parametrize(
    ("container", "environment", "gpus", "ml", "rest"),
    [
        (
            Container(IMAGE, ("python3", "/opt/ml/processing/input/code/a.py"), ("--x", "1")),
            {"B": "two words", "A": "1"},
            False,
            "/place/ml",
            (
                "--mount", "type=bind,source=/place/ml,target=/opt/ml",
                "--mount", "type=bind,source=/place/tmp,target=/tmp",
                "--env", "A=1", "--env", "B=two words",
                "--entrypoint", "python3", IMAGE, "/opt/ml/processing/input/code/a.py", "--x", "1",
            ),
        ),
        (
            Container("own:1", (), ("train",)),
            {},
            True,
            '/odd, "place"/ml',
            (
                "--gpus", "all",
                "--mount", 'type=bind,"source=/odd, ""place""/ml",target=/opt/ml',
                "--mount", "type=bind,source=/place/tmp,target=/tmp",
                "own:1", "train",
            ),
        ),
    ],
)  # fmt: skip
def test_the_client_s_command(
    container: Container, environment: dict[str, str], gpus: bool, ml: str, rest: tuple[str, ...]
) -> None:
    argv = run_argv(
        "docker", container, name="job", ml=Path(ml), scratch=Path("/place/tmp"),
        environment=environment, gpus=gpus,
    )  # fmt: skip
    assert argv == (*BEGINNING, *rest)


def test_the_client_gets_no_tokens() -> None:
    given = {"PATH": "/bin", "DOCKER_HOST": "unix:///x", "AWS_SECRET_ACCESS_KEY": "s", "TOKEN": "t"}
    assert client_environment(given) == {"PATH": "/bin", "DOCKER_HOST": "unix:///x"}


def test_it_is_never_taken_unasked() -> None:
    assert {"docker", "podman"}.isdisjoint(mode.name for mode in isolation.MODES)


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """A short path: a socket's has at most 107 characters."""
    with tempfile.TemporaryDirectory(prefix="sd-") as folder:
        yield Path(folder)


@pytest.fixture
def engine(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., FakeEngine]]:
    if shutil.which("docker") is None:
        pytest.skip("the Docker client is not installed")
    made: list[FakeEngine] = []
    monkeypatch.setenv("DOCKER_HOST", f"unix://{socket_folder}/engine")
    monkeypatch.setenv("DOCKER_CONFIG", str(socket_folder))
    isolation._probe.cache_clear()

    def start(play: Callable[[Created, Callable[[str], None]], int]) -> FakeEngine:
        made.append(FakeEngine(socket_folder / "engine", play))
        made[-1].begin()
        return made[-1]

    yield start
    isolation._probe.cache_clear()
    for each in made:
        each.shutdown()
        each.server_close()


def context_of(folder: Path, cancelled: threading.Event | None = None) -> JobContext:
    objects = ObjectStore(folder / ".sagedag/s3", folder)
    return JobContext(
        name="job",
        arn="arn:aws:sagemaker:eu-west-1:111122223333:processing-job/job",
        folder=folder / ".sagedag/work/run/step",
        objects=objects,
        isolation=choose("docker"),
        cancelled=cancelled or threading.Event(),
        on_line=None,
        log=folder / "log",
        account="111122223333",
        region="eu-west-1",
        environment={"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"},
        grace=1.0,
    )


def mounts(created: Created) -> dict[str, Path]:
    return {each["Target"]: Path(each["Source"]) for each in created["HostConfig"]["Mounts"]}


def processing(**application: Any) -> dict[str, Any]:
    output = {
        "S3Uri": "s3://bucket/out",
        "LocalPath": "/opt/ml/processing/out",
        "S3UploadMode": "EndOfJob",
    }
    return {
        "AppSpecification": {"ImageUri": "own/image:1", **application},
        "Environment": {"MINE": "set"},
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
    }


def test_a_processing_job_in_its_image(tmp_path: Path, engine: Callable[..., FakeEngine]) -> None:
    def play(created: Created, say: Callable[[str], None]) -> int:
        say("from inside")
        ml = mounts(created)["/opt/ml"]
        (ml / "processing/out/made").write_text((ml / "config/resourceconfig.json").read_text())
        return 0

    daemon = engine(play)
    context = context_of(tmp_path)
    # The image's own entry point runs: nothing here has to know it.
    answer = run_processing(processing(), context)
    assert answer["ProcessingJobStatus"] == "Completed"
    assert b'"current_host": "algo-1"' in context.objects.get("s3://bucket/out/made")
    assert "from inside" in context.log.read_text()
    created = daemon.created
    assert (created["Image"], created["Entrypoint"], created["Cmd"]) == ("own/image:1", None, None)
    assert {"MINE=set", "AWS_ENDPOINT_URL_S3=http://127.0.0.1:9"} <= set(created["Env"])
    assert not any("PATH=" in each or "HOME=" in each for each in created["Env"])
    assert created["HostConfig"]["NetworkMode"] == "host"
    assert daemon.names[0] in daemon.removed


def test_a_training_job_gets_train_and_its_code(
    tmp_path: Path, engine: Callable[..., FakeEngine]
) -> None:
    import io
    import json
    import tarfile

    def play(created: Created, say: Callable[[str], None]) -> int:
        ml = mounts(created)["/opt/ml"]
        given = json.loads((ml / "input/config/hyperparameters.json").read_text())
        code = (ml / "code/train.py").read_text()
        (ml / "model/m").write_text(given["sagemaker_submit_directory"] + code)
        return 0

    daemon = engine(play)
    context = context_of(tmp_path)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        info = tarfile.TarInfo("train.py")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"pass"))
    context.objects.put("s3://bucket/sourcedir.tar.gz", stream.getvalue())
    request = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"s3://bucket/sourcedir.tar.gz"',
        },
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    answer = run_training(request, context)
    assert daemon.created["Cmd"] == ["train"]
    packed = context.objects.get(answer["ModelArtifacts"]["S3ModelArtifacts"])
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        content = archive.extractfile("m")
        assert content is not None
        assert content.read() == b'"/opt/ml/code"pass'


def test_failing_and_stopping(tmp_path: Path, engine: Callable[..., FakeEngine]) -> None:
    cancelled = threading.Event()

    def play(created: Created, say: Callable[[str], None]) -> int:
        if created["Cmd"] == ["fail"]:
            return 3
        cancelled.set()
        daemon.killed.wait(20)
        return 143

    daemon = engine(play)
    with pytest.raises(JobFailed, match="exit code 3"):
        run_processing(processing(ContainerArguments=["fail"]), context_of(tmp_path / "a"))
    for each in (daemon.ended, daemon.attached, daemon.killed):
        each.clear()
    with pytest.raises(JobStopped):
        run_processing(processing(), context_of(tmp_path / "b", cancelled))
    assert daemon.signals in (["TERM"], ["SIGTERM"], ["15"])
    assert daemon.names[-1] in daemon.removed


def test_an_image_that_cannot_be_had(tmp_path: Path, engine: Callable[..., FakeEngine]) -> None:
    daemon = engine(lambda created, say: 0)
    daemon.refuses = "no such image: own/image:1"
    with pytest.raises(JobFailed, match=r"the container could not be started: .*own/image:1"):
        run_processing(processing(), context_of(tmp_path))


def test_an_engine_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    monkeypatch.setenv("PATH", str(tmp_path))
    isolation._probe.cache_clear()
    with pytest.raises(ExecutionFailed, match="'docker' does not work here") as refused:
        choose("docker")
    assert "docker is not installed" in refused.value.hint
    isolation._probe.cache_clear()


def test_what_has_no_image_runs_as_a_process(
    tmp_path: Path, engine: Callable[..., FakeEngine]
) -> None:
    from pipelines.local.jobs.process import Command, run_command

    engine(lambda created, say: 1)
    context = context_of(tmp_path)
    context.ml.mkdir(parents=True)
    context.scratch.mkdir()
    command = Command(("python3", "-c", "print('a process')"), {}, "/tmp", None)
    assert run_command(command, context) == 0
    assert "a process" in context.log.read_text()
