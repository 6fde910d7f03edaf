"""``sagedag logs``: what jobs printed, from CloudWatch Logs of moto's server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from executing import becomes, deploy, job, run, script, started, step, write_log
from moto_server import AwsServer, Fault

from pipelines.cli.executions.logs import machine
from pipelines.cloud.client import Clients
from pipelines.cloud.executions.jobs import console_url, jobs_of, log_url
from pipelines.cloud.executions.logs import Line, Source, follow, read_lines, read_tail, sources_of
from pipelines.cloud.executions.records import step_of

TRAINING, PROCESSING = "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs"


@pytest.fixture
def ran(project: Path, aws: AwsServer) -> Path:
    """The project, deployed, with an execution whose two jobs have written logs."""
    deploy(project)
    found = started(aws, "Succeeded")
    found.steps[:] = [
        step("split", "Succeeded", Metadata=job("ProcessingJob", "p-1")),
        step("train", "Succeeded", Metadata=job("TrainingJob", "t-1")),
        step("choose", "Succeeded", Metadata={"Condition": {"Outcome": "True"}}),
    ]
    write_log(PROCESSING, "p-1/algo-1-17", "reading", "done", age=3600)
    write_log(TRAINING, "t-1/algo-1-17", "epoch 1", "epoch 2", age=60)
    write_log(TRAINING, "t-1/algo-2-17", "joined \x1b[31m", age=61)
    write_log(TRAINING, "t-10/algo-1-17", "another job's")
    return project


def test_all_steps_and_one(ran: Path) -> None:
    assert run(ran, "logs", "line").out.splitlines() == [
        "split | reading",
        "split | done",
        "train/algo-2 | joined \N{REPLACEMENT CHARACTER}[31m",
        "train | epoch 1",
        "train | epoch 2",
    ]
    assert run(ran, "logs", "line", "train", "--tail", "2").out == "epoch 1\nepoch 2\n"
    recent = run(ran, "logs", "line", "--since", "10m").out
    assert "split" not in recent
    assert "train | epoch 1" in recent
    lines = run(ran, "logs", "line", "split", "--json").out.splitlines()
    first = json.loads(lines[0])
    assert (first["step"], first["message"]) == ("split", "reading")
    assert run(ran, "logs", "line", "choose").out == ""
    stamped = run(ran, "logs", "line", "split", "-t").out.splitlines()[0]
    assert stamped[2] == stamped[5] == ":"
    assert stamped.endswith(" reading")


def test_wrong_words(ran: Path, aws: AwsServer) -> None:
    aws.forget_requests()
    for words, told in (
        (("trian",), "the execution has no step `trian`; did you mean `train`?"),
        (("--since", "yesterday"), "--since takes 90s, 10m, 2h, 1d"),
        (("--follow", "--tail", "3"), "--follow and --tail exclude each other"),
    ):
        ended = run(ran, "logs", "line", *words)
        assert ended.code == 2
        assert told in ended.err
    assert aws.writes == []


def test_a_long_log_comes_in_pages_and_its_end_without_them(
    ran: Path, clients: Clients, aws: AwsServer
) -> None:
    # The service gives at most 10,000 events in a page.
    write_log(TRAINING, "t-2/algo-1-17", *(f"line {n}" for n in range(12_500)))
    (source,) = sources_of(
        [step_of(step("train", "Succeeded", Metadata=job("TrainingJob", "t-2")))]
    )
    aws.forget_requests()
    found = [line.text for line in read_lines(clients, source)]
    assert found == [f"line {n}" for n in range(12_500)]
    assert aws.count()["logs:FilterLogEvents"] == 2
    aws.forget_requests()
    assert [line.text for line in read_tail(clients, source, 2)] == ["line 12498", "line 12499"]
    assert dict(aws.count()) == {"logs:DescribeLogStreams": 1, "logs:GetLogEvents": 1}


def test_no_log_is_empty(clients: Clients) -> None:
    (source,) = sources_of([step_of(step("train", "Failed", Metadata=job("TrainingJob", "none")))])
    assert list(read_lines(clients, source)) == []
    assert read_tail(clients, source) == []


def test_following_gives_each_line_once_and_ends_with_the_execution(
    ran: Path, clients: Clients, aws: AwsServer
) -> None:
    found = started(aws)
    train = step("train", "Executing", Metadata=job("TrainingJob", "t-3"))
    given: list[Line] = []
    writes = [
        lambda: write_log(TRAINING, "t-3/algo-1-17", "one", "two"),
        # Of another machine, and older than what was given already.
        lambda: write_log(TRAINING, "t-3/algo-2-17", "late", age=30),
        lambda: write_log(TRAINING, "t-3/algo-1-17", "three"),
        becomes(found, "Succeeded", {**train, "StepStatus": "Succeeded"}),
        # CloudWatch brings the last lines after the job has ended.
        lambda: write_log(TRAINING, "t-3/algo-1-17", "last"),
    ]
    becomes(found, "Executing", train)()
    quiet: list[Callable[[], Fault | None]] = [lambda: None] * 3
    script(aws, *quiet, lambda: Fault("ThrottlingException", 400))

    def sleep(_: float) -> None:
        if writes:
            writes.pop(0)()

    done = follow(clients, found.arn, given.extend, sleep=sleep)
    assert done.status == "Succeeded"
    assert [line.text for line in given] == ["one", "two", "late", "three", "last"]


def test_a_function_is_told_from_others_by_time(clients: Clients, aws: AwsServer) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:notify:3"
    called = step_of(_timed(step("tell", "Succeeded", Metadata={"Lambda": {"Arn": arn}})))
    (source,) = sources_of([called])
    write_log("/aws/lambda/notify", "2026/01/01/[$LATEST]ab", "of another call", age=4000)
    write_log("/aws/lambda/notify", "2026/01/01/[$LATEST]ab", "of this call", age=570)
    write_log("/aws/lambda/notify", "2026/01/01/[$LATEST]cd", "of a later call")
    assert [line.text for line in read_lines(clients, source)] == ["of this call"]
    assert [line.text for line in read_tail(clients, source)] == ["of this call"]


def _timed(answer: dict[str, object]) -> dict[str, object]:
    """Times as botocore gives them."""
    from datetime import datetime, timezone

    made = dict(answer)
    for member in ("StartTime", "EndTime"):
        made[member] = datetime.fromtimestamp(float(str(answer[member])), timezone.utc)
    return made


def test_what_a_search_and_a_check_ran(clients: Clients, aws: AwsServer) -> None:
    tuning = jobs_of(job("TuningJob", "search"))[0]
    write_log(TRAINING, "search-001-0a1b2c3d/algo-1-17", "first training", age=9)
    write_log(TRAINING, "search-again/algo-1-17", "of another job")
    (line,) = read_lines(clients, Source("tune", tuning))
    assert (line.text, machine(line.stream)) == ("first training", "001-0a1b2c3d")
    check = jobs_of(
        {"QualityCheck": {"CheckJobArn": job("ProcessingJob", "c")["ProcessingJob"]["Arn"]}}
    )
    assert (check[0].group, check[0].prefix) == (PROCESSING, "c/")
    (cluster,) = jobs_of({"EMR": {"StepId": "s-1", "LogFilePath": "s3://b/logs"}})
    assert (cluster.group, cluster.note) == ("", "the log is in s3://b/logs")


def test_addresses_of_the_console() -> None:
    (found,) = jobs_of(job("TrainingJob", "t-1"))
    assert console_url(found) == (
        "https://us-east-1.console.aws.amazon.com/sagemaker/home?region=us-east-1#/jobs/t-1"
    )
    assert log_url(found, "us-east-1").endswith(
        "log-group/$252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Dt-1$252F"
    )
    china = jobs_of({"TrainingJob": {"Arn": "arn:aws-cn:sagemaker:cn-north-1:1:training-job/t"}})[0]
    assert console_url(china).startswith("https://cn-north-1.console.amazonaws.cn/")
    hostile = jobs_of({"TrainingJob": {"Arn": "javascript:alert(1)"}, "Lambda": {"Arn": "x"}})
    assert [console_url(each) for each in hostile] == ["", ""]


@pytest.mark.parametrize(
    ("stream", "shown"),
    [
        ("algo-1-1700", ""),
        ("algo-12-1700", "algo-12"),
        ("", ""),
        ("x/algo-1-1", "x"),
        ("a/b", "a/b"),
    ],
)
def test_names_of_machines(stream: str, shown: str) -> None:
    assert machine(stream) == shown


def test_times_of_lines_are_milliseconds(ran: Path) -> None:
    line = json.loads(run(ran, "logs", "line", "train", "--json").out.splitlines()[-1])
    from datetime import datetime

    assert abs(datetime.fromisoformat(line["time"]).timestamp() - time.time() + 60) < 60
