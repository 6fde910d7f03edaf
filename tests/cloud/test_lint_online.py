"""`sagedag lint --online`: what is there and what is not, asked of moto's server."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import boto3
import pytest
from moto_server import AwsServer, Fault

from pipelines.cli import main
from pipelines.cloud.client import Clients, Place, connect
from pipelines.lint import Target, lint, online
from pipelines.lint.rules import RULES

ENVIRONMENTS = """\
environments:
  dev:
    account: "123456789012"
    region: us-east-1
    role: "arn:aws:iam::{{{{ account }}}}:role/pipelines"
    bucket: {bucket}
    endpoint_url: {url}
"""

DEFINITION = """\
pipeline: demo
defaults: {{instance: ml.m5.large}}
steps:
  features:
    type: Processing
    image: "{{{{ account }}}}.dkr.ecr.{{{{ region }}}}.amazonaws.com/tools:{tag}"
    command: [features]
    kms_key: alias/{key}
    inputs: {{data: "s3://{bucket}/data"}}
    outputs: {{rows: {{feature_group: {group}}}, page: null}}
    network: {{subnets: [{subnet}], security_groups: [{wall}]}}
  train:
    type: Training
    image: {{framework: sklearn, version: 1.4-2}}
    command: [train]
    role: "arn:aws:iam::{{{{ account }}}}:role/path/{role}"
  foreign:
    type: Training
    image: "999999999999.dkr.ecr.{{{{ region }}}}.amazonaws.com/theirs:1"
    command: [train]
    role: arn:aws:iam::999999999999:role/theirs
  call: {{type: Lambda, function: {function}}}
  ask: {{type: Callback, queue: {queue}}}
"""

WRONG = {
    "tag": "2",
    "key": "gone",
    "bucket": "nobodys-bucket",
    "group": "gone",
    "subnet": "subnet-0123456789abcdef0",
    "wall": "sg-0123456789abcdef0",
    "role": "gone",
    "function": "gone",
    "queue": "gone",
}


def code_of_function() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("check.py", "def handle(event, context): return {}\n")
    return packed.getvalue()


@pytest.fixture(scope="module")
def things(aws_server: AwsServer) -> Iterator[Mapping[str, str]]:
    """Everything that the definition names, made once for this module."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", aws_server.url)
        aws_server.reset()
        yield make_things()


VARIABLES = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "test-secret-key-that-nobody-may-see-0001",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_MAX_ATTEMPTS": "1",
}


@pytest.fixture
def aws(
    aws_server: AwsServer, things: Mapping[str, str], aws_variables: dict[str, str]
) -> AwsServer:
    """The server with everything in it, without faults."""
    aws_server.hook = None
    aws_server.forget_requests()
    return aws_server


@pytest.fixture
def shared_clients(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every look use the same clients: making them is most of its time."""
    monkeypatch.setattr(online, "connect", one_connection)


@cache
def one_connection(place: Place) -> Clients:
    return connect(place)


def make_things() -> Mapping[str, str]:
    boto3.client("s3").create_bucket(Bucket="dev-bucket")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam = boto3.client("iam")
    iam.create_role(RoleName="pipelines", AssumeRolePolicyDocument=trust)
    role = iam.create_role(RoleName="training", Path="/path/", AssumeRolePolicyDocument=trust)
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName="tools")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": "sha256:0", "size": 1},
        "layers": [],
    }
    ecr.put_image(repositoryName="tools", imageManifest=json.dumps(manifest), imageTag="1")
    boto3.client("lambda").create_function(
        FunctionName="check",
        Runtime="python3.12",
        Role=role["Role"]["Arn"],
        Handler="check.handle",
        Code={"ZipFile": code_of_function()},
    )
    boto3.client("sqs").create_queue(QueueName="approvals")
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/pipelines", TargetKeyId=key)
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    wall = ec2.create_security_group(GroupName="jobs", Description="jobs", VpcId=vpc)["GroupId"]
    boto3.client("sagemaker").create_feature_group(
        FeatureGroupName="pulsars",
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="time",
        FeatureDefinitions=[{"FeatureName": "id", "FeatureType": "String"}],
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": "s3://dev-bucket/features"}},
        RoleArn=role["Role"]["Arn"],
    )
    return {
        "tag": "1",
        "key": "pipelines",
        "key_id": key,
        "bucket": "dev-bucket",
        "group": "pulsars",
        "subnet": subnet,
        "wall": wall,
        "role": "training",
        "function": "check",
        "queue": "approvals",
    }


def written(folder: Path, aws: AwsServer, names: Mapping[str, str], bucket: str = "") -> Path:
    environments = ENVIRONMENTS.format(url=aws.url, bucket=bucket or "dev-bucket")
    (folder / "environments.yaml").write_text(environments)
    (folder / "pipeline.yaml").write_text(DEFINITION.format(**names))
    return folder / "pipeline.yaml"


def found(path: Path, **options: object) -> list[tuple[str, str]]:
    select = options.pop("select", ["existence"])
    result = lint(Target(path), environment="dev", online=True, select=select)  # type: ignore[arg-type]
    assert result.errors == []
    return sorted((d.code, d.message) for d in result.findings)


# What a definition names is asked about once; moto's server calls GetFunction by its method.
ONCE = {
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ecr:DescribeImages",
    "iam:GetRole",
    "kms:DescribeKey",
    "lambda:GET",
    "s3:HeadBucket",
    "sagemaker:DescribeFeatureGroup",
    "sqs:GetQueueUrl",
    "sts:GetCallerIdentity",
}


@pytest.mark.usefixtures("shared_clients")
def test_what_is_there_is_no_finding_and_nothing_is_changed(
    tmp_path: Path, aws: AwsServer, things: Mapping[str, str]
) -> None:
    assert found(written(tmp_path, aws, things)) == []
    assert aws.writes == []
    # One bucket is named by the environment, a step's output and its input, and asked about once.
    counted = aws.count()
    assert counted["s3:HeadBucket"] == 1
    assert counted == {**dict.fromkeys(ONCE, 1), "iam:GetRole": 2}


@pytest.mark.usefixtures("shared_clients")
def test_what_is_not_there_is_found_each_with_its_rule(
    tmp_path: Path, aws: AwsServer, things: Mapping[str, str]
) -> None:
    path = written(tmp_path, aws, WRONG)
    # Moto fails where it has no such group; the API's answer is ResourceNotFound.
    aws.fail_on("sagemaker:DescribeFeatureGroup", Fault("ResourceNotFound", 400))
    told = found(path)
    place = "in account 123456789012, us-east-1"
    assert told == [
        ("no-such-bucket", f"there is no bucket `nobodys-bucket` {place}"),
        ("no-such-feature-group", f"there is no feature group `gone` {place}"),
        ("no-such-function", f"there is no function `gone` {place}"),
        ("no-such-image", f"there is no image `tools:2` {place}"),
        ("no-such-key", f"there is no key `alias/gone` {place}"),
        ("no-such-network", f"there is no security group `sg-0123456789abcdef0` {place}"),
        ("no-such-network", f"there is no subnet `subnet-0123456789abcdef0` {place}"),
        ("no-such-queue", f"there is no queue `gone` {place}"),
        ("no-such-role", f"there is no role `gone` {place}"),
    ]
    online = {rule.code for rule in RULES if rule.online}
    assert {code for code, _ in told} == online - {"not-checked"}
    looked = lint(Target(path), environment="dev", online=True, select=["existence"])
    lines = {d.code: d.source.lines[d.span.line - 1] for d in looked.findings}
    assert "image:" in lines["no-such-image"]
    assert "subnets:" in lines["no-such-network"]
    assert "role/path/gone" in lines["no-such-role"]
    assert "queue: gone" in lines["no-such-queue"]
    assert "s3://nobodys-bucket" in lines["no-such-bucket"]
    assert things["tag"] == "1"


@pytest.mark.usefixtures("shared_clients")
def test_the_environment_s_own_role_and_bucket(tmp_path: Path, aws: AwsServer) -> None:
    (tmp_path / "pipeline.yaml").write_text(
        "pipeline: demo\nsteps: {stop: {type: Fail, message: no}}\n"
    )
    text = ENVIRONMENTS.format(url=aws.url, bucket="nobodys-bucket")
    (tmp_path / "environments.yaml").write_text(text.replace("role/pipelines", "role/gone"))
    found_codes = [code for code, _ in found(tmp_path / "pipeline.yaml")]
    assert found_codes == ["no-such-bucket", "no-such-role"]


@pytest.mark.usefixtures("shared_clients")
def test_a_key_that_is_switched_off(
    tmp_path: Path, aws: AwsServer, things: Mapping[str, str]
) -> None:
    kms = boto3.client("kms")
    kms.disable_key(KeyId=things["key_id"])
    told = found(written(tmp_path, aws, things))
    kms.enable_key(KeyId=things["key_id"])
    assert told == [("no-such-key", "the key `alias/pipelines` can't be used: it is Disabled")]


@pytest.mark.usefixtures("shared_clients")
def test_a_refusal_is_told_and_the_rest_is_asked(
    tmp_path: Path, aws: AwsServer, things: Mapping[str, str]
) -> None:
    aws.fail_on("lambda:GET", Fault("AccessDeniedException", 403))
    path = written(tmp_path, aws, {**things, "queue": "gone"})
    result = lint(Target(path), environment="dev", online=True, select=["existence"])
    assert [(d.code, d.level) for d in result.findings] == [
        ("not-checked", "info"),
        ("no-such-queue", "error"),
    ]
    first = result.findings[0]
    assert first.message == "whether there is a function `check` was not checked: access denied"
    assert "allow the action lambda:GetFunction" in first.hint


@pytest.mark.usefixtures("shared_clients")
def test_a_name_that_nothing_can_have_stops_no_other_question(
    tmp_path: Path, aws: AwsServer, things: Mapping[str, str]
) -> None:
    aws.fail_on("kms:DescribeKey", Fault("ValidationException", 400))
    told = found(written(tmp_path, aws, {**things, "queue": "gone"}))
    assert [code for code, _ in told] == ["no-such-key", "no-such-queue"]
    assert told[0][1].startswith("kms:DescribeKey takes no key `alias/pipelines`: ")


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["lint", *words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


ROLES = ("--select", "no-such-role")  # one client is enough here


def test_the_command_and_what_keeps_it_from_asking(
    tmp_path: Path,
    aws: AwsServer,
    things: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(written(tmp_path, aws, things))
    assert run(path, *ROLES, "--online", "--env", "dev") == 0
    written(tmp_path, aws, {**things, "role": "gone"})
    assert run(path, *ROLES, "--online", "--env", "dev") == 7
    assert "error[no-such-role]: there is no role `gone`" in capsys.readouterr().out
    assert run(path, *ROLES, "--online") == 2
    assert "name its environment with --env" in capsys.readouterr().err
    assert run(path, *ROLES, "--online", "--env", "local") == 2
    assert "it has no AWS account" in capsys.readouterr().err
    aws.fail_on("sts:GetCallerIdentity", Fault("ExpiredToken", 403))
    assert run(path, *ROLES, "--online", "--env", "dev") == 4
    assert "the credentials have expired" in capsys.readouterr().err
    aws.hook = None
    environments = tmp_path / "environments.yaml"
    environments.write_text(environments.read_text().replace("123456789012", "111122223333"))
    assert run(path, *ROLES, "--online", "--env", "dev") == 4
    assert "belong to account 123456789012" in capsys.readouterr().err
    # Without --online nobody is asked.
    aws.forget_requests()
    assert run(path, "--env", "dev") == 0
    assert aws.count() == {}
