"""The page of a run: what it says, and that nothing a job wrote becomes markup."""

from __future__ import annotations

import base64
import html.parser
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from local_samples import (
    IMAGE,
    ROLE,
    compare,
    condition,
    document,
    fail,
    get,
    join,
    json_get,
    output_of,
    processing,
    register,
    training,
)

from pipelines.cli import root
from pipelines.local.history import History
from pipelines.local.stand_ins import StandIns
from pipelines.local.store import open_store, read_store
from pipelines.report import gather, render
from pipelines.report.gather import earlier
from pipelines.report.model import Report

Run = Callable[..., Any]
HOSTILE = "</pre><script>alert(1)</script>\u202e&<img src=x onerror=alert(2)>"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def pipeline(least: float = 0.9) -> dict[str, Any]:
    artefacts = get("Steps.train.ModelArtifacts.S3ModelArtifacts")
    return document(
        processing("prepare", "score=0.97", HOSTILE, CacheConfig={"Enabled": True}),
        training("train", output_of("prepare")),
        condition(
            "gate",
            compare("GreaterThanOrEqualTo", json_get("prepare", "score"), get("Parameters.Least")),
            then=[register("register", Containers=[{"Image": IMAGE, "ModelDataUrl": artefacts}])],
            other=[fail("reject", "too low")],
        ),
        Parameters=[{"Name": "Least", "Type": "Float", "DefaultValue": least}],
    )


def report_of(place: Any, run: str = "latest", against: str | None = None) -> Report:
    with read_store(place.store) as store:
        history = History(store)
        record = history.find(run)
        other = history.find(against) if against else earlier(store, record)
        return gather(store, record, other)


class Markup(html.parser.HTMLParser):
    """Collects a page's elements, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def ran(run: Run, place: Any) -> Any:
    """A run that registers a model, with a picture among its outputs."""
    done = run(pipeline())
    assert done.status == "Succeeded", done.record.failure_reason
    output = place.store / f"s3/bucket/runs/{done.record.id}/prepare"
    (output / "curve.png").write_bytes(PIXEL)
    (output / "too-large.png").write_bytes(b"\x89PNG" + bytes(4_000_000))
    return done


def test_a_report_holds_what_the_run_did(ran: Any, place: Any) -> None:
    report = report_of(place)
    steps = {step.name: step for step in report.steps}
    assert (report.run, report.status) == (ran.record.id, "Succeeded")
    assert list(steps) == ["prepare", "train", "gate", "register"]
    assert steps["prepare"].metrics["score"] == 0.97
    assert steps["prepare"].metrics["quality_metrics.accuracy"] == 0.97
    assert steps["train"].metrics == {"loss": 0.25}
    assert [picture.name for picture in steps["prepare"].pictures] == ["curve.png"]
    assert steps["gate"].note == "the condition was true"
    assert "arguments score=0.97" in steps["prepare"].log
    assert json.loads(steps["train"].request)["HyperParameters"]["depth"] == "3"
    assert steps["train"].outputs[0].files == 1
    assert [phase.name for phase in steps["train"].phases if phase.name != "waiting"] == [
        "preparing",
        "running",
        "storing",
    ]
    total = sum(phase.seconds for phase in steps["train"].phases if phase.name != "waiting")
    assert total == pytest.approx(steps["train"].seconds, abs=0.01)


def test_the_lineage_of_a_model_leads_to_data_and_code(ran: Any, place: Any) -> None:
    (made,) = report_of(place).made
    assert made.title.startswith("models version 1") or "version 1" in made.title
    (model,) = made.lineage
    assert (model.kind, model.name) == ("step", "train (model)")
    prepared, trainer = model.sources
    assert (prepared.kind, prepared.name) == ("step", "prepare (out)")
    assert (trainer.kind, trainer.detail) == ("data", "trainer")
    assert [source.detail for source in prepared.sources] == ["code"]


def test_a_report_compares_with_the_run_before(ran: Any, place: Any, run: Run) -> None:
    assert report_of(place).comparison is None
    run(pipeline(), parameters={"Least": "0.99"})
    report = report_of(place)
    assert report.status == "Failed"
    assert report.comparison is not None
    assert report.comparison.run == ran.record.id
    changes = {change.what: (change.before, change.after) for change in report.comparison.changes}
    assert changes["Least"] == ("0.9", "0.99")
    assert changes["gate"] == ("the condition was true", "the condition was false")
    assert changes["reject"] == ("not run", "Failed")
    assert changes["register"] == ("Succeeded", "not run")
    assert changes["prepare"] == ("Succeeded", "Reused")
    assert report.settings[0].before == "0.9"


def test_a_run_compared_with_itself_differs_in_nothing(ran: Any, place: Any) -> None:
    report = report_of(place, against=ran.record.id)
    assert report.comparison is not None
    assert report.comparison.changes == ()
    assert "Nothing differs." in render(report)


def test_the_page_stands_alone_and_takes_nothing_for_markup(ran: Any, place: Any) -> None:
    page = render(report_of(place))
    markup = Markup(page)
    assert "script" not in markup.tags
    assert not [name for name, _ in markup.attributes if name.startswith("on")]
    addresses = [value for name, value in markup.attributes if name in ("src", "href") and value]
    assert addresses
    assert all(value.startswith(("data:image/", "#")) for value in addresses)
    assert HOSTILE.replace("\u202e", "\ufffd") in markup.text
    assert "\u202e" not in page
    assert "default-src 'none'" in page


def test_the_graph_shows_how_steps_fared(ran: Any, place: Any) -> None:
    page = render(report_of(place))
    assert "Fail · not run" in page
    assert 'class="state-not"' in page


def test_the_command_writes_a_file(ran: Any, place: Any, tmp_path: Path) -> None:
    runner = CliRunner()
    store = ["--store", str(place.store)]
    target = tmp_path / "page.html"
    done = runner.invoke(root, ["report", "latest", "-o", str(target), *store])
    assert done.exit_code == 0, done.output
    assert target.read_text().startswith("<!doctype html>")
    printed = runner.invoke(
        root, ["report", ran.record.id[:4], "-o", "-", "--against", "none", *store]
    )
    assert printed.output.startswith("<!doctype html>")
    missing = runner.invoke(root, ["report", "nothing", *store])
    assert "there is no run `nothing`" in str(missing.exception)


BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_browser_shows_the_page(ran: Any, place: Any, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    page, picture = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(render(report_of(place)))
    subprocess.run(
        [
            str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--force-device-scale-factor=1", "--window-size=1200,1600",
            f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}", page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=90,
    )  # fmt: skip
    with image.open(io.BytesIO(picture.read_bytes())) as shown:
        assert shown.size == (1200, 1600)
        colours = {colour for _, colour in shown.convert("RGB").getcolors(1 << 24)}
    # The bar of a running phase, the box of a training step, the word for success.
    assert {(9, 105, 218), (221, 244, 255), (26, 127, 55)} <= colours


def test_what_a_check_found_stands_in_a_table(run: Run, place: Any) -> None:
    done = run(document(processing("prepare")))
    uri = f"s3://bucket/runs/{done.record.id}/prepare/constraint_violations.json"
    found = {
        "feature_name": "age",
        "constraint_check_type": "data_type_check",
        "description": HOSTILE,
    }
    (place.store / "s3" / uri[5:]).write_text(json.dumps({"violations": [found]}))
    with open_store(place.store) as store, store.transaction() as connection:
        metadata = json.dumps({"QualityCheck": {"ViolationReport": uri}})
        connection.execute("UPDATE steps SET metadata = ?", (metadata,))
    report = report_of(place)
    table = report.steps[0].table
    assert table is not None
    assert table.title == "1 violation of the baseline's constraints"
    assert table.rows == (("age", "data_type_check", HOSTILE),)
    page = Markup(render(report))
    assert "script" not in page.tags and "data_type_check" in page.text
    (place.store / "s3" / uri[5:]).write_text("{")
    assert report_of(place).steps[0].table is None


def test_rounds_stand_below_their_loop(run: Run, place: Any) -> None:
    loop = {
        "Name": "each",
        "Type": "ForEach",
        "Arguments": {
            "IterableItems": ["a", "b"],
            "MaxConcurrency": 2,
            "ForEachBody": [processing("fit")],
        },
    }
    done = run(document(loop, processing("last")))
    assert done.status == "Succeeded", done.record.failure_reason
    steps = [(step.name, step.depth) for step in report_of(place).steps]
    assert sorted(steps[:3]) == [("each", 0), ("fit-0", 1), ("fit-1", 1)] or steps == [
        ("last", 0), ("each", 0), ("fit-0", 1), ("fit-1", 1)
    ]  # fmt: skip
    assert steps.index(("fit-0", 1)) == steps.index(("each", 0)) + 1
    assert 'style="padding-left:1rem"' in render(report_of(place))


def test_attempts_that_failed_are_told_with_their_cause(run: Run, place: Any) -> None:
    retried = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 0, "MaxAttempts": 2}
    job = processing("job", RetryPolicies=[retried])
    run(document(job), faults={"job": ["Step.THROTTLING"]})
    report = report_of(place)
    assert report.steps[0].faults == ("Step.THROTTLING: injected",)
    assert "<li>Step.THROTTLING: injected</li>" in render(report)


def test_the_lineage_of_any_model_of_a_search_leads_on(run: Run, place: Any) -> None:
    data = place.store / "s3/bucket/data/part"
    data.parent.mkdir(parents=True)
    data.write_text("1")
    (place.folder / "answers.py").write_text(
        "def train(event, context):\n    print(f\"score={event['HyperParameters']['depth']};\")\n"
    )
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data"}
    definition = {
        "DefinitionName": "only",
        "TuningObjective": {"Type": "Maximize", "MetricName": "score"},
        "HyperParameterRanges": {
            "CategoricalParameterRanges": [{"Name": "depth", "Values": ["3", "5"]}]
        },
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": "score=([0-9.]+);"}],
        },
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    config = {"Strategy": "Grid", "ResourceLimits": {"MaxParallelTrainingJobs": 1}}
    tune = {
        "Name": "tune",
        "Type": "Tuning",
        "Arguments": {
            "HyperParameterTuningJobConfig": config,
            "TrainingJobDefinitions": [definition],
        },
    }
    second = join(
        "s3://bucket/models",
        get("Steps.tune.TrainingJobSummaries[1].TrainingJobName"),
        "output/model.tar.gz",
        on="/",
    )
    container = {"Image": IMAGE, "ModelDataUrl": second}
    name = IMAGE.rpartition("/")[2].partition(":")[0]
    entries = {"images": {name: {"function": "answers:train"}}}
    ran = run(
        document(tune, register("register", Containers=[container])),
        stand_ins=StandIns(entries, place.folder / "local.yaml"),
    )
    assert ran.status == "Succeeded", ran.record.failure_reason
    (made,) = report_of(place).made
    (model,) = made.lineage
    assert (model.kind, model.name) == ("step", "tune (model, rank 2: depth=3)")
    assert [(each.kind, each.detail) for each in model.sources] == [("data", "s3://bucket/data")]
