"""What services answer, word by word as they send it: every code has its cause and its way out."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from weather_server import Weather, answer

from pipelines.cloud.client import Place, connect
from pipelines.errors import AwsError, SagedagError, StateMoved

KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d"
USER = "arn:aws:sts::123456789012:assumed-role/ci/job"
OBJECT = "arn:aws:s3:::dev-bucket/team/assets/a"


def s3(status: str, code: str, message: str, more: str = "", *headers: str) -> bytes:
    """An error of S3, in the form of its "Error responses"."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message>{more}"
        "<RequestId>4442587FB7D0A2F9</RequestId><HostId>s9lzHYrFp76ZVxRcpX9</HostId></Error>"
    )
    return answer(
        status, text, "Content-Type: application/xml", "x-amz-request-id: 4442587F", *headers
    )


def query(status: str, code: str, message: str) -> bytes:
    """An error of a service with the query protocol, such as STS."""
    text = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n'
        f"    <Type>Sender</Type>\n    <Code>{code}</Code>\n    <Message>{message}</Message>\n"
        "  </Error>\n  <RequestId>7a62c49f</RequestId>\n</ErrorResponse>\n"
    )
    return answer(status, text, "Content-Type: text/xml", "x-amzn-RequestId: 7a62c49f")


def json_error(status: str, code: str, message: str, name: str = "message") -> bytes:
    """An error of a service with a JSON protocol."""
    text = json.dumps({"__type": code, name: message})
    return answer(
        status, text, "Content-Type: application/x-amz-json-1.1", "x-amzn-RequestId: 7a62c49f"
    )


def rest_json(status: str, code: str, message: str) -> bytes:
    """An error of a service with REST and JSON: its code stands in a header."""
    return answer(
        status,
        json.dumps({"Message": message}),
        "Content-Type: application/json",
        f"x-amzn-ErrorType: {code}:http://internal.amazon.com/coral/com.amazonaws/",
        "x-amzn-RequestId: 7a62c49f",
    )


PUT = "s3:PutObject"
WHO = "sts:GetCallerIdentity"
CREATE = "sagemaker:CreatePipeline"
DESCRIBE = "sagemaker:DescribePipeline"
SCHEDULE = "scheduler:CreateSchedule"

REQUESTS: dict[str, tuple[str, dict[str, object]]] = {
    PUT: (
        "s3://dev-bucket/team/assets/a",
        {"Bucket": "dev-bucket", "Key": "team/assets/a", "Body": b"x"},
    ),
    WHO: ("credentials", {}),
    CREATE: ("pipeline p", {"PipelineName": "p", "RoleArn": "arn:aws:iam::1:role/abcdefghi"}),
    DESCRIBE: ("pipeline p", {"PipelineName": "p"}),
    SCHEDULE: (
        "schedule s",
        {
            "Name": "s",
            "ScheduleExpression": "rate(1 day)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": "arn:aws:x", "RoleArn": "arn:aws:iam::1:role/abcdefghi"},
        },
    ),
}


@dataclass(frozen=True)
class Case:
    """A call, what answers it, what is said and what is advised; the exit code."""

    call: str
    sent: bytes
    says: tuple[str, ...]
    advises: tuple[str, ...]
    code: int = 4


CASES = {
    "kms-generate": Case(
        PUT,
        s3(
            "403 Forbidden",
            "AccessDenied",
            f"User: {USER} is not authorized to perform: kms:GenerateDataKey on resource: {KEY} "
            "because no identity-based policy allows the kms:GenerateDataKey action",
        ),
        ("access denied to kms:GenerateDataKey",),
        (f"kms:GenerateDataKey and kms:Decrypt on {KEY}", "in its own policy and in the key's"),
    ),
    "bucket-policy": Case(
        PUT,
        s3(
            "403 Forbidden",
            "AccessDenied",
            f"User: {USER} is not authorized to perform: s3:PutObject on resource: "
            f'"{OBJECT}" with an explicit deny in a resource-based policy',
        ),
        ("access denied to s3:PutObject",),
        (
            f"s3:PutObject on {OBJECT} ",
            "get-bucket-policy --bucket dev-bucket",
            "s3:x-amz-server-side-encryption",
            "a policy denies it explicitly",
        ),
    ),
    "denied-without-words": Case(
        PUT,
        s3("403 Forbidden", "AccessDenied", "Access Denied"),
        ("access denied to s3:PutObject: Access Denied",),
        ("allow the action s3:PutObject", "or the bucket's policy", "default encryption"),
    ),
    "object-lock": Case(
        PUT,
        s3(
            "400 Bad Request",
            "InvalidRequest",
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with "
            "Object Lock parameters",
        ),
        ("does not accept it",),
        ("Object Lock", "took it out"),
    ),
    "kms-disabled": Case(
        PUT,
        s3("400 Bad Request", "KMS.DisabledException", f"{KEY} is disabled."),
        ("KMS key can't be used", "is disabled"),
        ("enable the key",),
    ),
    "slow-down": Case(
        PUT,
        s3("503 Slow Down", "SlowDown", "Please reduce your request rate."),
        ("throttled (SlowDown)",),
        ("wait a minute", "AWS_MAX_ATTEMPTS"),
    ),
    "request-timeout": Case(
        PUT,
        s3(
            "400 Bad Request",
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the "
            "timeout period. Idle connections will be closed.",
        ),
        ("came too slowly",),
        ("check the network", "it goes on where it stopped"),
    ),
    "too-large": Case(
        PUT,
        s3(
            "400 Bad Request",
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
            "<ProposedSize>5368709121</ProposedSize><MaxSizeAllowed>5368709120</MaxSizeAllowed>",
        ),
        ("larger than the limit of 5,368,709,120 bytes",),
        ("take large files out",),
    ),
    "redirect": Case(
        PUT,
        s3(
            "301 Moved Permanently",
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified "
            "endpoint. Please send all future requests to this endpoint.",
            "<Endpoint>dev-bucket.s3.eu-west-1.amazonaws.com</Endpoint><Bucket>dev-bucket</Bucket>",
            "x-amz-bucket-region: eu-west-1",
        ),
        ("the bucket is in eu-west-1, not in us-east-1",),
        ("`bucket` or `region`",),
    ),
    "malformed-authorization": Case(
        PUT,
        s3(
            "400 Bad Request",
            "AuthorizationHeaderMalformed",
            "The authorization header is malformed; the region 'us-east-1' is wrong; expecting "
            "'eu-west-1'",
            "<Region>eu-west-1</Region>",
        ),
        ("the bucket is in eu-west-1, not in us-east-1",),
        ("SageMaker wants both in the same region",),
    ),
    "skewed": Case(
        PUT,
        s3(
            "403 Forbidden",
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        ("this machine's clock",),
        ("set the clock",),
    ),
    "expired-s3": Case(
        PUT,
        s3("400 Bad Request", "ExpiredToken", "The provided token has expired."),
        ("the credentials have expired",),
        ("aws sso login", "it goes on where it stopped"),
    ),
    "unknown-key-s3": Case(
        PUT,
        s3(
            "403 Forbidden",
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            "<AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId>",
        ),
        ("does not know these credentials",),
        ("aws sts get-caller-identity",),
    ),
    "no-bucket": Case(
        PUT,
        s3(
            "404 Not Found",
            "NoSuchBucket",
            "The specified bucket does not exist",
            "<BucketName>dev-bucket</BucketName>",
        ),
        ("the bucket `dev-bucket` does not exist",),
        ("create it",),
    ),
    "busy-bucket": Case(
        PUT,
        s3(
            "409 Conflict",
            "OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource.",
        ),
        ("being changed",),
        ("sagedag plan",),
        6,
    ),
    "s3-error": Case(
        PUT,
        s3("500 Internal Server Error", "InternalError", "We encountered an internal error."),
        ("the service failed (InternalError)",),
        ("on AWS's side",),
    ),
    "sts-unknown": Case(
        WHO,
        query(
            "403 Forbidden",
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        ("does not know these credentials (InvalidClientTokenId)",),
        ("AWS_ACCESS_KEY_ID",),
    ),
    "sts-expired": Case(
        WHO,
        query(
            "403 Forbidden",
            "ExpiredToken",
            "The security token included in the request is expired",
        ),
        ("the credentials have expired",),
        ("aws sso login",),
    ),
    "sts-clock": Case(
        WHO,
        query(
            "403 Forbidden",
            "SignatureDoesNotMatch",
            "Signature expired: 20261124T120000Z is now earlier than 20261124T124500Z",
        ),
        ("this machine's clock",),
        ("timedatectl",),
    ),
    "region-disabled": Case(
        WHO,
        query(
            "403 Forbidden",
            "RegionDisabledException",
            "STS is not activated in this region for account:123456789012.",
        ),
        ("can't use the service here",),
        ("enable us-east-1",),
    ),
    "unrecognized": Case(
        DESCRIBE,
        json_error(
            "400 Bad Request",
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        ("does not know these credentials",),
        ("aws sts get-caller-identity",),
    ),
    "throttling": Case(
        DESCRIBE,
        json_error("400 Bad Request", "ThrottlingException", "Rate exceeded"),
        ("throttled (ThrottlingException): Rate exceeded",),
        ("wait a minute",),
    ),
    "limit": Case(
        CREATE,
        json_error(
            "400 Bad Request",
            "com.amazonaws.sagemaker#ResourceLimitExceeded",
            "The account-level service limit 'Maximum number of pipelines' is 1000 Pipelines",
            "Message",
        ),
        ("a limit of the account is reached: The account-level service limit",),
        ("Service Quotas",),
    ),
    "conflict": Case(
        CREATE,
        json_error("400 Bad Request", "ConflictException", "There was a conflict.", "Message"),
        ("being changed or was changed (ConflictException)",),
        ("sagedag plan",),
        6,
    ),
    "in-use": Case(
        CREATE,
        json_error("400 Bad Request", "ResourceInUse", "Pipeline is being updated.", "Message"),
        ("being changed or was changed (ResourceInUse)",),
        ("sagedag plan",),
        6,
    ),
    "validation": Case(
        CREATE,
        json_error(
            "400 Bad Request",
            "ValidationException",
            "Unable to parse pipeline definition. Property 'Foo' is not allowed.",
        ),
        ("does not accept it: Unable to parse pipeline definition.",),
        ("sagedag validate",),
    ),
    "pass-role": Case(
        CREATE,
        json_error(
            "400 Bad Request",
            "AccessDeniedException",
            f"User: {USER} is not authorized to perform: iam:PassRole on resource: "
            "arn:aws:iam::1:role/abcdefghi because no identity-based policy allows it",
            "Message",
        ),
        ("access denied to iam:PassRole",),
        ("allow iam:PassRole on arn:aws:iam::1:role/abcdefghi",),
    ),
    "opt-in": Case(
        DESCRIBE,
        json_error(
            "403 Forbidden",
            "OptInRequired",
            "The AWS Access Key Id needs a subscription for the service",
        ),
        ("can't use the service here",),
        ("AWS Regions",),
    ),
    "scheduler-quota": Case(
        SCHEDULE,
        rest_json(
            "402 Payment Required", "ServiceQuotaExceededException", "You have reached the limit"
        ),
        ("a limit of the account is reached",),
        ("Service Quotas",),
    ),
    "scheduler-busy": Case(
        SCHEDULE,
        rest_json("429 Too Many Requests", "ThrottlingException", "Rate exceeded"),
        ("throttled",),
        ("wait a minute",),
    ),
    "scheduler-role": Case(
        SCHEDULE,
        rest_json(
            "400 Bad Request",
            "ValidationException",
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the "
            "role.",
        ),
        ("does not accept it",),
        ("scheduler.amazonaws.com",),
    ),
    "blocked-by-a-proxy": Case(
        DESCRIBE,
        answer(
            "403 Forbidden",
            "<!DOCTYPE html><html><head><title>Blocked by policy</title></head></html>",
            "Content-Type: text/html",
        ),
        ("not AWS answered", "`Blocked by policy`", "HTTP status 403"),
        ("HTTPS_PROXY",),
    ),
    "gateway": Case(
        DESCRIBE,
        answer("502 Bad Gateway", "<html><title>Bad gateway</title></html>"),
        ("the service failed (502): Bad Gateway",),
        ("run it again",),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_services_answer(
    case: Case, aws_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resource, request = REQUESTS[case.call]
    with Weather(lambda asked: case.sent) as weather:
        monkeypatch.setenv("AWS_ENDPOINT_URL", weather.url)
        clients = connect(Place("dev", "123456789012", "us-east-1", bucket="dev-bucket"))
        with pytest.raises(SagedagError) as caught:
            clients.call(case.call, resource, **request)
    error = caught.value
    assert isinstance(error, StateMoved if case.code == 6 else AwsError)
    assert error.exit_code == case.code
    assert error.message.startswith(f"{case.call} ({resource}): ")
    for words in case.says:
        assert words in error.message
    for words in case.advises:
        assert words in error.hint
    assert "<" not in error.message
