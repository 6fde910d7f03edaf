"""``plan`` and ``upsert`` from the command line, against moto's server."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_commands import Ran, sagedag
from cloud_project import LINE, write_project
from moto_server import AwsServer, Fault

READS = {
    "sts:GetCallerIdentity",
    "sagemaker:DescribePipeline",
    "sagemaker:ListPipelines",
    "sagemaker:ListPipelineVersions",
    "sagemaker:ListTags",
    "scheduler:GetScheduleGroup",
    "scheduler:ListSchedules",
    "scheduler:GetSchedule",
    "s3:HeadBucket",
    "s3:HeadObject",
    "s3:GetObject",
}


def edit(project: Path, old: str, new: str, file: str = "line/pipeline.yaml") -> None:
    path = project / file
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def deploy(project: Path, *words: str) -> Ran:
    ran = sagedag(project, "upsert", "--env", "dev", "--yes", *words)
    assert ran.code == 0, ran.err
    return ran


def plan(project: Path, *words: str) -> Ran:
    return sagedag(project, "plan", "--env", "dev", "--detailed-exitcode", *words)


def planned(project: Path, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(plan(project, "--json", *words).out)
    return document


def tags_of(name: str) -> dict[str, str]:
    client = boto3.client("sagemaker")
    arn = client.describe_pipeline(PipelineName=name)["PipelineArn"]
    return {t["Key"]: t["Value"] for t in client.list_tags(ResourceArn=arn)["Tags"]}


def differences(document: dict[str, Any], number: int = 0) -> list[tuple[str, str]]:
    return [(c["sign"], c["words"]) for c in document["pipelines"][number]["changes"]]


def test_from_nothing_to_a_changed_deploy(project: Path, aws: AwsServer) -> None:
    first = plan(project)
    assert first.code == 3
    assert "+ line  to be created  line/pipeline.yaml" in first.out
    assert "+ steps.train (Training)" in first.out
    assert "+ schedules.nightly: cron(0 3 * * ? *)" in first.out
    assert "Plan: 1 to create, 2 assets to upload (45 B)." in first.out
    assert aws.writes == []

    done = deploy(project)
    assert "line  created, version 1\nDeployed to dev." in done.out
    again = plan(project)
    assert (again.code, again.out) == (0, "No changes. `line` is deployed as it is defined.\n")

    edit(project, "max_depth: 6", "max_depth: 8")
    changed = plan(project)
    assert changed.code == 3
    told = [line for line in changed.out.splitlines() if line.startswith("    ")]
    assert [" ".join(line.split()) for line in told] == [
        "~ steps.train.hyperparameters.max_depth: 6 → 8 line/pipeline.yaml:19:23",
        "cache of train is lost: hyperparameters.max_depth",
    ]
    assert "line  updated, version 2" in deploy(project).out
    assert plan(project).code == 0
    stored = json.loads(
        boto3.client("sagemaker").describe_pipeline(PipelineName="line")["PipelineDefinition"]
    )
    assert stored["Steps"][1]["Arguments"]["HyperParameters"]["max_depth"] == "8"


def test_a_plan_reads_only(project: Path, aws: AwsServer) -> None:
    deploy(project)
    (project / "line/code/train.py").write_text("print('better')\n")
    edit(project, "seed: 7", "seed: 8")
    aws.forget_requests()
    assert plan(project, "--prune", "--alias", "live").code == 3
    assert aws.writes == []
    assert set(aws.calls) <= READS
    # What it gets of S3 are manifests.
    objects = [r for r in aws.requests if r.call in ("s3:HeadObject", "s3:GetObject")]
    assert all(r.path.endswith("/manifest.json") for r in objects)
    # Two assets go to one bucket, which is looked at once.
    assert aws.count()["s3:HeadBucket"] == 1


def test_an_unchanged_upsert_writes_and_uploads_nothing(project: Path, aws: AwsServer) -> None:
    deploy(project)
    aws.forget_requests()
    ran = sagedag(project, "upsert", "--env", "dev")
    assert (ran.code, ran.out) == (0, "No changes. `line` is deployed as it is defined.\n")
    assert aws.writes == []
    assert dict(aws.count()) == {
        "sts:GetCallerIdentity": 1,
        "sagemaker:DescribePipeline": 1,
        "sagemaker:ListTags": 1,
        "scheduler:GetScheduleGroup": 1,
        "scheduler:ListSchedules": 1,
        "scheduler:GetSchedule": 1,
        "s3:HeadObject": 2,
    }


def test_what_a_first_deploy_writes(project: Path, aws: AwsServer) -> None:
    deploy(project)
    uploads = [r.path for r in aws.requests if r.call == "s3:PutObject"]
    assert len(uploads) == 7
    assert [c for c in aws.writes if c != "s3:PutObject"] == [
        "scheduler:CreateScheduleGroup",
        "sagemaker:CreatePipeline",
        "sagemaker:UpdatePipelineVersion",
        "scheduler:CreateSchedule",
        "sagemaker:AddTags",
    ]
    # An asset's manifest comes after everything it lists.
    for manifest in (p for p in uploads if p.endswith("manifest.json")):
        prefix = manifest.removesuffix("manifest.json")
        assert [p for p in uploads if p.startswith(prefix)][-1] == manifest
    tags = tags_of("line")
    assert tags["team"] == "lines"
    assert tags["sagedag:environment"] == "dev"
    assert tags["sagedag:definition"] == "line/pipeline.yaml"
    assert tags["sagedag:version"] == "1"
    assert tags["sagedag:digest"] == tags["sagedag:wanted"]


def test_what_was_uploaded_is_what_the_manifest_says(project: Path, aws: AwsServer) -> None:
    import hashlib

    deploy(project)
    s3 = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket="dev-bucket")["Contents"]
    manifests = [o["Key"] for o in listed if o["Key"].endswith("manifest.json")]
    assert len(manifests) == 2
    for key in manifests:
        files = json.loads(s3.get_object(Bucket="dev-bucket", Key=key)["Body"].read())["files"]
        for file in files:
            where = key.replace("manifest.json", f"files/{file['name']}")
            data = s3.get_object(Bucket="dev-bucket", Key=where)["Body"].read()
            assert hashlib.sha256(data).hexdigest() == file["sha256"]


def test_code_changes_are_files(project: Path, aws: AwsServer) -> None:
    deploy(project)
    (project / "line/code/train.py").write_text("print('a longer line')\n")
    (project / "line/code/new.py").write_text("x = 1\n")
    document = planned(project)
    (code,) = document["pipelines"][0]["code"]
    assert code["words"] == "steps.train.code"
    assert [(f["sign"], f["name"], f["before"], f["after"]) for f in code["files"]] == [
        ("+", "new.py", None, 6),
        ("~", "train.py", 15, 23),
    ]
    assert [(u["files"], u["bytes"]) for u in document["uploads"]] == [(3, 44)]
    assert document["pipelines"][0]["cache"] == [{"step": "train", "why": "code"}]
    ran = deploy(project)
    assert "~ steps.train.code: 2 files changed" in ran.out
    assert "Uploaded 5 objects" in ran.out
    assert plan(project).code == 0


def test_code_that_several_steps_use_is_told_once(project: Path, aws: AwsServer) -> None:
    more = "".join(
        f"  train-{n}:\n    type: Training\n    code: {{dir: code, entry: train.py}}\n"
        f'    inputs: {{train: "${{steps.split.outputs.train}}"}}\n'
        for n in range(5)
    )
    edit(project, "tags: {team: lines}", f"{more}tags: {{team: lines}}")
    deploy(project)
    (project / "line/code/new.py").write_text("x = 1\n")
    told = plan(project).out
    assert told.count("+ new.py  6 B") == 1
    assert (
        "~ steps.train.code, steps.train-0.code, steps.train-1.code and 3 more: 1 file changed"
        in told
    )


def test_settings_tags_and_schedules(project: Path, aws: AwsServer) -> None:
    deploy(project)
    client = boto3.client("sagemaker")
    arn = client.describe_pipeline(PipelineName="line")["PipelineArn"]
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "cost-center", "Value": "42"}])
    edit(project, "description: Fits a line", "parallelism: 3\ndisplay_name: Lines")
    edit(project, "tags: {team: lines}", "tags: {owner: me}")
    edit(
        project,
        'nightly: {cron: "0 3 * * ? *"}',
        "hourly: {rate: 1 hour, parameters: {Rows: 5}, enabled: false}",
    )
    document = planned(project)
    assert differences(document) == [
        ("-", "description"),
        ("+", "display_name"),
        ("+", "parallelism"),
        ("+", "tags.owner"),
        ("-", "tags.team"),
        ("+", "schedules.hourly"),
        ("-", "schedules.nightly"),
    ]
    deploy(project)
    assert plan(project).code == 0
    tags = tags_of("line")
    assert tags["owner"] == "me"
    assert "team" not in tags
    # What others put there stays.
    assert tags["cost-center"] == "42"
    scheduler = boto3.client("scheduler")
    (group,) = [
        g["Name"]
        for g in scheduler.list_schedule_groups()["ScheduleGroups"]
        if g["Name"] != "default"
    ]
    (listed,) = scheduler.list_schedules(GroupName=group)["Schedules"]
    made = scheduler.get_schedule(GroupName=group, Name=listed["Name"])
    assert made["Name"] == "line.hourly"
    assert made["ScheduleExpression"] == "rate(1 hour)"
    assert made["State"] == "DISABLED"
    assert made["Target"]["Arn"] == arn
    assert made["Target"]["RoleArn"] == "arn:aws:iam::123456789012:role/pipelines"
    assert made["Target"]["SageMakerPipelineParameters"] == {
        "PipelineParameterList": [{"Name": "Rows", "Value": "5"}]
    }
    # Neither of the two made a version: the definition is the same.
    assert len(aws.lacks.versions["line"]) == 1
    # Taking a limit away writes the quota: UpdatePipeline can't forget.
    edit(project, "parallelism: 3\ndisplay_name: Lines", "description: Fits a line")
    deploy(project)
    assert plan(project).code == 0


def test_json_text_that_differs_without_meaning(project: Path, aws: AwsServer) -> None:
    deploy(project)
    client = boto3.client("sagemaker")
    before = json.loads(client.describe_pipeline(PipelineName="line")["PipelineDefinition"])
    before["Steps"].reverse()
    before["Metadata"] = None
    client.update_pipeline(PipelineName="line", PipelineDefinition=json.dumps(before, indent=3))
    ran = plan(project)
    assert ran.code == 3, "the record of the deploy is not of what is there"
    assert "deploy record" in ran.out
    assert "steps." not in ran.out
    deploy(project)
    assert plan(project).code == 0


def test_drift_is_told_with_what_changed(project: Path, aws: AwsServer) -> None:
    deploy(project)
    client = boto3.client("sagemaker")
    definition = json.loads(client.describe_pipeline(PipelineName="line")["PipelineDefinition"])
    definition["Steps"][1]["Arguments"]["HyperParameters"]["max_depth"] = "99"
    client.update_pipeline(PipelineName="line", PipelineDefinition=json.dumps(definition))
    document = planned(project)
    (made,) = document["pipelines"]
    assert made["drifted"] is True
    assert [(d["words"], d["before"], d["after"]) for d in made["drift"]] == [
        ("steps.train.hyperparameters.max_depth", "6", "99")
    ]
    assert [(c["before"], c["after"]) for c in made["changes"]] == [("99", "6")]
    assert "changed by something else since the last deploy" in plan(project).out
    deploy(project)
    assert plan(project).code == 0


def test_our_own_change_is_no_drift(project: Path, aws: AwsServer) -> None:
    deploy(project)
    edit(project, "max_depth: 6", "max_depth: 7")
    assert planned(project)["pipelines"][0]["drifted"] is False
    aws.fail_on("sagemaker:UpdatePipelineVersion", Fault(status=500))
    assert sagedag(project, "upsert", "--env", "dev", "--yes").code == 4
    aws.hook = None
    # Interrupted after the update, and changed again here: still nobody else's doing.
    edit(project, "max_depth: 7", "max_depth: 8")
    assert planned(project)["pipelines"][0]["drifted"] is False


def test_an_interrupted_deploy_is_completed(project: Path, aws: AwsServer) -> None:
    aws.fail_on("sagemaker:AddTags", Fault(status=500))
    failed = sagedag(project, "upsert", "--env", "dev", "--yes")
    assert failed.code == 4
    assert "sagemaker:AddTags (pipeline line): the service failed" in failed.err
    aws.hook = None
    document = planned(project)
    assert differences(document) == [("~", "deploy record")]
    deploy(project)
    assert plan(project).code == 0


def test_a_saved_plan(project: Path, aws: AwsServer, tmp_path: Path) -> None:
    file = tmp_path / "dev.plan"
    saved = plan(project, "--out", str(file))
    assert saved.code == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    aws.forget_requests()
    ran = sagedag(project, "upsert", "--plan", str(file))
    assert ran.code == 0, ran.err
    assert "line  created, version 1" in ran.out
    assert plan(project).code == 0
    # The same plan a second time: what is deployed is no longer what it was made for.
    aws.forget_requests()
    moved = sagedag(project, "upsert", "--plan", str(file))
    assert moved.code == 6
    assert "`line` changed since the plan was made; nothing was written" in moved.err
    assert aws.writes == []


def test_a_saved_plan_is_refused_when_a_file_changed(
    project: Path, aws: AwsServer, tmp_path: Path
) -> None:
    file = tmp_path / "dev.plan"
    plan(project, "--out", str(file))
    (project / "line/code/train.py").write_text("print('changed')\n")
    ran = sagedag(project, "upsert", "--plan", str(file))
    assert ran.code == 1
    assert "changed while it was being published" in ran.err
    assert "sagemaker:CreatePipeline" not in aws.calls


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"format": 1', '"format": 2', "another version of this tool"),
        ('"sagemaker:CreatePipeline"', '"iam:CreateUser"', "a plan holds no iam:CreateUser"),
        ('"line/code/split.py"', '"../../../../../etc/passwd"', "outside of"),
        ('"account": "123456789012"', '"account": "999999999999"', "is for account 999999999999"),
        ('"pipelines": [', '"pipelines": [7, ', "is no saved plan"),
        ('"size"', '"size"', ""),
    ],
)
def test_a_saved_plan_that_was_tampered_with(
    project: Path, aws: AwsServer, tmp_path: Path, old: str, new: str, says: str
) -> None:
    file = tmp_path / "dev.plan"
    plan(project, "--out", str(file))
    if says:
        assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    aws.forget_requests()
    ran = sagedag(project, "upsert", "--plan", str(file))
    if not says:
        assert ran.code == 0
        return
    assert ran.code == 2, ran.err
    assert says in ran.err
    assert aws.writes == []


def test_somebody_is_asked(project: Path, aws: AwsServer) -> None:
    ran = sagedag(project, "upsert", "--env", "dev")
    assert ran.code == 2
    assert "hint: pass --yes, or carry out a saved plan with --plan FILE" in ran.err
    refused = sagedag(project, "upsert", "--env", "dev", typed="n\n")
    assert refused.code == 1
    assert "Nothing was changed." in refused.err
    assert aws.writes == []
    agreed = sagedag(project, "upsert", "--env", "dev", typed="y\n")
    assert agreed.code == 0
    assert "line  created" in agreed.out


def test_json_of_an_upsert(project: Path, aws: AwsServer) -> None:
    ran = sagedag(project, "upsert", "--env", "dev", "--yes", "--json")
    (done,) = json.loads(ran.out)
    assert (done["name"], done["action"], done["version"]) == ("line", "create", 1)
    assert done["arn"].endswith(":pipeline/line")


def test_prune_removes_what_is_no_longer_defined(project: Path, aws: AwsServer) -> None:
    other = project / "other"
    other.mkdir()
    (other / "pipeline.yaml").write_text(
        "pipeline: other\nsteps:\n  stop: {type: Fail, message: no}\n"
        "schedules:\n  daily: {rate: 1 day}\n"
    )
    client = boto3.client("sagemaker")
    client.create_pipeline(
        PipelineName="foreign",
        PipelineDefinition="{}",
        RoleArn="arn:aws:iam::123456789012:role/pipelines",
    )
    deploy(project)
    # A path leaves others alone: they are not what was asked about, but they are defined.
    assert plan(project, "line", "--prune").code == 0
    (other / "pipeline.yaml").unlink()
    assert plan(project).code == 0
    document = planned(project, "--prune")
    assert [(p["name"], p["action"]) for p in document["pipelines"]] == [
        ("line", "none"),
        ("other", "delete"),
    ]
    asked = sagedag(project, "upsert", "--env", "dev", "--prune", typed="y\n")
    assert asked.code == 0, asked.err
    assert "- other  to be deleted" in asked.out
    assert "other  deleted" in asked.out
    names = [p["PipelineName"] for p in client.list_pipelines()["PipelineSummaries"]]
    assert sorted(names) == ["foreign", "line"]
    groups = boto3.client("scheduler").list_schedules()["Schedules"]
    assert [s["Name"] for s in groups] == ["line.nightly"]


def test_what_was_pruned_can_come_back(project: Path, aws: AwsServer) -> None:
    definition = project / "line/pipeline.yaml"
    text = definition.read_text()
    other = project / "other"
    other.mkdir()
    (other / "pipeline.yaml").write_text(
        "pipeline: other\nsteps: {stop: {type: Fail, message: no}}\n"
    )
    deploy(project)
    definition.unlink()
    deploy(project, "--prune")
    definition.write_text(text)
    # The same request as the first time, and yet not the same call (ClientRequestToken).
    assert "line  created, version 1" in deploy(project).out
    assert plan(project).code == 0


def test_prune_needs_every_definition(project: Path, aws: AwsServer) -> None:
    deploy(project)
    (project / "broken").mkdir()
    (project / "broken" / "pipeline.yaml").write_text("pipeline: line2\nsteps: 7\n")
    ran = plan(project, "line", "--prune")
    assert ran.code == 1
    assert "broken" in ran.err


def test_another_environments_pipeline_is_not_overwritten(project: Path, aws: AwsServer) -> None:
    deploy(project)
    aws.forget_requests()
    ran = sagedag(project, "upsert", "--env", "prod", "--yes")
    assert ran.code == 2
    assert "was deployed by environment `dev`" in ran.err
    assert "pipeline: NAME-{{ env }}" in ran.err
    assert aws.writes == []
    assert sagedag(project, "upsert", "--env", "prod", "--yes", "--take-over").code == 0
    assert tags_of("line")["sagedag:environment"] == "prod"


def test_a_big_definition_goes_by_way_of_s3(project: Path, aws: AwsServer) -> None:
    steps = "".join(f"  stop-{n}: {{type: Fail, message: '{'x' * 900}'}}\n" for n in range(130))
    folder = project / "big"
    folder.mkdir()
    (folder / "pipeline.yaml").write_text(f"pipeline: big\nsteps:\n{steps}")
    ran = sagedag(project, "upsert", "big", "--env", "dev", "--yes")
    assert ran.code == 0, ran.err
    (request,) = [r.body for r in aws.requests if r.call == "sagemaker:CreatePipeline"]
    assert "PipelineDefinition" not in request
    where = request["PipelineDefinitionS3Location"]
    assert where["ObjectKey"].startswith("team/definitions/sha256/")
    assert plan(project, "big").code == 0


def test_a_refused_definition_is_told_at_its_line(project: Path, aws: AwsServer) -> None:
    told = "Unable to parse pipeline definition: Steps[1].Arguments.HyperParameters.max_depth: no"
    aws.fail_on("sagemaker:CreatePipeline", Fault("ValidationException", 400, told))
    ran = sagedag(project, "upsert", "--env", "dev", "--yes")
    assert ran.code == 4
    assert (
        "line/pipeline.yaml:19:23: SageMaker refuses this "
        "(steps.train.hyperparameters.max_depth): Unable to parse" in ran.err
    )


def test_an_invalid_definition_is_told_before_aws_is_asked(project: Path, aws: AwsServer) -> None:
    edit(project, "type: Training", "type: Trainig")
    ran = plan(project)
    assert ran.code == 1
    assert "line/pipeline.yaml:17" in ran.err
    assert aws.calls == []


def test_an_account_without_versions(project: Path, aws: AwsServer) -> None:
    aws.lacks.has_versions = False
    ran = deploy(project)
    assert "line  created\n" in ran.out
    assert "has no versions: none was recorded" in ran.out
    assert plan(project).code == 0
    assert tags_of("line")["sagedag:version"] == "none"
    edit(project, "max_depth: 6", "max_depth: 8")
    deploy(project)
    assert plan(project).code == 0


def test_an_alias_moves_with_the_deploy(project: Path, aws: AwsServer) -> None:
    deploy(project, "--alias", "live")
    edit(project, "max_depth: 6", "max_depth: 8")
    ran = plan(project, "--alias", "live")
    assert "~ alias.live: version 1 → version 2" in ran.out
    deploy(project, "--alias", "live")
    assert [v.aliases for v in aws.lacks.versions["line"]] == [[], ["live"]]
    assert plan(project, "--alias", "live").code == 0


def test_schedules_need_no_permission_where_there_are_none(project: Path, aws: AwsServer) -> None:
    edit(project, 'schedules:\n  nightly: {cron: "0 3 * * ? *"}\n', "")
    aws.fail_on("scheduler:GetScheduleGroup", Fault("AccessDeniedException", 403))
    ran = plan(project)
    assert ran.code == 3
    assert "Note: schedules were not looked at" in ran.out
    (project / "line/pipeline.yaml").write_text(LINE)
    denied = plan(project)
    assert denied.code == 4
    assert "scheduler:GetScheduleGroup" in denied.err


def test_markdown_cannot_be_broken_out_of(project: Path, aws: AwsServer) -> None:
    hostile = "</details>```\\n@team <script> [x](http://evil) | ~~~~"
    edit(project, "mode: ", f'note: "{hostile}", mode: ')
    deploy(project)
    edit(project, hostile, hostile + "````")
    text = plan(project, "--markdown").out
    assert text.startswith("<!-- sagedag plan dev -->\n")
    lines = text.splitlines()
    opened = next(line for line in lines if line.startswith("`````"))
    start = lines.index(opened)
    end = lines.index("`````", start + 1)
    outside = "\n".join(lines[:start] + lines[end:])
    for piece in ("<script>", "@team", "evil", "~~~~"):
        assert piece not in outside
        assert piece in "\n".join(lines[start:end])
    assert len(text) < 65_536


def test_a_long_plan_fits_into_a_comment(project: Path, aws: AwsServer) -> None:
    steps = "".join(f"  stop-{n}-{'x' * 40}: {{type: Fail, message: no}}\n" for n in range(350))
    for name in ("one", "two", "three"):
        (project / name).mkdir()
        (project / name / "pipeline.yaml").write_text(f"pipeline: {name}\nsteps:\n{steps}")
    text = plan(project, "--markdown").out
    assert len(text) <= 60_500
    assert "more: `sagedag plan` shows all of it" in text


def test_two_definitions_of_one_pipeline(project: Path, aws: AwsServer) -> None:
    write_project(project / "copy", aws.url)
    (project / "copy" / "environments.yaml").unlink()
    ran = plan(project)
    assert ran.code == 2
    assert "both make the pipeline `line`" in ran.err


def test_the_library_does_the_same(project: Path, aws: AwsServer) -> None:
    import pipelines

    made = pipelines.plan([project], environment="dev")
    assert [each.action for each in made.plan.pipelines] == ["create"]
    (done,) = pipelines.upsert([project], environment="dev")
    assert (done.name, done.version) == ("line", 1)
    assert pipelines.upsert([project], environment="dev") == ()


def test_which_environment(project: Path, aws: AwsServer) -> None:
    assert "--env" in sagedag(project, "plan").err
    assert sagedag(project, "plan", "--env", "local").code == 2
    wrong = sagedag(project, "plan", "--env", "dev", "--region", "eu-west-1")
    assert wrong.code == 2
    assert "is in us-east-1" in wrong.err
    assert aws.calls == []


def test_debug_lines_hold_no_secret(
    project: Path, aws: AwsServer, aws_variables: dict[str, str]
) -> None:
    ran = sagedag(project, "plan", "--env", "dev", "--debug")
    assert "aws sagemaker:DescribePipeline (pipeline line) ResourceNotFound" in ran.err
    assert aws_variables["AWS_SECRET_ACCESS_KEY"] not in ran.err + ran.out
    assert "DEBUG" not in ran.err
