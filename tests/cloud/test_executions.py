"""Starting, watching, stopping and retrying executions, against moto's server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import boto3
import pytest
from executing import ROLE, becomes, deploy, job, run, script, started, step, write_log
from moto_server import AwsServer, Fault

from pipelines.cloud.client import Clients
from pipelines.cloud.executions import watching
from pipelines.cloud.executions.watching import Pace, watch

STARTS = "sagemaker:StartPipelineExecution"


@pytest.fixture
def deployed(project: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, deployed; who waits asks again at once."""
    monkeypatch.setattr(watching, "Pace", partial(Pace, first=0.01, longest=0.02))
    monkeypatch.setenv("CI", "1")
    deploy(project)
    aws.forget_requests()
    return project


def test_a_start_says_what_it_started(deployed: Path, aws: AwsServer) -> None:
    params = deployed / "night.yaml"
    params.write_text("Rows: 5\nMode: exact\n")
    words = ("-p", "Rows=7", "--params", "night.yaml", "--parallel", "3", "--name", "by-hand")
    ran = run(deployed, "start", "line", *words)
    assert ran.code == 0, ran.err
    (request,) = [r.body for r in aws.requests if r.call == STARTS]
    assert request["PipelineParameters"] == [
        {"Name": "Rows", "Value": "7"},
        {"Name": "Mode", "Value": "exact"},
    ]
    assert request["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
    assert request["PipelineExecutionDisplayName"] == "by-hand"
    (arn,) = aws.lacks.executions
    identifier = arn.rpartition("/")[2]
    assert ran.out == (
        f"Started line/{identifier}\nWait for it: sagedag wait line/{identifier} --env dev\n"
    )
    by_path = run(deployed, "start", "line/pipeline.yaml", "--json")
    assert json.loads(by_path.out)["arn"] in aws.lacks.executions


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("Rows=many", "parameter `Rows` is an Integer; `many` is not"),
        ("Rwos=3", "the pipeline has no parameter `Rwos`; did you mean `Rows`?"),
        ("Mode=slow", "parameter `Mode` cannot be `slow`; it is one of fast, exact"),
    ],
)
def test_parameters_are_checked_before_the_call(
    deployed: Path, aws: AwsServer, given: str, told: str
) -> None:
    ran = run(deployed, "start", "line", "-p", given)
    assert ran.code == 2
    assert told in ran.err
    assert aws.writes == []


def test_parameters_are_those_of_the_version_that_starts(deployed: Path, aws: AwsServer) -> None:
    file = deployed / "line" / "pipeline.yaml"
    file.write_text(
        file.read_text().replace("  Rows: 100\n", "  Rows: 100\n  Depth: {type: Integer}\n")
    )
    assert run(deployed, "upsert", "--yes", "--alias", "live").code == 0
    missing = run(deployed, "start", "line", "--alias", "live")
    assert missing.code == 2
    assert "no value for the parameter `Depth`" in missing.err
    assert run(deployed, "start", "line", "--alias", "live", "-p", "Depth=3").code == 0
    assert run(deployed, "start", "line", "--version", "1").code == 0
    bodies = [r.body for r in aws.requests if r.call == STARTS]
    assert bodies[0]["PipelineVersionAlias"] == "live"
    assert bodies[1]["PipelineVersionId"] == 1
    unknown = run(deployed, "start", "line", "--alias", "old")
    assert unknown.code == 2
    assert "there is no pipeline line, alias old in dev" in unknown.err
    assert "`sagedag versions line` lists them" in unknown.err
    both = run(deployed, "start", "line", "--alias", "live", "--version", "1")
    assert "--alias and --version exclude each other" in both.err
    assert "there is no pipeline lin in dev" in run(deployed, "start", "lin").err


def test_the_same_token_starts_once(deployed: Path, aws: AwsServer) -> None:
    # It takes effect, and the answer is lost on its way.
    aws.fail_on(STARTS, Fault(status=500, after=True), times=1)
    lost = run(deployed, "start", "line", "--token", "job-17")
    assert lost.code == 4
    assert "with --token job-17 starts it once" in lost.err
    assert run(deployed, "start", "line", "--token", "job-17").code == 0
    assert len(aws.lacks.executions) == 1
    assert run(deployed, "start", "line", "--token", "job-18").code == 0
    assert len(aws.lacks.executions) == 2
    # Without a word from the user there is one in the hint.
    aws.fail_on(STARTS, Fault(drop=True), times=1)
    assert "--token " in run(deployed, "start", "line").err


def test_selective_execution(deployed: Path, aws: AwsServer) -> None:
    nothing = run(deployed, "start", "line", "--from", "train")
    assert nothing.code == 2
    assert "no execution of pipeline `line` has succeeded" in nothing.err
    assert "split, for train" in nothing.err
    assert aws.writes == []
    first = started(aws, "Succeeded")
    failed = started(aws, "Failed")
    running = started(aws, "Executing")
    for words, source, steps in (
        (("--from", "train"), first.arn, ["train"]),
        (("--from", "split"), None, ["split", "train"]),
        (("--only", "split"), None, ["split"]),
        (("--only", "train", "--source", failed.arn), failed.arn, ["train"]),
        (("--only", "train", "--source", failed.arn[-12:]), failed.arn, ["train"]),
    ):
        aws.forget_requests()
        ran = run(deployed, "start", "line", *words)
        assert ran.code == 0, ran.err
        (body,) = [r.body for r in aws.requests if r.call == STARTS]
        chosen = body["SelectiveExecutionConfig"]
        assert [each["StepName"] for each in chosen["SelectedSteps"]] == steps
        assert chosen.get("SourcePipelineExecutionArn") == source
    wrong = run(deployed, "start", "line", "--only", "trian")
    assert "there is no step `trian`; did you mean `train`?" in wrong.err
    busy = run(deployed, "start", "line", "--only", "train", "--source", running.arn)
    assert busy.code == 2
    assert "is Executing: SageMaker takes results of one that succeeded or failed" in busy.err


def test_waiting_writes_a_line_for_each_change(deployed: Path, aws: AwsServer) -> None:
    found = started(aws)
    train = partial(step, "train", Metadata=job("TrainingJob", "job-1"))
    cached = {"CacheHitResult": {"SourcePipelineExecutionArn": found.arn[:-12] + "0123456789ab"}}
    split = step("split", "Succeeded", **cached)
    script(
        aws,
        becomes(found, "Executing"),
        becomes(found, "Executing", split, train("Starting")),
        becomes(found, "Executing", split, train("Executing")),
        lambda: Fault("ThrottlingException", 400),
        lambda: Fault(drop=True),
        becomes(found, "Succeeded", split, train("Succeeded", seconds=75)),
    )
    ran = run(deployed, "wait", "line")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0].split() == ["Pipeline", "line", "(version", "1)"]
    begun = lines.index("") + 1
    told = lines[begun:]
    assert told[:2] == ["split  reused: from 0123456789ab", "train  started"]
    assert "throttled (ThrottlingException)" in told[2]
    assert "the network failed" in told[3]
    assert told[4] == "train  succeeded in 1 min 15 s"
    assert told[6].startswith("Succeeded in ")
    assert told[6].endswith("(2 steps, 1 reused)")


def test_a_failure_is_told_with_its_log_and_its_line(deployed: Path, aws: AwsServer) -> None:
    found = started(aws)
    group = "/aws/sagemaker/TrainingJobs"
    write_log(group, "job-1/algo-1-1", *(f"epoch {n}" for n in range(500)), "ValueError: \x1b[2Jx")
    write_log(group, "job-10/algo-1-1", "of another job")
    why = "AlgorithmError: ExecuteUserScriptError:\nExitCode 1"
    failed = step("train", "Failed", FailureReason=why, Metadata=job("TrainingJob", "job-1"))
    over = becomes(found, "Failed", step("split", "Succeeded"), failed, failure="Step failure: x")
    script(aws, over, over)
    ran = run(deployed, "wait", "line")
    assert ran.code == 5
    identifier = found.arn[-12:]
    assert "Failed in " in ran.out
    assert "train failed  line/pipeline.yaml:16:3" in ran.out
    assert "  AlgorithmError: ExecuteUserScriptError:\n  ExitCode 1\n" in ran.out
    assert "  | epoch 499\n  | ValueError: \N{REPLACEMENT CHARACTER}[2Jx\n" in ran.out
    assert "epoch 400" not in ran.out
    assert "another" not in ran.out
    assert f"The whole log: sagedag logs line/{identifier} train --env dev" in ran.out
    assert "https://us-east-1.console.aws.amazon.com/sagemaker/home" in ran.out
    assert f"Run what failed again: sagedag retry line/{identifier} --env dev" in ran.out
    # The same is seen later, with the step that never began.
    status = run(deployed, "status", f"line/{identifier[:6]}")
    assert status.code == 0
    assert "train failed  line/pipeline.yaml:16:3" in status.out
    found.steps.pop()
    assert "·  train  not run" in run(deployed, "status", "line").out
    document = json.loads(run(deployed, "status", "line", "--json").out)
    assert document["status"] == "Failed"
    assert document["unbegun"] == ["train"]


def test_start_and_wait_with_json_keeps_standard_output_for_it(
    deployed: Path, aws: AwsServer
) -> None:
    aws.lacks.first_status = "Failed"
    ran = run(deployed, "start", "line", "--wait", "--json")
    assert ran.code == 5
    document = json.loads(ran.out)
    assert [each["status"] for each in document["steps"]] == ["Failed", "Failed"]
    assert "Started line/" in ran.err


def test_a_refusal_ends_the_waiting_and_says_how_to_go_on(deployed: Path, aws: AwsServer) -> None:
    found = started(aws)
    script(aws, lambda: None, lambda: Fault("ExpiredTokenException", 400))
    ran = run(deployed, "wait", "line")
    assert ran.code == 4
    assert "the credentials have expired" in ran.err
    assert f"wait for it again with `sagedag wait line/{found.arn[-12:]} --env dev`" in ran.err


def test_patience_ends(clients: Clients, deployed: Path, aws: AwsServer) -> None:
    found = started(aws)
    aws.fail_on("sagemaker:DescribePipelineExecution", Fault("ThrottlingException", 400))
    pauses: list[float] = []

    class Quiet:
        def seen(self, execution: object) -> None:
            raise AssertionError

        def refused(self, refused: object, pause: float) -> None:
            pass

    with pytest.raises(Exception, match="throttled"):
        watch(clients, found.arn, Quiet(), Pace(1, 8, 1.5, 60), pauses.append)
    assert pauses[:3] == [pytest.approx(n, rel=0.11) for n in (2, 4, 8)]
    assert 60 <= sum(pauses) < 80
    assert max(pauses) < 18


def test_ctrl_c_leaves_the_execution_alone(
    deployed: Path, aws: AwsServer, aws_variables: dict[str, str]
) -> None:
    found = started(aws)
    found.steps.append(step("split", "Executing"))
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines", "wait", "line", "--env", "dev"],
        cwd=deployed,
        env={**os.environ, **aws_variables, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while "split" not in (line := process.stdout.readline()):
        assert line, process.stderr and process.stderr.read()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    name = f"line/{found.arn[-12:]}"
    assert f"The execution goes on. Wait for it again: sagedag wait {name} --env dev" in err
    assert "Traceback" not in err
    assert found.status == "Executing"


def test_waiting_ends_after_its_time_and_the_execution_goes_on(
    deployed: Path, aws: AwsServer
) -> None:
    found = started(aws)
    begun = time.monotonic()
    ran = run(deployed, "wait", "line", "--timeout", "0.5", "--json")
    assert ran.code == 124
    assert 0.5 <= time.monotonic() - begun < 2.9
    name = f"line/{found.arn[-12:]}"
    assert "It is not over after 0.5 seconds. The execution goes on." in ran.err
    assert f"Wait for it again: sagedag wait {name} --env dev" in ran.err
    assert json.loads(ran.out)["status"] == "Executing"
    assert found.status == "Executing"
    assert "--timeout goes with --wait" in run(deployed, "start", "line", "--timeout", "9").err
    # What is over in time ends as ever.
    script(aws, becomes(found, "Executing"), becomes(found, "Succeeded"))
    assert run(deployed, "wait", "line", "--timeout", "60").code == 0


def test_a_waiting_that_could_never_ask_says_why(deployed: Path, aws: AwsServer) -> None:
    found = started(aws)
    answers = iter([None])
    aws.hook = lambda r: (
        Fault("ThrottlingException", 400)
        if r.call == "sagemaker:DescribePipelineExecution" and next(answers, 1)
        else None
    )
    ran = run(deployed, "wait", f"line/{found.arn[-12:]}", "--timeout", "0.1")
    assert ran.code == 4
    assert "throttled" in ran.err


def test_stop_and_retry(deployed: Path, aws: AwsServer) -> None:
    found = started(aws)
    name = f"line/{found.arn[-12:]}"
    early = run(deployed, "retry", name)
    assert early.code == 2
    assert "only one that failed or was stopped can be retried" in early.err
    assert run(deployed, "stop", name).out == f"Execution {name}: stopped\n"
    assert aws.writes == ["sagemaker:StopPipelineExecution"]
    again = run(deployed, "stop", name)
    assert again.out == f"Nothing to stop: execution {name} has stopped.\n"
    assert len(aws.writes) == 1
    retried = run(deployed, "retry", name)
    assert retried.out.startswith(f"Retrying {name}\n")
    assert found.status == "Executing"
    # Stopped a second time: that is another stop, with a token of its own.
    time.sleep(0.01)
    assert run(deployed, "stop", "line").code == 0
    assert found.status == "Stopped"


def test_lists(deployed: Path, aws: AwsServer) -> None:
    listed = run(deployed, "list")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["PIPELINE", "line"]
    assert run(deployed, "list", "line").out == "Pipeline `line` has no executions.\n"
    made = [started(aws, status) for status in ("Succeeded", "Failed", "Succeeded")]
    rows = run(deployed, "list", "line").out.splitlines()
    assert [row.split()[:2] for row in rows[1:]] == [
        [each.arn[-12:], each.status.lower()] for each in reversed(made)
    ]
    failed = json.loads(run(deployed, "list", "line", "--status", "failed", "--json").out)
    assert [each["arn"] for each in failed] == [made[1].arn]
    assert len(run(deployed, "list", "line", "-n", "2").out.splitlines()) == 3


def test_names_of_executions(deployed: Path, aws: AwsServer) -> None:
    first, second = started(aws), started(aws)

    def id_of(*words: str) -> str:
        ran = run(deployed, "status", *words, "--json")
        assert ran.code == 0, ran.err
        return str(json.loads(ran.out)["arn"])

    assert id_of("line") == second.arn
    assert id_of("line/latest") == second.arn
    assert id_of("latest") == second.arn
    assert id_of("line/pipeline.yaml") == second.arn
    assert id_of(f"line/{first.arn[-12:]}") == first.arn
    assert id_of(first.arn[-12:]) == first.arn
    assert id_of(first.arn) == first.arn
    for word, told in (
        ("nothing", "check its name"),
        ("line/zzz", "no execution of pipeline `line` begins with `zzz`"),
        ("zzzzzzzzzzzz", "there is neither a pipeline nor an execution `zzzzzzzzzzzz`"),
        ("arn:aws:s3:::bucket", "is no ARN of a pipeline or an execution"),
        ("a b", "is neither a path that exists nor a pipeline's name"),
        (first.arn.replace("123456789012", "210987654321"), "leave --env away"),
    ):
        ran = run(deployed, "status", word)
        assert ran.code in (2, 4), (word, ran)
        assert told in ran.err, (word, ran.err)
    # An ARN says itself where to look.
    from cloud_commands import sagedag

    alone = sagedag(deployed.parent, "status", first.arn)
    assert alone.code == 0, alone.err
    other = sagedag(deployed.parent, "status", first.arn.replace("123456789012", "210987654321"))
    assert other.code == 4
    assert "belong to account 123456789012" in other.err


def test_many_steps_come_in_pages(deployed: Path, aws: AwsServer) -> None:
    found = started(aws, "Succeeded")
    rounds = {"ParentStepName": "loop", "Item": "x"}
    found.steps[:] = [
        step("body", "Succeeded", IterationContext={**rounds, "Index": n}) for n in range(230)
    ]
    aws.forget_requests()
    out = run(deployed, "status", "line").out
    assert "loop[0].body" in out
    assert "loop[229].body" in out
    assert aws.count()["sagemaker:ListPipelineExecutionSteps"] == 3


def chain(*names: str) -> str:
    """Return a definition by hand: steps that wait for each other, in this order."""
    steps = [
        {
            "Name": name,
            "Type": "Fail",
            "Arguments": {"ErrorMessage": "x"},
            "DependsOn": [before] if before else [],
        }
        for before, name in zip(("", *names), names, strict=False)
    ]
    return json.dumps({"Version": "2020-12-01", "Steps": steps})


def test_a_selection_that_sagemaker_would_refuse_is_refused(deployed: Path, aws: AwsServer) -> None:
    """Of pipelines that others deployed, too."""
    client = boto3.client("sagemaker")
    many = [f"s{number}" for number in range(60)]
    for name, steps in (("short", ["a", "b", "c"]), ("long", many)):
        client.create_pipeline(PipelineName=name, PipelineDefinition=chain(*steps), RoleArn=ROLE)
    aws.forget_requests()
    gap = run(deployed, "start", "short", "--only", "a", "--only", "c")
    assert gap.code == 2
    assert "between the selected steps there are others: b" in gap.err
    long = run(deployed, "start", "long", "--from", "s0")
    assert "60 steps are selected; SageMaker takes 50" in long.err
    assert aws.writes == []
    # Nothing is taken from other steps here: no source is needed.
    assert run(deployed, "start", "long", "--from", "s20").code == 0
    assert run(deployed, "start", "short", "--only", "a", "--only", "b").code == 0


def test_commands_to_go_on_say_where(deployed: Path, aws: AwsServer) -> None:
    found = started(aws, "Failed")
    identifier = found.arn[-12:]
    out = run(deployed, "wait", identifier, "--region", "us-east-1").out
    again = f"sagedag retry line/{identifier} --env dev --region us-east-1"
    assert f"Run what failed again: {again}\n" in out


@pytest.mark.parametrize("after", [False, True])
def test_whatever_call_of_a_start_fails_the_next_try_starts_once(
    deployed: Path, aws: AwsServer, after: bool
) -> None:
    assert run(deployed, "start", "line", "--token", "counting").code == 0
    for index in range(len(aws.requests)):
        before = len(aws.lacks.executions)
        aws.forget_requests()
        aws.fail_at(index, Fault(status=500, after=after))
        token = f"try-{index}"
        failed = run(deployed, "start", "line", "--token", token)
        assert failed.code == 4, failed
        assert "Traceback" not in failed.err
        aws.hook = None
        assert run(deployed, "start", "line", "--token", token).code == 0
        assert len(aws.lacks.executions) == before + 1


def test_a_failure_is_told_without_what_may_not_be_read(deployed: Path, aws: AwsServer) -> None:
    found = started(aws, "Failed")
    found.steps[:] = [step("train", "Failed", Metadata=job("TrainingJob", "job-1"))]
    denied = Fault(
        "AccessDeniedException", 400, "not authorized to perform: logs:DescribeLogStreams"
    )
    aws.fail_on("logs:DescribeLogStreams", denied)
    out = run(deployed, "status", "line").out
    assert "train failed  line/pipeline.yaml:16:3\n  no reason was given\n" in out
    assert "Its log could not be read: logs:DescribeLogStreams" in out
    aws.fail_on("sagemaker:ListTags", Fault("AccessDeniedException", 400))
    assert "train failed\n" in run(deployed, "status", "line").out
    definition = "sagemaker:DescribePipelineDefinitionForExecution"
    aws.fail_on(definition, Fault("AccessDeniedException", 400))
    assert "✗  train  failed" in run(deployed, "status", "line").out
