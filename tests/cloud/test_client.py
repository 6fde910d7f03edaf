"""The door to AWS: where it leads, whom it lets through, and what it says when it is shut."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import botocore.exceptions as known
import pytest
from moto_server import AwsServer, Fault

from pipelines.cloud.client import Clients, Place, connect
from pipelines.cloud.redaction import redact
from pipelines.cloud.refusals import (
    Conflict,
    Invalid,
    Missing,
    Refused,
    Surroundings,
    Unsupported,
    calling,
)
from pipelines.errors import AwsError, StateMoved, UsageError

DESCRIBE = "sagemaker:DescribePipeline"


def describe(clients: Clients) -> object:
    return clients.call(DESCRIBE, "pipeline p", PipelineName="p")


def test_the_local_environment_has_no_aws() -> None:
    with pytest.raises(UsageError, match="local runner") as caught:
        connect(Place("local", local=True))
    assert "--env" in caught.value.hint


@pytest.mark.parametrize(
    "endpoint", ["https://evil.example", "http://127.0.0.1.evil.example", "http://0.0.0.0:5000"]
)
def test_a_committed_endpoint_must_be_loopback(endpoint: str) -> None:
    with pytest.raises(UsageError, match="loopback"):
        connect(Place("dev", region="us-east-1", endpoint_url=endpoint))


def test_the_users_own_endpoint_goes_before_the_files(aws: AwsServer, place: Place) -> None:
    nobody = Place("dev", place.account, "us-east-1", endpoint_url="http://127.0.0.1:9")
    assert connect(nobody).check_account().account == place.account


def test_the_files_endpoint_is_used_where_the_user_says_nothing(
    aws: AwsServer, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    found = connect(Place("dev", place.account, "us-east-1", endpoint_url=aws.url))
    assert found.check_account().account == place.account


def test_another_account_is_refused_before_anything_is_asked(aws: AwsServer) -> None:
    clients = connect(Place("prod", account="999988887777", region="us-east-1"))
    with pytest.raises(AwsError, match=r"123456789012.*`prod` is account 999988887777") as caught:
        clients.check_account()
    assert caught.value.exit_code == 4
    assert aws.calls == ["sts:GetCallerIdentity"]


def test_the_users_credentials_go_before_the_files_profile(aws: AwsServer, place: Place) -> None:
    clients = connect(Place("dev", place.account, "us-east-1", profile="not-on-this-machine"))
    assert clients.check_account().account == place.account


def test_a_profile_that_does_not_exist(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(Refused, match="no AWS profile `dev-admin`") as caught:
        connect(Place("dev", region="us-east-1", profile="dev-admin"))
    assert "list-profiles" in caught.value.hint


def test_no_credentials(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Refused, match="no AWS credentials") as caught:
        describe(connect(Place("dev", region="us-east-1")))
    assert "aws sso login" in caught.value.hint


@pytest.mark.parametrize(
    ("code", "status", "kind", "says", "hint"),
    [
        ("ThrottlingException", 400, Refused, "throttled", "wait a minute"),
        ("ExpiredTokenException", 400, Refused, "expired", "aws sso login"),
        ("RequestTimeTooSkewed", 403, Refused, "clock", "set the clock"),
        ("InvalidSignatureException", 403, Refused, "does not know", "get-caller-identity"),
        ("KMS.DisabledException", 400, Refused, "KMS key can't be used", "enable the key"),
        ("UnrecognizedClientException", 400, Refused, "does not know these", "get-caller-identity"),
        ("ValidationException", 400, Invalid, "does not accept", "sagedag validate"),
        ("ResourceNotFound", 400, Missing, "injected", "us-east-1"),
        ("ConflictException", 400, Conflict, "being changed", "sagedag plan"),
        ("ResourceInUse", 400, Conflict, "being changed", "sagedag plan"),
        ("ResourceLimitExceeded", 400, Refused, "limit of the account", "Service Quotas"),
        ("UnknownOperationException", 400, Unsupported, "does not have this call", "nothing"),
        ("InternalFailure", 500, Refused, "service failed", "run it again"),
        ("SomethingNew", 400, Refused, "SomethingNew: injected", "message"),
    ],
)
def test_every_refusal_names_call_resource_cause_and_way_out(
    clients: Clients, aws: AwsServer, code: str, status: int, kind: type, says: str, hint: str
) -> None:
    aws.fail_on(DESCRIBE, Fault(code, status))
    with pytest.raises((AwsError, StateMoved)) as caught:
        describe(clients)
    assert type(caught.value) is kind
    assert caught.value.message.startswith("sagemaker:DescribePipeline (pipeline p): ")
    assert says in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == (6 if kind is Conflict else 4)
    # Nothing of botocore's is left to be shown by a traceback.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("operation", "told", "kind"),
    [
        ("sagemaker:CreatePipeline", "Step names must be unique within a pipeline", Invalid),
        ("sagemaker:UpdatePipeline", "The step 'train' does not exist", Invalid),
        ("sagemaker:CreatePipeline", "Pipeline with name (p) already exists", Conflict),
        ("sagemaker:DescribePipeline", "Pipeline 'p' does not exist.", Missing),
        ("sagemaker:StartPipelineExecution", "Pipeline 'p' does not exist.", Missing),
    ],
)
def test_what_a_validation_error_is_about(operation: str, told: str, kind: type) -> None:
    error = known.ClientError({"Error": {"Code": "ValidationException", "Message": told}}, "x")
    with pytest.raises(kind) as caught, calling(operation, "pipeline p"):
        raise error
    assert type(caught.value) is kind


@pytest.mark.parametrize("code", ["InvalidSignatureException", "SignatureDoesNotMatch"])
def test_a_clock_that_is_wrong(code: str) -> None:
    told = "Signature expired: 20261124T120000Z is now earlier than 20261124T130000Z"
    error = known.ClientError({"Error": {"Code": code, "Message": told}}, "x")
    with pytest.raises(Refused, match="this machine's clock") as caught, calling(DESCRIBE, "p"):
        raise error
    assert "set the clock" in caught.value.hint


def test_a_head_request_that_says_nothing(clients: Clients, aws: AwsServer) -> None:
    aws.fail_on("s3:HeadObject", Fault("400", 400))
    with pytest.raises(Refused, match="HEAD request") as caught:
        clients.call("s3:HeadObject", "s3://dev-bucket/a", Bucket="dev-bucket", Key="a")
    assert "expired" in caught.value.hint
    assert "head-bucket --bucket dev-bucket" in caught.value.hint


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_MAX_ATTEMPTS", "many"),
        ("AWS_RETRY_MODE", "often"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token"),
    ],
)
def test_settings_that_are_not_sound(
    aws: AwsServer, place: Place, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    if variable == "AWS_WEB_IDENTITY_TOKEN_FILE":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci")
    monkeypatch.setenv(variable, value)
    with pytest.raises(Refused, match="AWS settings") as caught:
        connect(place).check_account()
    assert "AWS_… variable" in caught.value.hint


def test_a_role_that_the_scheduler_cannot_assume() -> None:
    told = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
    error = known.ClientError({"Error": {"Code": "ValidationException", "Message": told}}, "x")
    with pytest.raises(Invalid) as caught, calling("scheduler:CreateSchedule", "schedule s"):
        raise error
    assert "scheduler.amazonaws.com" in caught.value.hint


def test_access_denied_names_the_action(clients: Clients, aws: AwsServer) -> None:
    told = (
        "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: iam:PassRole on "
        "resource: arn:aws:iam::1:role/y because no policy allows it"
    )
    aws.fail_on(DESCRIBE, Fault("AccessDeniedException", 400, told))
    with pytest.raises(Refused, match="access denied to iam:PassRole") as caught:
        describe(clients)
    assert "arn:aws:iam::1:role/y" in caught.value.hint
    assert "sagemaker.amazonaws.com" in caught.value.hint
    # A refused HEAD has no body: the action follows from the call.
    aws.fail_on("s3:HeadObject", Fault("AccessDenied", 403))
    with pytest.raises(Refused, match="access denied to s3:GetObject"):
        clients.call("s3:HeadObject", "s3://dev-bucket/k", Bucket="dev-bucket", Key="k")


def test_buckets_that_are_missing_or_elsewhere(clients: Clients, aws: AwsServer) -> None:
    put = {"Bucket": "nowhere", "Key": "k", "Body": b""}
    with pytest.raises(Missing, match="bucket `nowhere` does not exist") as caught:
        clients.call("s3:PutObject", "s3://nowhere/k", **put)
    assert "environments.yaml" in caught.value.hint
    error = known.ClientError(
        {
            "Error": {"Code": "PermanentRedirect", "Message": "use the other endpoint"},
            "ResponseMetadata": {
                "HTTPStatusCode": 301,
                "HTTPHeaders": {"x-amz-bucket-region": "eu-west-1"},
            },
        },
        "PutObject",
    )
    with (
        pytest.raises(Refused, match=r"in eu-west-1, not in us-east-1"),
        calling("s3:PutObject", "s3://b/k", Surroundings(region="us-east-1")),
    ):
        raise error


def test_the_network_goes_away(clients: Clients, aws: AwsServer) -> None:
    aws.fail_on(DESCRIBE, Fault(drop=True))
    with pytest.raises(Refused, match="the network failed") as caught:
        describe(clients)
    assert "it goes on where it stopped" in caught.value.hint


def test_nobody_listens(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(Refused, match=f"the network failed: .*{url}"):
            connect(Place("dev", region="us-east-1")).check_account()


def test_a_network_error_names_the_object_once(clients: Clients, aws: AwsServer) -> None:
    aws.fail_on("s3:HeadObject", Fault(drop=True))
    with pytest.raises(Refused, match="the network failed") as caught:
        clients.call("s3:HeadObject", "s3://dev-bucket/a/key", Bucket="dev-bucket", Key="a/key")
    told = f"{caught.value} {caught.value.resource}"
    assert aws.url in told
    assert told.replace("s3://dev-bucket/a/key", "").count("a/key") == 0


def test_throttling_is_waited_out(
    clients: Clients, aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    aws.fail_on("sagemaker:ListPipelines", Fault("ThrottlingException", 400), times=2)
    assert list(clients.pages("sagemaker:ListPipelines", "pipelines", "PipelineSummaries")) == []
    assert aws.count() == {"sagemaker:ListPipelines": 3}


def test_pages_are_followed(clients: Clients, aws: AwsServer) -> None:
    for number in range(5):
        clients.call(
            "sagemaker:CreatePipeline",
            f"pipeline p{number}",
            PipelineName=f"p{number}",
            PipelineDefinition="{}",
            RoleArn="arn:aws:iam::123456789012:role/pipelines",
        )
    found = clients.pages("sagemaker:ListPipelines", "pipelines", "PipelineSummaries", MaxResults=2)
    assert sorted(each["PipelineName"] for each in found) == ["p0", "p1", "p2", "p3", "p4"]


def test_a_bug_is_not_dressed_up(clients: Clients) -> None:
    with pytest.raises(ZeroDivisionError), clients.calling("sagemaker:X", "y"):
        raise ZeroDivisionError


SECRETS = [
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "IQoJb3JpZ2luX2VjE" + "Aa0/" * 60 + "==",
]


def test_no_secret_is_told_by_errors_or_debug_lines(
    aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, token = SECRETS
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    lines: list[str] = []
    clients = connect(Place("dev", region="us-east-1"), tell=lines.append)
    clients.check_account()
    # What STS and S3 answer to a wrong signature holds the headers that were signed.
    told = f"The Canonical String should have been 'x-amz-security-token:{token}' {key}"
    aws.fail_on(DESCRIBE, Fault("SignatureDoesNotMatch", 403, told))
    with pytest.raises(Refused) as caught:
        clients.call(DESCRIBE, f"pipeline {key}", PipelineName="p")
    told_all = "\n".join([*lines, caught.value.message, caught.value.hint, caught.value.detail])
    assert "sagemaker:DescribePipeline" in told_all
    assert lines[-1].startswith("aws sagemaker:DescribePipeline (pipeline ***) SignatureDoesNot")
    for secret in SECRETS:
        assert secret not in told_all


def test_secrets_of_profiles_are_known_before_they_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aws: AwsServer
) -> None:
    secret = "ThisOneStandsInAFile+0123456789abcdefgh"
    file = tmp_path / "credentials"
    file.write_text(
        f"[dev]\naws_access_key_id = AKIAEXAMPLEEXAMPLE12\naws_secret_access_key = {secret}\n"
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    clients = connect(Place("dev", region="us-east-1", profile="dev"))
    assert clients.surroundings.profile == "dev"
    assert redact(f"a file held {secret}") == "a file held ***"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("https://user:hunter22@proxy.example/x", "https://***@proxy.example/x"),
        ("https://b.s3/k?X-Amz-Signature=abc&x=1", "https://b.s3/k?X-Amz-Signature=***&x=1"),
        ("key AKIAIOSFODNN7EXAMPLE used", "key AKIA*** used"),
        ("Authorization: Bearer abcdef.ghi", "Authorization: ***"),
        ('{"SessionToken": "abc"}', '{"SessionToken": "***"}'),
        ("arn:aws:sagemaker:us-east-1:123456789012:pipeline/p", None),
        ("s3://b/assets/sha256/" + "0a" * 32 + "/files", None),
        ("s3://bucket/" + "a-long/path-of/words/" * 12, None),
    ],
)
def test_redaction(text: str, safe: str | None) -> None:
    assert redact(text) == (text if safe is None else safe)


def test_nothing_is_imported_before_it_is_used() -> None:
    import subprocess
    import sys

    code = (
        "import sys, pipelines.cloud.client, pipelines.cloud.refusals;"
        "print([m for m in ('boto3', 'botocore', 'sagemaker') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]", done.stderr
