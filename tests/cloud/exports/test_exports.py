"""Exports for other tools: valid by the schemas that are had offline, and the same pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from cloud_commands import sagedag
from cloud_project import LINE, write_project
from moto_server import AwsServer

from pipelines.cli.export import too_large
from pipelines.cloud.exports.ack import object_name
from pipelines.cloud.exports.exported import identifiers
from pipelines.cloud.exports.terraform import literal

# What the definitions below hold on purpose: templates of Terraform and of CloudFormation.
HOSTILE = "costs $${HOME} %{if} ${!x} - a: 'b'"
HOURLY = "hourly: {rate: 1 hour, enabled: false, parameters: {Rows: 5}}"
MORE = (
    LINE.replace("pipeline: line", "pipeline: My-Line")
    .replace("description: Fits a line", f'description: "{HOSTILE}"\nparallelism: 3')
    .replace('nightly: {cron: "0 3 * * ? *"}', HOURLY)
)

# The ACK controller's custom resource definition of Pipeline: the members of its spec.
ACK_SPEC = {
    "parallelismConfiguration",
    "pipelineDefinition",
    "pipelineDescription",
    "pipelineDisplayName",
    "pipelineName",
    "roleARN",
    "tags",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two definitions, each with a schedule."""
    made = write_project(tmp_path_factory.mktemp("exports"), "http://127.0.0.1:9")
    (made / "more").mkdir()
    (made / "line/pipeline.yaml").rename(made / "line/line.yaml")
    (made / "line/pipeline.yaml").write_text(LINE)
    (made / "line/line.yaml").unlink()
    (made / "more/code").mkdir()
    for name in ("split.py", "train.py"):
        (made / "more/code" / name).write_text("print('more')\n")
    (made / "more/pipeline.yaml").write_text(MORE)
    return made


@pytest.fixture(scope="module")
def compiled(folder: Path) -> dict[str, Any]:
    """The definitions as they are compiled, by the pipelines' names."""
    return {
        name: json.loads(sagedag(folder, "compile", path, "--env", "dev").out)
        for name, path in (("line", "line"), ("My-Line", "more"))
    }


def written(folder: Path, style: str) -> str:
    ran = sagedag(folder, "export", ".", "--env", "dev", "--format", style)
    assert ran.code == 0, ran.err
    return ran.out


def test_cloudformation_is_valid_and_holds_the_pipelines(
    folder: Path, compiled: dict[str, Any], tmp_path: Path
) -> None:
    from cfnlint.api import lint
    from cfnlint.config import ManualArgs

    text = written(folder, "cloudformation")
    found = lint(text, config=ManualArgs(regions=["us-east-1"]))
    assert [str(match) for match in found] == []
    resources = json.loads(text)["Resources"]
    pipelines = [r["Properties"] for r in resources.values() if r["Type"].endswith("::Pipeline")]
    assert {
        each["PipelineName"]: json.loads(each["PipelineDefinition"]["PipelineDefinitionBody"])
        for each in pipelines
    } == compiled
    mine = resources["MyLinePipeline"]["Properties"]
    assert mine["PipelineDescription"] == HOSTILE
    assert mine["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
    hourly = resources["MyLineHourlySchedule"]
    assert hourly["DependsOn"] == "MyLinePipeline"
    assert hourly["Properties"]["State"] == "DISABLED"
    assert hourly["Properties"]["ScheduleExpression"] == "rate(1 hour)"
    assert hourly["Properties"]["Target"]["Arn"]["Fn::Sub"].endswith("pipeline/my-line")


def test_a_wrong_template_would_be_found(folder: Path) -> None:
    from cfnlint.api import lint
    from cfnlint.config import ManualArgs

    text = written(folder, "cloudformation").replace('"PipelineName"', '"PipelineNam"')
    assert lint(text, config=ManualArgs(regions=["us-east-1"]))


def test_terraform_holds_the_pipelines_and_no_templates_of_ours(
    folder: Path, compiled: dict[str, Any]
) -> None:
    document = json.loads(written(folder, "terraform"))
    pipelines = document["resource"]["aws_sagemaker_pipeline"]
    assert set(pipelines) == {"line", "My_Line"}
    for each in pipelines.values():
        definition = each["pipeline_definition"]
        assert json.loads(as_terraform_reads(definition)) == compiled[each["pipeline_name"]]
    mine = pipelines["My_Line"]
    assert as_terraform_reads(mine["pipeline_description"]) == HOSTILE
    assert mine["parallelism_configuration"] == [{"max_parallel_execution_steps": 3}]
    assert mine["tags"] == {"team": "lines"}
    schedule = document["resource"]["aws_scheduler_schedule"]["My_Line_hourly"]
    assert schedule["target"][0]["arn"] == "${aws_sagemaker_pipeline.My_Line.arn}"
    (given,) = schedule["target"][0]["sagemaker_pipeline_parameters"]
    assert given["pipeline_parameter"] == [{"name": "Rows", "value": "5"}]
    assert len(document["resource"]["aws_scheduler_schedule_group"]) == 1


def as_terraform_reads(text: str) -> str:
    """Undo the two escapes of Terraform's string templates; anything else would be a template."""
    plain = text.replace("$${", "\0").replace("%%{", "\1")
    assert "${" not in plain
    assert "%{" not in plain
    return plain.replace("\0", "${").replace("\1", "%{")


def test_ack_has_the_members_of_its_resource_definition(
    folder: Path, compiled: dict[str, Any]
) -> None:
    manifests = list(yaml.safe_load_all(written(folder, "ack")))
    assert [each["apiVersion"] for each in manifests] == ["sagemaker.services.k8s.aws/v1alpha1"] * 2
    for each in manifests:
        spec = each["spec"]
        assert set(spec) <= ACK_SPEC
        assert {"pipelineName", "roleARN"} <= set(spec)
        assert json.loads(spec["pipelineDefinition"]) == compiled[spec["pipelineName"]]
        assert each["metadata"]["annotations"]["services.k8s.aws/region"] == "us-east-1"
    assert manifests[0]["metadata"]["name"] == "line"
    assert manifests[1]["metadata"]["name"].startswith("my-line-")


def test_what_a_form_cannot_say_is_told(folder: Path) -> None:
    ran = sagedag(folder, "export", "line", "--env", "dev", "--format", "ack")
    assert "line: ACK has no schedules" in ran.err
    text = LINE + "pipeline_fields: {ClientRequestToken: 0123456789012345678901234567890123}\n"
    (folder / "line/other.yaml").write_text(text.replace("pipeline: line", "pipeline: other"))
    try:
        ran = sagedag(folder, "export", "line/other.yaml", "--env", "dev", "--format", "terraform")
    finally:
        (folder / "line/other.yaml").unlink()
    assert "no export has words for ClientRequestToken" in ran.err


def test_an_invalid_definition_is_not_exported(folder: Path) -> None:
    (folder / "line/bad.yaml").write_text(LINE.replace("max_depth: 6", "max_depth: [6"))
    try:
        ran = sagedag(folder, "export", "line/bad.yaml", "--env", "dev", "--format", "ack")
    finally:
        (folder / "line/bad.yaml").unlink()
    assert (ran.code, ran.out) == (1, "")
    assert "bad.yaml:" in ran.err


def test_publishing_uploads_the_code_once(aws: AwsServer, project: Path) -> None:
    words = ("export", "line", "--env", "dev", "--format", "cloudformation", "--publish")
    first = sagedag(project, *words)
    assert first.code == 0, first.err
    assert "objects uploaded." in first.err
    assert set(aws.writes) == {"s3:PutObject"}
    aws.forget_requests()
    again = sagedag(project, *words)
    assert "0 objects uploaded." in again.err
    assert aws.writes == []
    assert again.out == first.out


def test_definitions_that_go_by_way_of_s3(aws: AwsServer, project: Path) -> None:
    from cfnlint.api import lint
    from cfnlint.config import ManualArgs

    words = ("export", "line", "--env", "dev", "--publish", "--definition-in-s3", "--format")
    first = sagedag(project, *words, "cloudformation")
    assert first.code == 0, first.err
    assert lint(first.out, config=ManualArgs(regions=["us-east-1"])) == []
    pipeline = json.loads(first.out)["Resources"]["LinePipeline"]["Properties"]
    place = pipeline["PipelineDefinition"]["PipelineDefinitionS3Location"]
    stored = boto3.client("s3").get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read()
    assert json.loads(stored) == json.loads(sagedag(project, "compile", "line", "--env", "dev").out)
    aws.forget_requests()
    other = sagedag(project, *words, "terraform")
    assert "0 objects uploaded." in other.err
    assert aws.writes == []
    made = json.loads(other.out)["resource"]["aws_sagemaker_pipeline"]["line"]
    # The provider takes exactly one of the two.
    assert "pipeline_definition" not in made
    (block,) = made["pipeline_definition_s3_location"]
    assert block == {"bucket": place["Bucket"], "object_key": place["Key"]}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("ack", "--publish"), "ACK takes a definition as text alone"),
        (("terraform",), "give --publish as well"),
    ],
)
def test_definitions_that_cannot_go_by_way_of_s3(
    folder: Path, words: tuple[str, ...], says: str
) -> None:
    asked = ("export", "line", "--env", "dev", "--definition-in-s3", "--format")
    ran = sagedag(folder, *asked, *words)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_publishing_makes_a_template_small(aws: AwsServer, project: Path) -> None:
    blocks = "".join(f"  P{n}: {'x' * 400}\n" for n in range(150))
    path = project / "line/pipeline.yaml"
    path.write_text(LINE.replace("  Rows: 100\n", "  Rows: 100\n" + blocks))
    words = ("export", "line", "--env", "dev", "--format", "cloudformation")
    assert "--publish makes it small" in sagedag(project, *words).err
    ran = sagedag(project, *words, "--publish")
    assert ran.code == 0, ran.err
    assert "warning: the template" not in ran.err
    assert len(ran.out.encode()) < 51_200
    assert "PipelineDefinitionS3Location" in ran.out


def test_names_become_identifiers_that_differ() -> None:
    made = identifiers(["a-b", "a_b", "9", "ß"], "_")
    assert made["a-b"] == "a_b"
    assert made["a_b"].startswith("a_b_")
    assert made["9"] == "p_9"
    assert len(set(made.values())) == 4
    assert identifiers(["my-line"], "") == {"my-line": "MyLine"}


@pytest.mark.parametrize("name", ["line", "My-Line", "a" * 256, "A" * 256])
def test_object_names_are_kubernetes_names(name: str) -> None:
    made = object_name(name)
    assert len(made) <= 253
    assert made == made.lower()
    assert made.replace("-", "").isalnum()
    assert (made == name) == (name == "line")


def test_terraform_texts_are_literal() -> None:
    assert literal("${a} %{b} $c") == "$${a} %%{b} $c"


def test_a_template_that_cloudformation_does_not_take_is_told(folder: Path) -> None:
    blocks = "".join(f"  P{n}: {'x' * 400}\n" for n in range(150))
    wide = LINE.replace("  Rows: 100\n", "  Rows: 100\n" + blocks)
    (folder / "line/wide.yaml").write_text(wide.replace("pipeline: line", "pipeline: wide"))
    words = ("export", "line/wide.yaml", "--env", "dev", "--format")
    try:
        template, other = (sagedag(folder, *words, style) for style in ("cloudformation", "ack"))
    finally:
        (folder / "line/wide.yaml").unlink()
    assert (template.code, other.code) == (0, 0), template.err
    assert "CloudFormation takes more than 51,200 from S3 alone" in template.err
    assert "CloudFormation" not in other.err
    assert list(too_large(51_200)) == []
    assert "export fewer definitions at once" in next(iter(too_large(1_048_577)))
