"""A saved plan that was changed by hand touches nothing that it does not show."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cloud_commands import sagedag
from moto_server import AwsServer

from pipelines.cloud.plan import read_plan
from pipelines.errors import UsageError


def _delete_another(plan: Any) -> None:
    call = {
        "operation": "sagemaker:DeletePipeline",
        "resource": "pipeline line",
        "request": {"PipelineName": "other"},
    }
    plan["pipelines"][0]["calls"].append(call)


def _tag_another(plan: Any) -> None:
    arn = "arn:aws:sagemaker:us-east-1:999988887777:pipeline/line"
    plan["pipelines"][0]["calls"][-1]["request"]["ResourceArn"] = arn


def _other_bucket(plan: Any) -> None:
    request = {"Bucket": "somebody-elses", "Key": "team/definitions/a.json", "Body": "{}"}
    call = {"operation": "s3:PutObject", "resource": "s3://x", "request": request}
    plan["pipelines"][0]["calls"].insert(0, call)


def _other_place(plan: Any) -> None:
    uri = plan["uploads"][0]["uri"]
    plan["uploads"][0]["uri"] = uri.replace("dev-bucket", "somebody-elses")


def _before(plan: Any) -> None:
    call = {
        "operation": "sagemaker:DeletePipeline",
        "resource": "pipeline line",
        "request": {"PipelineName": "other"},
    }
    plan["before"].append(call)


def _start_other(plan: Any) -> None:
    for call in plan["pipelines"][0]["calls"]:
        if call["operation"] == "scheduler:CreateSchedule":
            call["request"]["Target"]["Arn"] = "arn:aws:scheduler:::aws-sdk:iam:deleteRole"


@pytest.fixture
def plan_file(project: Path) -> Path:
    assert sagedag(project, "plan", "--env", "dev", "--out", "a.plan").code == 0
    return project / "a.plan"


@pytest.mark.parametrize(
    "change", [_delete_another, _tag_another, _other_bucket, _other_place, _before, _start_other]
)
def test_what_it_does_not_show_is_not_done(
    plan_file: Path, aws: AwsServer, change: Callable[[Any], None]
) -> None:
    plan = json.loads(plan_file.read_text())
    change(plan)
    plan_file.write_text(json.dumps(plan))
    aws.forget_requests()
    ran = sagedag(plan_file.parent, "upsert", "--plan", "a.plan")
    assert ran.code == 2, ran.err
    assert "nothing was written" in ran.err
    assert aws.writes == []


def test_what_was_not_changed_is_done(plan_file: Path, aws: AwsServer) -> None:
    assert sagedag(plan_file.parent, "upsert", "--plan", "a.plan").code == 0
    assert "sagemaker:CreatePipeline" in aws.writes


def _unknown_action(plan: Any) -> None:
    plan["pipelines"][0]["action"] = "replace"


def _texts_for_lists(plan: Any) -> None:
    plan["notes"] = "abc"


def _numbers_for_texts(plan: Any) -> None:
    plan["pipelines"][0]["changes"][0]["position"] = 7


def _odd_files(plan: Any) -> None:
    plan["uploads"][0]["files"][0] = ["train.py", "many", None]


def _odd_sizes(plan: Any) -> None:
    plan["pipelines"][0]["drifted"] = 1


def _control_characters(plan: Any) -> None:
    plan["\x1b[2J"] = 1


@pytest.mark.parametrize(
    "change",
    [
        _unknown_action,
        _texts_for_lists,
        _numbers_for_texts,
        _odd_files,
        _odd_sizes,
        _control_characters,
    ],
)
def test_what_is_no_plan_is_told(
    plan_file: Path, aws: AwsServer, change: Callable[[Any], None]
) -> None:
    plan = json.loads(plan_file.read_text())
    change(plan)
    plan_file.write_text(json.dumps(plan))
    aws.forget_requests()
    ran = sagedag(plan_file.parent, "upsert", "--plan", "a.plan")
    assert (ran.code, aws.writes) == (2, []), ran.err
    assert "no saved plan" in ran.err
    assert "\x1b" not in ran.err


def test_a_file_that_is_too_large_is_not_read(
    plan_file: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.cloud.plan.LARGEST", 100)
    with pytest.raises(UsageError, match="larger than a saved plan"):
        read_plan(plan_file)
