"""A deploy to interrupt: its wanted state before and after, and the child that is killed.

``apply_saved`` runs in processes forked from a server that has imported all of this.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from moto_server import ACCOUNT

from pipelines.assets import Asset, make_asset
from pipelines.cloud.apply import apply_plan
from pipelines.cloud.client import Clients, Place, connect
from pipelines.cloud.plan import Plan, read_plan
from pipelines.cloud.wanted import Provenance, Wanted
from pipelines.deployment import Planned, compare

PLACE = Place("dev", ACCOUNT, "us-east-1", bucket="dev-bucket", prefix="team")
PROVENANCE = Provenance("github.com/org/repo", "a" * 40, False, "1.0")
ROLE = "arn:aws:iam::123456789012:role/pipelines"


@dataclass(frozen=True)
class Scene:
    """A deploy from one wanted state to the next, in a folder with its code."""

    root: Path
    before: tuple[Wanted, ...]
    after: tuple[Wanted, ...]
    alias: str = ""

    def plan(self, clients: Clients, wanted: tuple[Wanted, ...]) -> Plan:
        """Compare a wanted state with the deployed."""
        return self.planned(clients, wanted).plan

    def planned(self, clients: Clients, wanted: tuple[Wanted, ...]) -> Planned:
        """The same with what carries it out. What is not wanted any more is pruned."""
        names = {each.name for each in wanted}
        return compare(wanted, clients, PROVENANCE, self.root, alias=self.alias, keep=names)

    def deploy(self, clients: Clients, wanted: tuple[Wanted, ...]) -> None:
        """Make a wanted state the deployed one."""
        planned = self.planned(clients, wanted)
        apply_plan(clients, planned.plan, self.root)


def _definition(depth: int, asset: Asset, filler: int = 0) -> dict[str, Any]:
    training = {
        "HyperParameters": {"depth": str(depth), "sagemaker_submit_directory": asset.archive_uri},
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    }
    return {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Filler", "Type": "String", "DefaultValue": "x" * filler}],
        "Steps": [{"Name": "train", "Type": "Training", "Arguments": training}],
    }


def make_scene(root: Path) -> Scene:
    """Return a deploy that changes everything there is.

    One pipeline changes its definition (past the size that goes by way of S3), code, settings,
    tags, schedules and alias, one is new and one goes away.
    """
    root.mkdir()
    (root / "code.py").write_text("print(1)\n")
    one = make_asset(root / "code.py", "s3://dev-bucket/team", root)
    (root / "other.py").write_text("print(2)\n")
    two = make_asset(root / "other.py", "s3://dev-bucket/team", root)
    tags = [{"Key": "team", "Value": "a"}, {"Key": "old", "Value": "b"}]
    line = Wanted(
        "line",
        _definition(6, one),
        {"RoleArn": ROLE, "PipelineDescription": "first", "Tags": tags},
        {"nightly": {"cron": "0 3 * * ? *"}, "weekly": {"rate": "7 days"}},
        (one,),
        path="line/pipeline.yaml",
    )
    changed = replace(
        line,
        definition=_definition(8, two, 110_000),
        settings={
            "RoleArn": ROLE,
            "ParallelismConfiguration": {"MaxParallelExecutionSteps": 3},
            "Tags": [{"Key": "team", "Value": "c"}, {"Key": "new", "Value": "d"}],
        },
        schedules={"nightly": {"cron": "0 4 * * ? *"}, "hourly": {"rate": "1 hour"}},
        assets=(two,),
    )
    gone = Wanted(
        "gone", _definition(1, one), {"RoleArn": ROLE}, {"daily": {"rate": "1 day"}}, (one,)
    )
    fresh = replace(gone, name="fresh")
    return Scene(root, (line, gone), (changed, fresh), "live")


def everything() -> dict[str, Any]:
    """Return all that is deployed, without times: pipelines, tags, versions, schedules, objects."""
    sagemaker, scheduler, s3 = (boto3.client(n) for n in ("sagemaker", "scheduler", "s3"))
    found: dict[str, Any] = {}
    for summary in sagemaker.list_pipelines()["PipelineSummaries"]:
        name = summary["PipelineName"]
        described = sagemaker.describe_pipeline(PipelineName=name)
        listed = sagemaker.list_tags(ResourceArn=described["PipelineArn"])["Tags"]
        tags = {tag["Key"]: tag["Value"] for tag in listed}
        # Which number the newest version has depends on how often somebody tried.
        tags.pop("sagedag:version", None)
        found[name] = {
            "definition": json.loads(described["PipelineDefinition"]),
            "settings": [
                described.get(m) or None
                for m in ("RoleArn", "PipelineDescription", "ParallelismConfiguration")
            ],
            "tags": tags,
            "recorded": described.get("PipelineVersionDescription"),
            "aliases": described.get("PipelineVersionAliases"),
        }
    schedules = {}
    for each in scheduler.list_schedules()["Schedules"]:
        full = scheduler.get_schedule(GroupName=each["GroupName"], Name=each["Name"])
        kept = ("ScheduleExpression", "State", "Target")
        schedules[f"{each['GroupName']}/{each['Name']}"] = {m: full[m] for m in kept}
    objects = s3.list_objects_v2(Bucket="dev-bucket").get("Contents", [])
    groups = sorted(g["Name"] for g in scheduler.list_schedule_groups()["ScheduleGroups"])
    return {
        "pipelines": found,
        "schedules": schedules,
        "groups": groups,
        "objects": sorted(each["Key"] for each in objects),
    }


def share_models() -> None:
    """Read the services' models once for all that is forked from here."""
    loader = botocore.loaders.create_loader()
    botocore.session.create_loader = lambda *_: loader
    clients = connect(PLACE)
    for service in ("sts", "sagemaker", "s3", "scheduler"):
        clients.client(service)


def apply_saved(file: str, root: str, variables: dict[str, str]) -> None:
    """Carry out a saved plan; the process that runs this is killed somewhere in it."""
    os.environ.update(variables)
    apply_plan(connect(PLACE), read_plan(Path(file)), Path(root))


if "SAGEDAG_TEST_FORKSERVER" in os.environ:
    share_models()
