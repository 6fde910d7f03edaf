"""The mode without any mount: what Python code does with paths below /opt/ml."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from job_workshop import Workshop, processing_request

from pipelines.local.isolation.model import replace_ml
from pipelines.local.jobs import JobFailed, run_processing
from pipelines.local.jobs.material import discard


@pytest.fixture
def rewritten(tmp_path: Path) -> Workshop:
    made = Workshop(tmp_path / "project", "paths")
    made.project.mkdir()
    return made


def test_shell_commands_find_a_folder_with_spaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "mit Leerzeichen ä"
    (place / "tmp").mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(place / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    workshop = Workshop(place, "paths")
    before = set(Path("/tmp").glob("sagedag-*/ml"))
    workshop.objects.put("s3://bucket/code/main.py", b"open('/opt/ml/processing/out/v', 'w')")
    request = processing_request()
    command = "cd /opt/ml/processing/input/code && python3 /opt/ml/processing/input/code/main.py"
    request["AppSpecification"]["ContainerEntrypoint"] = ["/bin/sh", "-c", command]
    folder = {"S3Uri": "s3://bucket/code/", "LocalPath": "/opt/ml/processing/input/code"}
    given = {**folder, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    request["ProcessingInputs"] = [{"InputName": "code", "S3Input": given}]
    run_processing(request, workshop.context())
    assert workshop.output("v") == ""
    assert set(Path("/tmp").glob("sagedag-*/ml")) == before


SCRIPT = """
import glob, io, json, os, pathlib, shutil, subprocess, sys, tempfile
top = "/opt/ml/processing/out"
done = []
def note(name, good):
    done.append([name, bool(good)])
with io.open(f"{top}/a", "w") as stream: stream.write("1")
note("bytes", os.path.exists(os.fsencode(top) + b"/a"))
os.makedirs(top + "/deep/er", exist_ok=True)
shutil.copy(top + "/a", top + "/deep/er/b")
shutil.copytree(top + "/deep", top + "/copied")
note("copytree", os.path.isfile(top + "/copied/er/b"))
shutil.move(top + "/copied", top + "/moved")
shutil.rmtree(top + "/moved")
note("rmtree", not os.path.lexists(top + "/moved"))
note("glob", glob.glob(top + "/*/*/b") == [top + "/deep/er/b"])
note("rglob", list(pathlib.Path(top).rglob("b")) == [pathlib.Path(top + "/deep/er/b")])
note("walk", [found[0] for found in os.walk(top)] == [top, top + "/deep", top + "/deep/er"])
note("relative", os.path.relpath(top + "/a", "/opt/ml") == "processing/out/a")
note("rename", pathlib.Path(top + "/a").rename(top + "/c").exists())
os.chdir(top)
note("chdir", os.path.exists("c"))
note("temporary", tempfile.mkdtemp(dir=top).startswith(top))
fd = os.open(top + "/c", os.O_RDONLY); note("descriptor", os.fstat(fd).st_size == 1); os.close(fd)
note("dir fd", "c" in os.listdir(os.open(top, os.O_RDONLY)))
note("child", subprocess.check_output(["cat", top + "/c"]) == b"1")
note("cwd", subprocess.check_output(["cat", "c"], cwd=top) == b"1")
note("shell", subprocess.check_output(f"cat {top}/c", shell=True) == b"1")
note("neighbour", not os.path.exists("/opt/mlx"))
note("in-process", __import__("zlib") and open(pathlib.Path(top, "c")).read() == "1")
with open(top + "/report.json", "w") as stream: json.dump(done, stream)
"""


def test_python_code_finds_its_files(rewritten: Workshop) -> None:
    rewritten.process(SCRIPT)
    report = json.loads(rewritten.output("report.json"))
    assert [name for name, good in report if not good] == []
    assert len(report) == 17


def test_a_hidden_sitecustomize_still_runs(rewritten: Workshop) -> None:
    own = rewritten.project / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import sys\nsys.customized = 'yes'\n", encoding="utf-8")
    rewritten.process(
        "import sys\nopen('/opt/ml/processing/out/s', 'w').write(sys.customized)",
        Environment={"PYTHONPATH": str(own)},
    )
    assert rewritten.output("s") == "yes"


def test_errors_keep_their_type(rewritten: Workshop) -> None:
    with pytest.raises(JobFailed) as failed:
        rewritten.process("open('/opt/ml/nowhere')")
    assert "FileNotFoundError" in failed.value.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/opt/ml", "/J"),
        ("/opt/ml/model", "/J/model"),
        ("--dir=/opt/ml/model:/opt/ml/x", "--dir=/J/model:/J/x"),
        ("cat '/opt/ml/a'", "cat '/J/a'"),
        ("/opt/mlflow", "/opt/mlflow"),
        ("/srv/opt/ml", "/srv/opt/ml"),
        ("/opt/ml.bak", "/opt/ml.bak"),
    ],
)
def test_only_whole_names_are_rewritten(text: str, expected: str) -> None:
    assert replace_ml(text, Path("/J")) == expected


def test_discarding_a_folder_its_job_locked(rewritten: Workshop) -> None:
    rewritten.process(
        "import os\nos.makedirs('/opt/ml/locked/in')\nopen('/opt/ml/locked/in/f', 'w').close()\n"
        "os.chmod('/opt/ml/locked/in', 0)\nos.chmod('/opt/ml/locked', 0o500)\n"
        "os.symlink('/etc', '/opt/ml/link')"
    )
    folder = rewritten.project / ".sagedag" / "work" / "job-1"
    assert (folder / "ml" / "locked").is_dir()
    discard(folder)
    assert not folder.exists()
    assert Path("/etc/passwd").is_file()
