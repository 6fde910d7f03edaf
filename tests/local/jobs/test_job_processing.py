"""Processing jobs: the container's contract, whole, on real processes."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from job_shapes import judge
from job_workshop import Workshop, processing_request

from pipelines.local.jobs import JobFailed, run_processing

SHOW = """
import json, os, sys
found = {}
for top, _, names in os.walk("/opt/ml/processing/input"):
    for name in names:
        path = os.path.join(top, name)
        found[os.path.relpath(path, "/opt/ml/processing/input")] = open(path).read()[:20]
with open("/opt/ml/processing/out/show.json", "w") as stream:
    json.dump({"argv": sys.argv[1:], "found": found, "given": os.environ.get("GIVEN"),
               "config": json.load(open("/opt/ml/config/processingjobconfig.json")),
               "resources": json.load(open("/opt/ml/config/resourceconfig.json"))}, stream)
"""


def source(name: str, uri: str, path: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def test_the_whole_contract(every_mode: Workshop) -> None:
    for key in ("data/train.csv", "data/deep/more.csv", "single/only.csv"):
        every_mode.objects.put(f"s3://bucket/{key}", key.encode())
    (every_mode.project / "local").mkdir()
    (every_mode.project / "local" / "x.txt").write_text("local", encoding="utf-8")
    every_mode.objects.put("s3://bucket/code/script.py", SHOW.encode())
    request = processing_request("--rows", "5", "a b", Environment={"GIVEN": "yes"})
    request["ProcessingInputs"] += [
        source("data", "s3://bucket/data", "/opt/ml/processing/input"),
        source("one", "s3://bucket/single/only.csv", "/opt/ml/processing/input/one"),
        source("mine", "local", "/opt/ml/processing/input/mine"),
    ]
    context = every_mode.context()
    answer = run_processing(request, context)
    judge("DescribeProcessingJob", answer)
    assert answer["ProcessingJobStatus"] == "Completed"
    assert answer["ProcessingJobName"] == context.name
    assert answer["ProcessingOutputConfig"] == request["ProcessingOutputConfig"]
    assert answer["ProcessingStartTime"] <= answer["ProcessingEndTime"]
    shown = json.loads(every_mode.output("show.json"))
    assert shown["argv"] == ["--rows", "5", "a b"]
    assert shown["given"] == "yes"
    assert sorted(shown["found"]) == [
        "code/script.py",
        "deep/more.csv",
        "mine/x.txt",
        "one/only.csv",
        "train.csv",
    ]
    assert shown["config"]["ProcessingJobArn"] == context.arn
    assert shown["config"]["ProcessingJobName"] == context.name
    assert shown["config"]["AppSpecification"]["ContainerArguments"] == ["--rows", "5", "a b"]
    assert shown["resources"]["current_host"] == "algo-1"
    assert shown["resources"]["hosts"] == ["algo-1"]
    assert shown["resources"]["current_instance_type"] == "ml.m5.large"


def test_a_failing_script(every_mode: Workshop) -> None:
    script = (
        "import os, sys\n"
        "os.makedirs('/opt/ml/output', exist_ok=True)\n"
        "open('/opt/ml/output/message', 'w').write('no rows ' + 'x' * 5000)\n"
        "print('about to fail', file=sys.stderr)\n"
        "sys.exit(3)\n"
    )
    with pytest.raises(JobFailed) as failed:
        every_mode.process(script)
    assert failed.value.exit_code == 3
    assert failed.value.reason.startswith(
        "AlgorithmError: the job's process ended with exit code 3"
    )
    assert "about to fail" in failed.value.log.read_text(encoding="utf-8")
    answer = failed.value.description
    judge("DescribeProcessingJob", answer)
    assert answer["ProcessingJobStatus"] == "Failed"
    assert answer["ExitMessage"].startswith("no rows")
    assert len(answer["ExitMessage"]) == 1024
    assert every_mode.objects.list("s3://bucket/out") == ()


def test_a_job_killed_by_a_signal(every_mode: Workshop) -> None:
    with pytest.raises(JobFailed) as failed:
        every_mode.process("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    assert failed.value.exit_code == 139


def test_the_message_is_not_read_through_a_link(workshop: Workshop) -> None:
    script = "import os\nos.symlink('/etc/passwd', '/opt/ml/output/message')"
    assert "ExitMessage" not in workshop.process(script)


@pytest.mark.parametrize("program", ["no-such-program", "/opt/ml/processing/input/code/script.py"])
def test_a_program_that_cannot_be_run(every_mode: Workshop, program: str) -> None:
    application = {"ImageUri": "image", "ContainerEntrypoint": [program]}
    with pytest.raises(JobFailed, match=r"could not be started|exit code 12?7?") as failed:
        every_mode.process("", AppSpecification=application)
    text = failed.value.reason + failed.value.log.read_text(encoding="utf-8")
    assert program.rsplit("/", 1)[-1] in text


def test_an_image_s_own_entry_point_is_not_known(workshop: Workshop) -> None:
    with pytest.raises(JobFailed, match=r"no ContainerEntrypoint.*'sagemaker-debugger") as failed:
        workshop.process("", AppSpecification={"ImageUri": "1.dkr/sagemaker-debugger-rules:1.0"})
    assert "ContainerEntrypoint" in failed.value.hint


def test_a_shell_command_with_code_as_a_folder(every_mode: Workshop) -> None:
    every_mode.objects.put("s3://bucket/code/requirements.txt", b"pytest\n")
    every_mode.objects.put("s3://bucket/code/own.py", b"VALUE = 'imported'\n")
    every_mode.objects.put(
        "s3://bucket/code/main.py",
        b"import own, sys\nopen('/opt/ml/processing/out/v', 'w').write(own.VALUE + sys.argv[1])\n",
    )
    command = (
        "cd /opt/ml/processing/input/code && test -s requirements.txt && "
        "python3 /opt/ml/processing/input/code/main.py $(echo -n -shell)"
    )
    request = processing_request()
    request["AppSpecification"]["ContainerEntrypoint"] = ["/bin/bash", "-c", command]
    request["ProcessingInputs"] = [
        source("code", "s3://bucket/code/", "/opt/ml/processing/input/code")
    ]
    run_processing(request, every_mode.context())
    assert every_mode.output("v") == "imported-shell"


def test_children_of_a_job_see_its_folder(every_mode: Workshop) -> None:
    script = (
        "import os, subprocess, sys\n"
        "child = \"open('/opt/ml/processing/out/c', 'w').write('child')\"\n"
        "subprocess.run([sys.executable, '-c', child], check=True)\n"
        "out = '/opt/ml/processing/out/'\n"
        "subprocess.run(['cp', out + 'c', out + 'd'], check=True)\n"
        "os.system('cp /opt/ml/processing/out/c /opt/ml/processing/out/e')\n"
        "from pathlib import Path\n"
        "Path('/opt/ml/processing/out/f').write_text(Path('/opt/ml/processing/out/e').read_text())\n"
        "assert [p.name for p in sorted(Path(out).glob('*'))] == list('cdef')\n"
    )
    every_mode.process(script)
    assert every_mode.output("f") == "child"


def test_a_job_cannot_change_the_store_by_its_inputs(every_mode: Workshop) -> None:
    every_mode.process(
        "import os\npath = '/opt/ml/processing/input/code/script.py'\n"
        "os.chmod(path, 0o777)\nopen(path, 'a').write('# changed')\n"
    )
    path = every_mode.objects.root / "bucket" / "code" / "script.py"
    assert "changed" not in path.read_text(encoding="utf-8").splitlines()[-1][:9]
    assert stat.S_IMODE(path.stat().st_mode) & 0o002 == 0


@pytest.mark.parametrize("place", ["/etc/cron.d", "/opt/ml/../../etc", "relative", "/opt/mlx"])
def test_inputs_land_below_opt_ml_only(workshop: Workshop, place: str) -> None:
    request = processing_request()
    request["ProcessingInputs"][0]["S3Input"]["LocalPath"] = place
    workshop.objects.put("s3://bucket/code/script.py", b"")
    with pytest.raises(JobFailed, match="does not lie below /opt/ml"):
        run_processing(request, workshop.context())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"S3Input": {"S3DataType": "ManifestFile"}}, "S3DataType ManifestFile"),
        ({"S3Input": {"LocalPath": None}}, "no LocalPath"),
        ({"DatasetDefinition": {}, "S3Input": None}, "no S3Uri"),
    ],
)
def test_inputs_that_cannot_be_prepared(
    workshop: Workshop, given: dict[str, Any], reason: str
) -> None:
    request = processing_request()
    entry = request["ProcessingInputs"][0]
    for name, value in given.items():
        entry[name] = {**entry[name], **value} if entry.get(name) and value else value
        if value is None:
            del entry[name]
        elif name == "S3Input":
            entry[name] = {key: each for key, each in entry[name].items() if each is not None}
    with pytest.raises(JobFailed, match=f"input 'code' has {reason}"):
        run_processing(request, workshop.context())


@pytest.mark.parametrize("program", ["/usr/bin/python3", "/miniconda3/bin/python", "python3"])
def test_an_image_s_python_is_this_one(every_mode: Workshop, program: str) -> None:
    script = "/opt/ml/processing/input/code/script.py"
    application = {"ImageUri": "image", "ContainerEntrypoint": [program, script]}
    text = "import sys\nopen('/opt/ml/processing/out/p', 'w').write(sys.prefix)"
    every_mode.process(text, AppSpecification=application)
    assert every_mode.output("p") == sys.prefix


def test_several_instances_are_one_here(workshop: Workshop) -> None:
    request = processing_request()
    request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 3
    workshop.objects.put("s3://bucket/code/script.py", b"print('ran')")
    context = workshop.context()
    run_processing(request, context)
    note, line = context.log.read_text(encoding="utf-8").splitlines()
    assert "3 instances" in note
    assert line == "ran"


def test_a_missing_input(workshop: Workshop) -> None:
    with pytest.raises(JobFailed, match="input 'code': there is nothing at s3://bucket/code"):
        run_processing(processing_request(), workshop.context())


def test_lines_are_bounded_and_harmless(workshop: Workshop) -> None:
    workshop.process(
        "import sys\n"
        "print('\\x1b[31mred\\x1b[0m \\x07bell')\n"
        "print('x' * 1_000_000)\n"
        "print('10%\\r50%\\r100%')\n"
        "sys.stdout.buffer.write(b'\\xff\\xfe bad\\nno end')\n"
    )
    first, long, progress, bad, last = workshop.lines
    assert first == "red bell"
    assert len(long) == 4096
    assert progress == "100%"
    assert bad.endswith(" bad")
    assert last == "no end"


def test_folders_are_kept_apart_from_the_project(workshop: Workshop) -> None:
    context = workshop.context()
    (context.folder / "ml").mkdir(parents=True)
    Path(context.folder / "ml" / "left").write_text("over", encoding="utf-8")
    with pytest.raises(JobFailed, match="not empty"):
        run_processing(processing_request(), context)
