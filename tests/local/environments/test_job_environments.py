"""`--job-env venv`: the profile of an image, an environment made once, jobs that run in it."""

from __future__ import annotations

import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import UsageError
from pipelines.local.environments import VirtualEnvironments, choose_environments, pythons, virtual
from pipelines.local.environments.profiles import loosened, profile_of
from pipelines.local.isolation import choose
from pipelines.local.jobs import JobContext, JobFailed, run_processing
from pipelines.local.objects import ObjectStore
from pipelines.local.options import RunOptions

ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com/"
VERSION = f"3.{sys.version_info[1]}"


@pytest.mark.parametrize(
    ("image", "python", "first"),
    [
        ("sagemaker-scikit-learn:1.2-1-cpu-py3", "3.9", "scikit-learn==1.2.1"),
        ("sagemaker-scikit-learn:1.4-2-cpu-py3", "3.10", "scikit-learn==1.4.*"),
        ("sagemaker-xgboost:1.7-1", "3.9", "xgboost==1.7.*"),
        ("pytorch-training:2.1.0-cpu-py310-ubuntu20.04-sagemaker", "3.10", "torch==2.1.0"),
        ("tensorflow-inference:2.13-gpu", "", "tensorflow==2.13.*"),
        ("xgboost:latest", "", "xgboost"),
    ],
)
def test_what_is_known_of_images(image: str, python: str, first: str) -> None:
    profile = profile_of(ECR + image)
    assert (profile.python, profile.requirements[0]) == (python, first)
    assert "boto3" in profile.requirements


def test_images_that_are_not_known_get_nothing() -> None:
    for image in ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/own:1", "", "own"):
        assert profile_of(image).requirements == ()
    assert loosened("numpy==1.24.1") == "numpy>=1.24.1"
    assert loosened("torch==2.1.*") == "torch>=2.1"
    assert loosened("pandas") == "pandas"


def test_choosing() -> None:
    assert choose_environments("current").name == "current"
    assert choose_environments("venv").name == "venv"
    with pytest.raises(UsageError, match="no job environment `conda`"):
        choose_environments("conda")


def test_the_nearest_python_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def known(*minors: int) -> dict[str, tuple[Path, ...]]:
        return {f"3.{minor}": (tmp_path / f"python3.{minor}",) for minor in minors}

    monkeypatch.setattr(pythons, "_candidates", lambda: known(7, 9, 11))
    monkeypatch.setattr(pythons, "_runs", lambda path, version: True)
    monkeypatch.setattr("sys.version_info", (3, 13, 0))
    assert pythons.nearest_python("3.9") == ("3.9", tmp_path / "python3.9")
    assert pythons.nearest_python("3.10")[0] == "3.11"
    assert pythons.nearest_python("3.5")[0] == "3.7"
    assert pythons.nearest_python("") == ("3.13", Path(sys.executable))
    # One that does not run, as pyenv's shims, is passed over.
    monkeypatch.setattr(pythons, "_runs", lambda path, version: version != "3.9")
    assert pythons.nearest_python("3.9")[0] == "3.11"
    monkeypatch.setattr(pythons, "_runs", lambda path, version: False)
    assert pythons.nearest_python("3.9") == ("3.13", Path(sys.executable))


def wheel(folder: Path, name: str, version: str, code: str) -> None:
    """Write a small package as a wheel."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as packed:
        packed.writestr(f"{name}.py", code)
        packed.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        packed.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        packed.writestr(f"{info}/RECORD", "")


class Bench:
    """A project, an index of wheels of our own, and jobs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        wheel(self.wheels, "starlight", "1.0", "COLOUR = 'white'\n")
        wheel(self.wheels, "starlight", "2.0", "COLOUR = 'blue'\n")
        for name in ("UV_FIND_LINKS", "PIP_FIND_LINKS"):
            monkeypatch.setenv(name, str(self.wheels))
        for name in ("UV_OFFLINE", "PIP_NO_INDEX"):
            monkeypatch.setenv(name, "1")
        self.environments = VirtualEnvironments(folder / "cache")
        self.objects = ObjectStore(folder / "project/.sagedag/s3", folder / "project")
        self.count = 0

    def context(self) -> JobContext:
        self.count += 1
        return JobContext(
            name=f"job-{self.count}",
            arn="arn:aws:sagemaker:eu-west-1:111122223333:processing-job/job",
            folder=self.folder / "project/.sagedag/work" / str(self.count),
            objects=self.objects,
            isolation=choose("auto"),
            cancelled=threading.Event(),
            on_line=None,
            log=self.folder / f"log-{self.count}",
            account="111122223333",
            region="eu-west-1",
            environments=self.environments,
        )

    def run(self, requirements: str, script: str, context: JobContext | None = None) -> str:
        """Run a script beside requirements; return what it printed."""
        context = context or self.context()
        self.objects.put("s3://bucket/code/script.py", script.encode())
        self.objects.put("s3://bucket/code/requirements.txt", requirements.encode())
        source = {
            "S3Uri": "s3://bucket/code",
            "LocalPath": "/opt/ml/processing/input/code",
            "S3DataType": "S3Prefix",
        }
        script_path = "/opt/ml/processing/input/code/script.py"
        application = {"ImageUri": "own/image:1", "ContainerEntrypoint": ["python3", script_path]}
        request: dict[str, Any] = {
            "AppSpecification": application,
            "ProcessingInputs": [{"InputName": "code", "S3Input": source}],
        }
        run_processing(request, context)
        return context.log.read_text(encoding="utf-8")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


SCRIPT = """
import subprocess, sys
import starlight
print("colour", starlight.COLOUR, sys.prefix != sys.base_prefix, "boto3" in sys.modules)
listed = "/opt/ml/processing/input/code/requirements.txt"
subprocess.run(["pip", "install", "-r", listed], check=True)
print("met")
lacking = subprocess.run(["pip", "install", "starlight>=9"], capture_output=True, text=True)
print("lacking", lacking.returncode, "starlight>=9" in lacking.stderr)
"""


def test_a_job_gets_what_its_code_asks_for(bench: Bench) -> None:
    first = bench.run("starlight==1.0\n", SCRIPT)
    assert "making the environment plain: starlight==1.0" in first
    assert "colour white True False" in first
    assert "met\nlacking 1 True" in first
    again = bench.run("starlight==1.0\n", SCRIPT)
    assert "making" not in again
    assert "colour white" in again
    other = bench.run("starlight\n", SCRIPT)
    assert "colour blue" in other
    assert len([each for each in (bench.folder / "cache").iterdir() if each.is_dir()]) == 2


def test_two_jobs_make_one_environment(bench: Bench) -> None:
    contexts = [bench.context() for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        logs = list(pool.map(lambda c: bench.run("starlight==1.0\n", SCRIPT, c), contexts))
    assert sum("making" in log for log in logs) == 1
    assert all("colour white" in log for log in logs)


def test_a_half_made_environment_is_made_anew(bench: Bench) -> None:
    bench.run("starlight==1.0\n", SCRIPT)
    (made,) = (each for each in (bench.folder / "cache").iterdir() if each.is_dir())
    (made / virtual.COMPLETE).unlink()
    next(made.rglob("starlight.py")).unlink()
    assert "colour white" in bench.run("starlight==1.0\n", SCRIPT)


def test_without_uv_python_s_own_tools_do_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "find_uv", lambda: None)
    assert "colour blue" in bench.run("starlight==2.0\n", SCRIPT)


@pytest.mark.parametrize(
    ("requirements", "told"),
    [
        ("starlight==9.9\n", "could not be made"),
        ("starlight-of-nobody\n", "could not be made"),
        ("starlight @ file:///etc/passwd\n", "could not be made"),
    ],
)
def test_what_cannot_be_installed_fails_the_job(bench: Bench, requirements: str, told: str) -> None:
    with pytest.raises(JobFailed, match=told) as failed:
        bench.run(requirements, SCRIPT)
    assert "--job-env current" in failed.value.hint


def test_source_packages_are_not_built(bench: Bench) -> None:
    import tarfile

    evil = bench.folder / "evil-1.0"
    evil.mkdir()
    mark = bench.folder / "was-here"
    (evil / "setup.py").write_text(f"open({str(mark)!r}, 'w')\n")
    (evil / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    with tarfile.open(bench.wheels / "evil-1.0.tar.gz", "w:gz") as archive:
        archive.add(evil, "evil-1.0")
    for text in ("evil\n", f"-e {evil}\n", f"{evil}\n", "--no-binary :all:\nevil\n"):
        with pytest.raises(JobFailed):
            bench.run(text, SCRIPT)
    assert not mark.exists()


def test_the_current_interpreter_is_named_as_what_lacks(bench: Bench) -> None:
    current = choose_environments("current")
    context = replace(bench.context(), environments=current)
    file = bench.folder / "requirements.txt"
    file.write_text("starlight==1.0\n")
    with pytest.raises(JobFailed, match=r"starlight==1.0 \(not installed\)") as failed:
        current.interpreter("own", [file], context)
    assert "--job-env venv" in failed.value.hint
    assert current.interpreter("own", [file], context, installs_itself=True).own
    assert "lacks: starlight==1.0" in context.log.read_text(encoding="utf-8")


def test_results_of_other_libraries_are_not_reused() -> None:
    variants = [
        RunOptions(environments=choose_environments(name), sample=sample).variant
        for name in ("current", "venv", "docker")
        for sample in (None, 5)
    ]
    assert variants[0] == ""
    assert len(set(variants)) == len(variants)
