"""What stands in for the world: Lambda, Callback, containers, S3, models; read from local.yaml."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from local_samples import always, compare, condition, document, get, model, processing, training

from pipelines.language.diagnostics import InvalidDefinition
from pipelines.language.handlers_file import check_handlers, read_handlers
from pipelines.local.stand_ins import StandIns

FUNCTIONS = """
import json, os
from pathlib import Path

def judge(event, context):
    print("judging", event["score"], context.function_name)
    return {"go": event["score"] > 0.5, "rows": "12", "rate": 1, "where": context.aws_request_id}

def review(event):
    assert event["arguments"] == {"report": "r.html"} and event["token"]
    return {"verdict": "good", "reviewer": event["pipelineExecutionArn"]}

def spark(event, context):
    args = event["StepConfig"]["HadoopJarStep"]["Args"]
    place = Path(context.s3_folder, "survey/clean/part.csv")
    place.parent.mkdir(parents=True)
    place.write_text(args[-1])
    return {"Status": {"State": "COMPLETED", "Reason": "ours"}}

def container(event):
    data = sorted(os.listdir("/opt/ml/processing/data"))
    Path("/opt/ml/processing/out/report.json").write_text(json.dumps({"data": data}))

def train(event):
    Path("/opt/ml/model/m.txt").write_text(event["HyperParameters"]["depth"])

def broken(event):
    raise ValueError("no such star")

def strange(event):
    return {"go": object()}
"""


def lambda_step(name: str = "ask", function: str = "judge", **more: Any) -> dict[str, Any]:
    outputs = {"go": "Boolean", "rows": "Integer", "rate": "Float", "where": "String"}
    return {
        "Name": name,
        "Type": "Lambda",
        "Arguments": {"score": get("Parameters.Score")},
        "FunctionArn": f"arn:aws:lambda:eu-west-1:111122223333:function:{function}",
        "OutputParameters": [{"OutputName": n, "OutputType": t} for n, t in outputs.items()],
        **more,
    }


SCORE = {"Parameters": [{"Name": "Score", "Type": "Float", "DefaultValue": 0.9}]}


@pytest.fixture
def stand_ins(place: Any) -> Any:
    """Write functions and a local.yaml, and read it."""
    (place.folder / "answers.py").write_text(FUNCTIONS)

    def write(text: str) -> StandIns:
        (place.folder / "local.yaml").write_text(textwrap.dedent(text))
        found = read_handlers(place.folder)
        return StandIns(found.entries, found.file)

    return write


def test_a_lambda_function_is_called_in_a_job_and_its_outputs_are_typed(
    run: Any, stand_ins: Any
) -> None:
    gate = condition(
        "gate",
        compare("Equals", get("Steps.ask.OutputParameters['go']"), True),
        compare("GreaterThan", get("Steps.ask.OutputParameters['rows']"), 11),
        then=[always("yes")],
    )
    given = stand_ins("lambdas: {judge: answers:judge}")
    ran = run(document(lambda_step(), gate, **SCORE), stand_ins=given)
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert "yes" in ran.steps
    outputs = ran.steps["ask"].properties["OutputParameters"]
    assert (outputs["go"], outputs["rows"], outputs["rate"]) == (True, 12, 1)
    told = {
        item["Name"]: item["Value"]
        for item in ran.steps["ask"].metadata["Lambda"]["OutputParameters"]
    }
    assert told["go"] == "true" and told["rows"] == "12"
    assert "judging 0.9 judge" in Path(ran.steps["ask"].log).read_text()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("answers:broken", "ValueError: no such star"),
        ("answers:strange", "can't be written as JSON"),
        ("{outputs: {go: true, rows: 1, rate: 0.5}}", "gives no output `where`; it gives go, rows"),
        ("{outputs: {go: 3, rows: 1, rate: 0.5, where: x}}", "is 3, not Boolean"),
        ("{function: answers:review, timeout: 20s}", "KeyError: 'arguments'"),
    ],
)
def test_a_function_that_answers_badly_fails_its_step(
    run: Any, stand_ins: Any, entry: str, says: str
) -> None:
    ran = run(document(lambda_step(), **SCORE), stand_ins=stand_ins(f"lambdas: {{judge: {entry}}}"))
    assert ran.statuses == {"ask": "Failed"}
    assert says in ran.steps["ask"].failure_reason


def test_what_has_no_stand_in_fails_with_the_lines_to_add(run: Any, place: Any) -> None:
    given = StandIns(file=place.folder / "local.yaml")
    ran = run(document(lambda_step(), **SCORE), stand_ins=given)
    lines = ran.steps["ask"].failure_reason.splitlines()
    assert lines[0].startswith("nothing stands in for the Lambda function `judge` on this machine")
    # Written down as they stand, the lines make the step succeed.
    (place.folder / "local.yaml").write_text(textwrap.dedent("\n".join(lines[1:])))
    found = read_handlers(place.folder)
    again = run(document(lambda_step(), **SCORE), stand_ins=StandIns(found.entries))
    assert again.status == "Succeeded", again.record.failure_reason


def test_a_callback_is_answered_by_a_function_or_by_recorded_outputs(
    run: Any, stand_ins: Any
) -> None:
    def ask(name: str, url: str) -> dict[str, Any]:
        return {
            "Name": name,
            "Type": "Callback",
            "Arguments": {"report": "r.html"},
            "SqsQueueUrl": url,
            "OutputParameters": [{"OutputName": "verdict", "OutputType": "String"}],
        }

    given = stand_ins(
        """
        callbacks:
          reviews: answers:review
          https://sqs.eu-west-1.amazonaws.com/111122223333/second: {outputs: {verdict: bad}}
        """
    )
    root = "https://sqs.eu-west-1.amazonaws.com/111122223333"
    ran = run(
        document(
            ask("first", f"{root}/reviews"), ask("second", f"{root}/second"), ask("none", "x/other")
        ),
        stand_ins=given,
    )
    assert ran.steps["first"].properties == {"OutputParameters": {"verdict": "good"}}
    assert ran.steps["second"].properties == {"OutputParameters": {"verdict": "bad"}}
    assert "callbacks:\n    other:\n" in ran.steps["none"].failure_reason


def test_emr_runs_a_function_whose_objects_others_read(run: Any, stand_ins: Any) -> None:
    jar = {"Jar": "job.jar", "Args": ["--out", "s3://survey/clean"]}
    spark = {
        "Name": "spark",
        "Type": "EMR",
        "Arguments": {"ClusterId": "j-1", "StepConfig": {"HadoopJarStep": jar}},
    }
    serverless = {"Name": "less", "Type": "EMRServerless", "Arguments": {"ApplicationId": "00f"}}
    read = processing(
        "read",
        get("Steps.spark.Status.Reason"),
        get("Steps.less.jobRun.state"),
        data=get("Steps.spark.Config.Args[1]"),
    )
    given = stand_ins("steps: {spark: answers:spark}\ntypes: {EMRServerless: {properties: {}}}")
    ran = run(document(spark, serverless, read), stand_ins=given)
    assert ran.status == "Succeeded", ran.record.failure_reason
    report = ran.report("read")
    assert report["seen"] == {"part.csv": "s3://survey/clean"}
    assert report["words"] == ["ours", "SUCCESS"]
    assert ran.steps["spark"].metadata["EMR"]["ClusterId"] == "j-1"


def test_other_types_take_recorded_properties_and_files(
    run: Any, stand_ins: Any, place: Any
) -> None:
    (place.folder / "recorded").mkdir()
    (place.folder / "recorded/best.json").write_text("{}")
    steps = [
        {"Name": "auto", "Type": "AutoML", "Arguments": {"RoleArn": "r"}},
        {"Name": "job", "Type": "Job", "Arguments": {"JobConfigDocument": '{"Level": 3}'}},
        {"Name": "new", "Type": "BrandNew", "Arguments": {"Query": "select"}},
    ]
    read = processing(
        "read",
        get("Steps.auto.BestCandidate.CandidateName"),
        get("Steps.new.Query"),
        data="s3://bucket/auto",
    )
    read["DependsOn"] = ["auto", "job"]
    gate = condition("gate", compare("Equals", get("Steps.job.JobConfigDocument.Level"), 3))
    given = stand_ins(
        """
        steps:
          auto:
            properties: {BestCandidate: {CandidateName: one}}
            files: {s3://bucket/auto: recorded}
          job: {properties: {JobStatus: Completed}}
          new: {outputs: {}}
        """
    )
    ran = run(document(*steps, read, gate), stand_ins=given)
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert ran.report("read")["words"] == ["one", "select"]
    assert ran.report("read")["seen"] == {"best.json": "{}"}
    assert ran.steps["gate"].properties == {"Outcome": "True"}


def test_a_function_stands_in_for_a_container_and_finds_its_folders(
    run: Any, stand_ins: Any, place: Any
) -> None:
    (place.folder / "rows.csv").write_text("1\n")
    job = processing("job", data="rows.csv")
    job["Arguments"]["AppSpecification"] = {
        "ImageUri": "1.dkr.ecr/sagemaker-model-monitor-analyzer"
    }
    train = training("train", "rows.csv")
    train["Arguments"]["AlgorithmSpecification"]["TrainingImage"] = "1.dkr.ecr/own/xyz:3"
    given = stand_ins(
        """
        images:
          sagemaker-model-monitor-*: answers:container
          xyz: {function: answers:train}
        """
    )
    ran = run(document(job, train), stand_ins=given)
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert ran.report("job") == {"data": ["rows.csv"]}
    described = ran.steps["job"].properties
    assert described["ProcessingJobStatus"] == "Completed"
    assert described["AppSpecification"] == job["Arguments"]["AppSpecification"]
    assert ran.steps["train"].properties["ModelArtifacts"]["S3ModelArtifacts"]


def test_recorded_outputs_stand_in_for_a_container(run: Any, stand_ins: Any, place: Any) -> None:
    (place.folder / "old").mkdir()
    (place.folder / "old/report.json").write_text('{"score": 0.1}')
    given = stand_ins("steps: {job: {files: {out: old}, properties: {ExitMessage: old}}}")
    ran = run(document(processing("job", "fail")), stand_ins=given)
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert ran.report("job") == {"score": 0.1}
    assert ran.steps["job"].properties["ExitMessage"] == "old"


def test_local_folders_stand_for_s3_prefixes(run: Any, stand_ins: Any, place: Any) -> None:
    (place.folder / "survey/night").mkdir(parents=True)
    (place.folder / "survey/night/a.csv").write_text("7\n")
    given = stand_ins("s3: {s3://world/raw: survey}")
    steps = [
        processing("whole", data="s3://world/raw/"),
        processing("one", data="s3://world/raw/night/a.csv"),
        processing("none", data="s3://world/other"),
    ]
    ran = run(document(*steps), stand_ins=given)
    assert ran.report("whole")["seen"] == {"a.csv": "7\n"}
    assert ran.report("one")["seen"] == {"a.csv": "7\n"}
    assert "add to local.yaml:\n  s3:\n    s3://world/other:" in ran.steps["none"].failure_reason
    assert not (place.store / "s3/world").exists()


def test_a_stand_ins_code_and_values_are_part_of_the_cache_key(
    run: Any, stand_ins: Any, place: Any
) -> None:
    step = lambda_step(CacheConfig={"Enabled": True, "ExpireAfter": "1d"})
    text = "lambdas: {judge: answers:judge}"
    first = run(document(step, **SCORE), stand_ins=stand_ins(text))
    second = run(document(step, **SCORE), stand_ins=stand_ins(text))
    assert second.steps["ask"].cache_source == first.record.arn
    with (place.folder / "answers.py").open("a") as stream:
        stream.write("# changed\n")
    assert run(document(step, **SCORE), stand_ins=stand_ins(text)).steps["ask"].cache_source is None


def test_a_model_package_that_exists_elsewhere_has_a_local_artefact(
    run: Any, stand_ins: Any, place: Any
) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/birds/3"
    (place.folder / "model.tar.gz").write_bytes(b"x")
    step = model("use", PrimaryContainer={"ModelPackageName": arn})
    missing = run(document(step))
    assert "packages:\n    birds/3:\n" in missing.steps["use"].failure_reason
    ran = run(document(step), stand_ins=stand_ins("packages: {birds/3: model.tar.gz}"))
    assert ran.status == "Succeeded", ran.record.failure_reason


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("lambda: {judge: answers:judge}", 1, "did you mean `lambdas`?"),
        ("lambdas:\n  judge: nowhere:judge", 2, "no module `nowhere` beside this file"),
        ("lambdas:\n  judge: not-a-function", 2, "not-a-function"),
        ("callbacks:\n  a:\n    output: {x: 1}", 3, "did you mean `outputs`?"),
        ("s3:\n  s3://a/b: nothing.csv", 2, "no file or folder `nothing.csv`"),
        ("s3:\n  s3://a/b: ../../../etc", 2, "leads out of the project"),
        ("models:\n  m: {image: x}", 2, "missing key `data`"),
        ("steps:\n  a:\n    function: answers:judge\n    outputs: {x: 1}", 3, "can't stand beside"),
        ("[1, 2]", 1, "a list"),
    ],
)
def test_mistakes_of_a_handlers_file_are_told_at_their_place(
    place: Any, text: str, line: int, says: str
) -> None:
    (place.folder / "answers.py").write_text(FUNCTIONS)
    (place.folder / "local.yaml").write_text(text)
    with pytest.raises(InvalidDefinition) as caught:
        read_handlers(place.folder)
    found = caught.value.diagnostics[0]
    assert list(check_handlers(place.folder)) == list(caught.value.diagnostics)
    assert (found.source.path.name, found.span.line) == ("local.yaml", line)
    assert says in f"{found.message} {found.hint}"


def test_an_environment_has_handlers_too_and_the_nearest_file_wins(place: Any) -> None:
    inner = place.folder / "project/line"
    inner.mkdir(parents=True)
    (place.folder / "project/answers.py").write_text(FUNCTIONS)
    (place.folder / "project/environments.yaml").write_text(
        "environments:\n  local:\n    handlers:\n      lambdas:\n        judge: answers:judge\n"
        "        other: {outputs: {x: 1}}\n"
    )
    (place.folder / "project/local.yaml").write_text("lambdas: {judge: {outputs: {x: 2}}}\n")
    found = StandIns(read_handlers(inner).entries)
    assert found.function("judge").outputs == {"x": 2}  # type: ignore[union-attr]
    assert found.function("arn:aws:lambda:r:1:function:other:live") is not None
    (inner / "local.yaml").write_text("")
    nearest = read_handlers(inner)
    assert nearest.file == inner / "local.yaml"
    found = StandIns(nearest.entries)
    assert found.function("judge").function == "answers:judge"  # type: ignore[union-attr]
