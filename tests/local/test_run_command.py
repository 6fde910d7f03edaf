"""The commands run, runs and models, as processes: what people type and see."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from local_samples import (
    IMAGE,
    always,
    compare,
    condition,
    document,
    fail,
    get,
    join,
    json_get,
    make_code,
    model,
    output_of,
    processing,
    register,
)
from sagedag_process import run_sagedag

SAGEDAG = [sys.executable, "-m", "pipelines"]
ROOT = Path(__file__).parents[2]


def gated(*arguments: Any, least: float = 0.9) -> dict[str, Any]:
    """Return a small pipeline: a job, a gate, a registration or a refusal."""
    report = {
        "ContentType": "application/json",
        "S3Uri": join(output_of("job"), "report.json", on="/"),
    }
    gate = condition(
        "gate",
        compare("GreaterThanOrEqualTo", json_get("job", "score"), get("Parameters.Least")),
        then=[
            register(
                "register",
                "birds",
                ModelMetrics={"ModelQuality": {"Statistics": report}},
                Containers=[{"Image": IMAGE, "ModelDataUrl": report["S3Uri"]}],
            ),
            model("model"),
        ],
        other=[fail("reject", join("score ", json_get("job", "score"), " is too low"))],
    )
    parameters = [
        {"Name": "Least", "Type": "Float", "DefaultValue": least},
        {"Name": "Data", "Type": "String", "DefaultValue": "rows.csv"},
    ]
    job = processing("job", *arguments, data=get("Parameters.Data"))
    return document(job, gate, Parameters=parameters)


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_code(folder)
        (folder / "rows.csv").write_text("1,2\n")
        self.write(gated())

    def write(self, definition: Any, name: str = "birds.json") -> None:
        (self.folder / name).write_text(json.dumps(definition))

    def environment(self, **more: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR")}
        return {**kept, "PYTHONPATH": str(ROOT), **more}

    def __call__(
        self, *arguments: str, text: str | None = None, code: int | None = 0, folder: str = "."
    ) -> subprocess.CompletedProcess[str]:
        done = run_sagedag(*arguments, cwd=self.folder / folder, env=self.environment(), text=text)
        assert "Traceback" not in done.stderr, done.stderr
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done


@pytest.fixture
def sagedag(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_run_tells_what_it_does_and_what_came_of_it(sagedag: Project) -> None:
    out = sagedag("run", "birds.json").stdout
    assert "Pipeline   birds (5 steps, at most " in out
    assert "Isolation  " in out
    assert "Store      .sagedag" in out
    steps = [line for line in out.splitlines() if line.startswith(("job ", "gate ", "register "))]
    assert steps[0] == "job       started"
    assert steps[1].startswith("job       succeeded in ")
    assert steps[3].startswith("gate      succeeded in ") and steps[3].endswith(": true")
    assert steps[5].endswith(": birds version 1")
    assert "(4 steps)" in out
    assert "Registered birds version 1 (PendingManualApproval)\n  accuracy 0.97, score 0.97" in out
    assert "Created model pipelines-" in out
    assert "  job  out  .sagedag/s3/bucket/runs/" in out
    assert "\x1b" not in out


def test_a_rejected_model_ends_with_code_5_and_the_numbers(sagedag: Project) -> None:
    done = sagedag("run", "birds.json", "-p", "Least=0.99", code=5)
    assert "reject failed: score 0.97 is too low" in done.stdout
    assert "Registered" not in done.stdout
    assert sagedag("models").stdout == "no model is registered here yet\n"


def test_a_failed_job_shows_its_logs_end(sagedag: Project) -> None:
    sagedag.write(gated("fail"))
    out = sagedag("run", "birds.json", code=5).stdout
    assert "job failed: " in out
    assert "  | this went wrong" in out
    log = out.partition("the whole log: ")[2].splitlines()[0]
    assert (sagedag.folder / log).read_text().endswith("this went wrong\n")


def test_json_is_one_document_and_nothing_else(sagedag: Project) -> None:
    done = sagedag("run", "birds.json", "--json")
    found = json.loads(done.stdout)
    assert found["status"] == "Succeeded"
    assert found["execution"]["PipelineExecutionStatus"] == "Succeeded"
    assert [step["StepName"] for step in found["steps"]][:2] == ["job", "gate"]
    assert found["modelPackages"][0]["ModelPackageVersion"] == 1
    assert found["modelPackages"][0]["Metrics"]["accuracy"] == 0.97
    assert Path(found["outputs"][0]["path"]).is_dir()
    assert "job    " in done.stderr
    assert json.loads(sagedag("runs", "show", "--json").stdout) == found
    rejected = sagedag("run", "birds.json", "--json", "-p", "Least=1", code=5)
    assert json.loads(rejected.stdout)["status"] == "Failed"


def test_parameters_name_local_files_from_where_the_user_is(sagedag: Project) -> None:
    (sagedag.folder / "here").mkdir()
    (sagedag.folder / "here/mine.csv").write_text("9\n")
    path = "../birds.json"
    done = sagedag("run", path, "-p", "Data=mine.csv", "--json", folder="here")
    found = json.loads(done.stdout)
    values = {item["Name"]: item["Value"] for item in found["parameters"]}
    assert values["Data"] == str(sagedag.folder / "here/mine.csv")
    report = Path(found["outputs"][0]["path"]) / "report.json"
    assert json.loads(report.read_text())["seen"] == {"mine.csv": "9\n"}
    assert (sagedag.folder / ".sagedag").is_dir()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run"], 2, "there is no pipeline.yaml here or below"),
        (["run", "none.yaml"], 2, "there is no file or folder `none.yaml`"),
        (["run", "code"], 2, "there is no pipeline.yaml in or below code"),
        (["run", "birds.json", "-p", "Lest=1"], 2, "did you mean `Least`?"),
        (["run", "birds.json", "-p", "Least=high"], 2, "is a Float; `high` is not"),
        (["run", "birds.json", "-p", "Least"], 2, "NAME=VALUE"),
        (["run", "birds.json", "--env", "dev"], 2, "compiled already"),
        (["run", "birds.json", "--isolation", "magic"], 2, "isolation mode 'magic'"),
        (["run", "birds.json", "--inject", "jub=Throttling"], 2, "did you mean `job`?"),
        (["run", "birds.json", "--inject", "job=Throtling"], 2, "did you mean `Throttling`?"),
        (["run", "birds.json", "--inject", "job=Throttling:x"], 2, "a number after the colon"),
        (["run", "birds.json", "--only", "jub"], 2, "did you mean `job`?"),
        (["run", "birds.json", "--resume"], 2, "there is nothing to resume"),
        (["run", "birds.json", "--resume", "--only", "job"], 2, "does not go with --only"),
        (["run", "birds.json", "--source", "x"], 2, "--source goes with --resume"),
        (["run", "birds.json", "--params", "none.yaml"], 2, "does not exist"),
        (["run", "birds.json", "--params", "odd.yaml"], 2, "odd.yaml:2: a parameters file holds"),
        (["run", "broken.json"], 1, "is not JSON: "),
        (["run", "wrong.json"], 1, "/Steps/0/Name: must be 1 to 64"),
        (["runs"], 2, "nothing has run yet"),
        (["models"], 2, "nothing has run yet"),
    ],
)
def test_what_cannot_run_is_refused_and_leaves_nothing(
    sagedag: Project, arguments: list[str], code: int, says: str
) -> None:
    (sagedag.folder / "broken.json").write_text("{")
    (sagedag.folder / "odd.yaml").write_text("Least: 0.5\nData: [a]\n")
    sagedag.write(document({"Name": "", "Type": "Fail"}), "wrong.json")
    done = sagedag(*arguments, code=code)
    assert says in done.stderr
    assert not (sagedag.folder / ".sagedag").exists()


@pytest.mark.parametrize(
    "text",
    [
        "Least: 0.5\nData: mine.csv\n",
        '{"Least": 0.5, "Data": "mine.csv"}',
        '[{"Name": "Least", "Value": "0.5"}, {"Name": "Data", "Value": "mine.csv"}]',
        "- {ParameterKey: Least, ParameterValue: 0.5}\n"
        "- {ParameterKey: Data, ParameterValue: mine.csv}",
    ],
)
def test_parameters_come_from_a_file_and_count_from_it(sagedag: Project, text: str) -> None:
    (sagedag.folder / "more").mkdir()
    (sagedag.folder / "more/mine.csv").write_text("7\n")
    (sagedag.folder / "more/values.yaml").write_text(text)
    done = sagedag(
        "run", "birds.json", "--params", "more/values.yaml", "-p", "Least=0.25", "--json"
    )
    values = {item["Name"]: item["Value"] for item in json.loads(done.stdout)["parameters"]}
    assert values == {"Least": "0.25", "Data": str(sagedag.folder / "more/mine.csv")}


def test_a_handlers_file_is_read_beside_the_definition_and_checked(sagedag: Project) -> None:
    step = {"Name": "ask", "Type": "Lambda", "Arguments": {}, "OutputParameters": [
        {"OutputName": "go", "OutputType": "Boolean"}],
        "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:judge"}  # fmt: skip
    sagedag.write(document(step))
    out = sagedag("run", "birds.json", code=5).stdout
    assert "ask failed: nothing stands in for the Lambda function `judge` on this machine" in out
    assert "add to local.yaml:\n    lambdas:\n      judge:\n        {outputs: {go: true}}" in out
    (sagedag.folder / "local.yaml").write_text("lambdas:\n  judge: {outputs: {go: yes}}\n")
    assert "is text, not Boolean" in sagedag("run", "birds.json", code=5).stdout
    (sagedag.folder / "local.yaml").write_text("lambda:\n  judge: {outputs: {go: true}}\n")
    told = sagedag("run", "birds.json", code=1).stderr
    assert "local.yaml:1:1: error[unknown-key]" in told and "did you mean `lambdas`?" in told
    (sagedag.folder / "pipeline.yaml").write_text(
        "pipeline: a\nsteps: {a: {type: Fail, message: b}}\n"
    )
    assert "local.yaml:1:1" in sagedag("validate", "pipeline.yaml", code=1).stdout
    (sagedag.folder / "local.yaml").write_text("lambdas:\n  judge: {outputs: {go: true}}\n")
    assert "succeeded" in sagedag("run", "birds.json").stdout
    sagedag("validate", "pipeline.yaml")


def test_a_failed_run_is_resumed_and_done_once(sagedag: Project) -> None:
    sagedag.write(gated("fail"))
    sagedag("run", "birds.json", code=5)
    sagedag.write(gated())
    out = sagedag("run", "birds.json", "--resume").stdout
    assert "Resumed    0 steps that had succeeded are kept" in out
    assert "Succeeded in" in out and "birds version 1" in out
    assert "has succeeded; nothing is left to do" in sagedag("run", "birds.json", "--resume").stdout
    out = sagedag("run", "birds.json", "--only", "gate").stdout
    assert "Selected   gate, model, register, reject; the rest from run " in out
    assert "birds version 2" in out


def test_runs_and_models_list_show_and_log(sagedag: Project) -> None:
    sagedag("run", "birds.json")
    sagedag("run", "birds.json", "-p", "Least=1", code=5)
    lines = sagedag("runs").stdout.splitlines()
    assert lines[0].split() == ["RUN", "PIPELINE", "STATUS", "STARTED", "TOOK"]
    assert [line.split()[2] for line in lines[1:]] == ["Failed", "Succeeded"]
    first = lines[2].split()[0]
    assert sagedag("runs", "list", "-n", "1").stdout.count("\n") == 2
    assert "has not run here" in sagedag("runs", "list", "--pipeline", "none").stdout
    shown = sagedag("runs", "show", first[:5]).stdout
    assert f"Run        {first}" in shown
    assert "  Least  0.9" in shown
    assert "    register  RegisterModel  Succeeded" in shown
    assert "Registered birds version 1" in shown
    latest = sagedag("runs", "show").stdout
    assert "Reason     score 0.97 is too low" in latest
    assert sagedag("runs", "logs", first, "job").stdout == "arguments\n"
    assert "== job (succeeded)\narguments\n" in sagedag("runs", "logs").stdout
    assert "its steps are: job, gate" in sagedag("runs", "logs", first, "jab", code=2).stderr
    assert "there is no run `zzz`" in sagedag("runs", "show", "zzz", code=2).stderr
    listed = json.loads(sagedag("runs", "list", "--json").stdout)
    assert (
        json.loads(sagedag("runs", "--json", "--store", "../.sagedag", folder="code").stdout)
        == listed
    )
    assert len(listed["PipelineExecutionSummaries"]) == 2
    models = sagedag("models", folder="code").stdout
    assert models.splitlines()[1].split()[:3] == ["birds", "1", "PendingManualApproval"]
    assert "accuracy 0.97" in models
    shown = sagedag("models", "show", "birds").stdout
    assert "Version     1" in shown and "  accuracy  0.97" in shown
    assert "did you mean `birds`?" in sagedag("models", "show", "bird", code=2).stderr
    assert "has no version 4" in sagedag("models", "show", "birds", "--version", "4", code=2).stderr
    assert json.loads(sagedag("models", "show", "birds", "--json").stdout)["Metrics"]
    assert json.loads(sagedag("models", "list", "--json").stdout)["ModelPackages"]["birds"]
    judged = sagedag("models", "approve", "birds", "--note", "heard them sing").stdout
    assert judged == "birds version 1: Approved\n"
    assert "Approval    Approved" in sagedag("models", "show", "birds").stdout
    approved = json.loads(sagedag("models", "show", "birds", "--json").stdout)
    assert approved["ApprovalDescription"] == "heard them sing"
    assert sagedag("models", "reject", "birds").stdout == "birds version 1: Rejected\n"
    rejected = json.loads(sagedag("models", "show", "birds", "--json").stdout)
    assert "ApprovalDescription" not in rejected
    assert (
        "has no version 4" in sagedag("models", "reject", "birds", "--version", "4", code=2).stderr
    )


def test_standard_input_takes_json_and_describe_pipelines_response(sagedag: Project) -> None:
    definition = json.dumps(gated())
    assert "Pipeline   pipeline " in sagedag("run", "-", text=definition).stdout
    response = {
        "PipelineName": "from-aws",
        "PipelineDefinition": definition,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 3},
    }
    out = sagedag("run", "-", text=json.dumps(response)).stdout
    assert "Pipeline   from-aws (5 steps, at most 3 at once)" in out
    assert "is not JSON" in sagedag("run", "-", text="{", code=1).stderr


def test_a_fault_is_injected_and_retried(sagedag: Project) -> None:
    out = sagedag("run", "birds.json", "--inject", "model=Throttling").stdout
    assert "model     retrying in 1.0 s: Step.THROTTLING: injected" in out
    assert "2 attempts" in sagedag("runs", "show").stdout


def test_several_paths_run_one_after_the_other(sagedag: Project) -> None:
    sagedag.write(document(always("a")), "one.json")
    sagedag.write(document(fail("b")), "two.json")
    sagedag("run", "one.json", "two.json", code=5)
    runs = sagedag("runs").stdout.splitlines()[1:]
    assert [line.split()[1:3] for line in runs] == [["two", "Failed"], ["one", "Succeeded"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_jobs_and_ends_with_130(sagedag: Project, number: int) -> None:
    sagedag.write(gated("sleep=60"))
    process = subprocess.Popen(
        [*SAGEDAG, "run", "birds.json"],
        cwd=sagedag.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=sagedag.environment(),
    )
    wait_for_log(sagedag.folder)
    process.send_signal(number)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert "stopping; running jobs get a moment to end" in out
    assert "job       stopped in " in out
    assert "Traceback" not in err
    shown = sagedag("runs", "show").stdout
    assert "Status     Stopped" in shown and "Reason     stopped by the user" in shown
    sagedag.write(gated())
    sagedag("run", "birds.json")


def wait_for_log(folder: Path) -> None:
    for _ in range(200):
        logs = list((folder / ".sagedag/logs").glob("*/job.log"))
        if logs and "arguments" in logs[0].read_text():
            return
        time.sleep(0.1)
    raise AssertionError("the job has not started")


def on_terminal(sagedag: Project, *arguments: str, interrupt: bool = False) -> tuple[str, int]:
    """Run a command on a terminal of 80 columns; return all it wrote and its exit code."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(sagedag.folder)
        environment = sagedag.environment(TERM="xterm", COLUMNS="80", LINES="24")
        os.execve(SAGEDAG[0], [*SAGEDAG, *arguments], environment)
    written, sent = b"", False
    while True:
        if interrupt and not sent and list(sagedag.folder.glob(".sagedag/logs/*/job.log")):
            wait_for_log(sagedag.folder)
            os.write(terminal, b"\x03")
            sent = True
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        written += data
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return written.decode(), code


def test_a_terminal_gets_a_live_table(sagedag: Project) -> None:
    sagedag.write(gated("sleep=0.6"))
    text, code = on_terminal(sagedag, "run", "birds.json")
    assert code == 0
    assert "\x1b[" in text
    assert "running" in text and "arguments sleep=0.6" in text
    end = text.rpartition("Succeeded in")[0]
    for word in ("✓", "succeeded", "not run", "birds version 1"):
        assert word in end
    assert "started" not in text


def test_ctrl_c_on_a_terminal_stops_and_leaves_the_table(sagedag: Project) -> None:
    sagedag.write(gated("sleep=60"))
    text, code = on_terminal(sagedag, "run", "birds.json", interrupt=True)
    assert code == 130
    assert "stopped" in text and "Stopped in" in text and "Traceback" not in text


def test_help_has_examples_and_loads_nothing_heavy(sagedag: Project) -> None:
    for command in ("run", "runs", "models"):
        assert "Examples:" in sagedag(command, "--help").stdout
    code = (
        "import sys, pipelines.cli.run, pipelines.cli.runs, pipelines.cli.models;"
        "print([m for m in ('rich', 'sagemaker', 'boto3', 'botocore', 'sqlite3', 'jsonschema')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=sagedag.environment()
    )
    assert done.stdout == "[]\n", done.stderr


def test_a_reader_that_goes_away_does_not_end_the_run(sagedag: Project) -> None:
    sagedag.write(gated("sleep=0.5"))
    process = subprocess.Popen(
        [*SAGEDAG, "run", "birds.json"],
        cwd=sagedag.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=sagedag.environment(),
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait()
    assert sagedag("runs").stdout.splitlines()[1].split()[2] == "Succeeded"


def test_a_killed_run_reads_as_stopped_at_once(sagedag: Project) -> None:
    sagedag.write(gated("sleep=60"))
    process = subprocess.Popen(
        [*SAGEDAG, "run", "birds.json"],
        cwd=sagedag.folder,
        stdout=subprocess.DEVNULL,
        env=sagedag.environment(),
    )
    wait_for_log(sagedag.folder)
    assert sagedag("runs").stdout.splitlines()[1].split()[2] == "Executing"
    process.kill()
    process.wait()
    assert sagedag("runs").stdout.splitlines()[1].split()[2] == "Stopped"
    shown = sagedag("runs", "show").stdout
    assert "Reason     interrupted: the process that ran it was killed" in shown
