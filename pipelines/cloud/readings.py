"""How errors of the services and of botocore are read: which code means what, and the way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.cloud import error_codes as codes
from pipelines.cloud.redaction import redact
from pipelines.cloud.refusals import Conflict, Invalid, Missing, Refused, Surroundings, Unsupported
from pipelines.errors import SagedagError


def translate(
    error: Exception, operation: str, resource: str, around: Surroundings
) -> SagedagError | None:
    """Return what an exception means; None where it is not botocore's (a bug, then)."""
    import botocore.exceptions as known

    call = _Call(operation, resource, around)
    if isinstance(error, known.ClientError):
        return _of_service(error.response, call)
    if isinstance(error, (known.BotoCoreError, known.HTTPClientError)):
        return _of_botocore(error, call)
    if isinstance(error, ValueError) and "endpoint" in str(error).lower():
        return call.refused("InvalidEndpoint", redact(str(error)), "correct AWS_ENDPOINT_URL")
    if isinstance(error, OSError):
        return call.refused(
            type(error).__name__, f"the connection failed: {redact(str(error))}", _NETWORK
        )
    return None


_NETWORK = (
    "check the network, a proxy (HTTPS_PROXY) and the region; then run it again: it goes on where "
    "it stopped"
)


@dataclass(frozen=True)
class _Call:
    operation: str
    resource: str
    around: Surroundings

    @property
    def action(self) -> str:
        """The IAM action that the call needs: S3's differ from its operations' names."""
        return _ACTIONS.get(self.operation, self.operation)

    @property
    def login(self) -> str:
        profile = self.around.profile
        return f"aws sso login --profile {profile}" if profile else "aws sso login"

    def title(self, what: str) -> str:
        of = f" ({self.resource})" if self.resource else ""
        return redact(f"{self.operation}{of}: {what}")

    def refused(
        self, code: str, what: str, hint: str, kind: type[Refused] = Refused, detail: str = ""
    ) -> Refused:
        return kind(
            self.title(what),
            hint,
            operation=self.operation,
            resource=self.resource,
            code=code,
            detail=detail or what,
        )

    def conflict(self, what: str, hint: str) -> Conflict:
        return Conflict(self.title(what), hint, operation=self.operation, resource=self.resource)


_ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
}


def _of_service(response: Mapping[str, Any], call: _Call) -> SagedagError:
    """Translate an error that a service answered with."""
    fault = response.get("Error", {})
    code = str(fault.get("Code", "") or "Unknown")
    told = redact(str(fault.get("Message", "") or "")).strip()
    # The same thing comes with a namespace too: `com.amazonaws…#ThrottlingException`.
    code = code.rpartition("#")[2]
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
    for known, make in _READINGS:
        if code in known:
            return make(call, code, told, response)
    if _is_conflict(call, told):
        return call.conflict(told, _AGAIN)
    if status >= 500:
        return call.refused(
            code,
            f"the service failed ({code}): {told or 'it said no more'}",
            "that is on AWS's side; run it again in a moment: it goes on where it stopped",
            detail=told,
        )
    return call.refused(
        code,
        f"{code}: {told}" if told else code,
        "the service's message above says what it refused",
        detail=told,
    )


_AGAIN = "run `sagedag plan` to see how it stands now, then deploy again"


def _is_conflict(call: _Call, told: str) -> bool:
    """Whether a message without a code of its own says that somebody else made it first."""
    made = call.operation.partition(":")[2].startswith("Create")
    return made and ("already exists" in told or "must be unique within an AWS account" in told)


def _is_about_nothing(call: _Call, told: str) -> bool:
    """Whether a message without a code of its own says that there is no such thing.

    Where something is sent the message may be about a part of that.
    """
    sends = call.operation.partition(":")[2].startswith(("Create", "Update", "Put"))
    return not sends and ("does not exist" in told or "could not find" in told.lower())


def _throttled(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    tries = int(response.get("ResponseMetadata", {}).get("RetryAttempts", 0) or 0) + 1
    times = f" {tries} times" if tries > 1 else ""
    return call.refused(
        code,
        f"throttled{times} ({code}): {told or 'too many requests'}",
        "others call this API in the account too: wait a minute and run it again, it goes on where "
        "it stopped; AWS_MAX_ATTEMPTS raises how often a call is tried",
        detail=told,
    )


def _expired(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del told, response
    return call.refused(
        code,
        f"the credentials have expired ({code})",
        f"get new ones (`{call.login}`, or your role's), then run it again: it goes on where it "
        "stopped",
    )


def _bad_credentials(
    call: _Call, code: str, told: str, response: Mapping[str, Any]
) -> SagedagError:
    del response
    return call.refused(
        code,
        f"AWS does not know these credentials ({code}): {told}",
        "see which ones are used with `aws sts get-caller-identity`; variables (AWS_ACCESS_KEY_ID) "
        "go before profiles",
        detail=told,
    )


_NOT_AUTHORIZED = re.compile(r"not authorized to perform:?\s*([a-z0-9-]+:[A-Za-z0-9]+)")
_ON_RESOURCE = re.compile(r"on resource:?\s*(\S+)")


def _denied(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    named = _NOT_AUTHORIZED.search(told)
    action = named.group(1) if named else call.action
    target = _ON_RESOURCE.search(told)
    where = f" on {target.group(1).rstrip('.')}" if target else ""
    if action == "iam:PassRole":
        hint = (
            f"allow iam:PassRole{where} to who deploys (condition iam:PassedToService: "
            "sagemaker.amazonaws.com), or name another `role` in environments.yaml"
        )
    else:
        hint = f"allow the action {action}{where} to the identity that runs this"
        if "explicit deny" in told:
            hint += "; a policy denies it explicitly, which no permission overrides"
        if action.startswith("s3:"):
            hint += ", and see that the bucket's policy and its KMS key do"
        if call.operation == "s3:HeadObject":
            hint += "; without s3:ListBucket S3 answers so for what does not exist, too"
    return call.refused(
        code, f"access denied to {action}" + (f": {told}" if told else ""), hint, detail=told
    )


def _conflict(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    return call.conflict(
        f"it is being changed or was changed ({code}): {told}".rstrip(": "), _AGAIN
    )


def _missing(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    hint = "check its name, the account and the region"
    if call.around.region:
        hint += f" ({call.around.region})"
    return call.refused(code, told or "there is no such thing", hint, Missing, told)


def _no_bucket(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del told
    name = str(response.get("Error", {}).get("BucketName", "") or "")
    bucket = f"the bucket `{name}`" if name else "the bucket"
    return call.refused(
        code,
        f"{bucket} does not exist",
        "create it, or correct `bucket` of the environment in environments.yaml",
        Missing,
    )


def _limit(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    return call.refused(
        code,
        f"a limit of the account is reached: {told or code}",
        "delete what is no longer needed, or ask for more in Service Quotas",
        detail=told,
    )


def _other_region(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}) or {}
    fault = response.get("Error", {})
    region = headers.get("x-amz-bucket-region") or fault.get("Region") or ""
    place = f"in {region}" if region else "in another region"
    ours = f", not in {call.around.region}" if call.around.region else ""
    return call.refused(
        code,
        f"the bucket is {place}{ours}",
        "correct `bucket` or `region` of the environment in environments.yaml: SageMaker wants "
        "both in the same region",
        detail=told,
    )


def _invalid(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    if _is_conflict(call, told):
        return call.conflict(told, _AGAIN)
    if _is_about_nothing(call, told):
        return _missing(call, code, told, {})
    return call.refused(
        code,
        f"the service does not accept it: {told or code}",
        "correct what the message names, then `sagedag validate` and run it again",
        Invalid,
        told,
    )


def _unknown_call(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    where = f" in {call.around.region}" if call.around.region else ""
    return call.refused(
        code,
        f"the API of this account{where} does not have this call yet ({code})",
        "nothing was changed by it",
        Unsupported,
        told,
    )


def _bad_digest(call: _Call, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    return call.refused(
        code,
        f"the data were damaged on their way ({code})",
        "run it again: what is not complete is sent anew",
        detail=told,
    )


_Reading = Callable[[_Call, str, str, Mapping[str, Any]], SagedagError]
_READINGS: tuple[tuple[frozenset[str], _Reading], ...] = (
    (codes.THROTTLED, _throttled),
    (codes.EXPIRED, _expired),
    (codes.BAD_CREDENTIALS, _bad_credentials),
    (codes.DENIED, _denied),
    (codes.CONFLICTS, _conflict),
    (frozenset({"NoSuchBucket"}), _no_bucket),
    (codes.MISSING, _missing),
    (codes.LIMITS, _limit),
    (codes.OTHER_REGION, _other_region),
    (codes.INVALID, _invalid),
    (codes.UNKNOWN_CALL, _unknown_call),
    (codes.BAD_DIGESTS, _bad_digest),
)


def _of_botocore(error: Exception, call: _Call) -> SagedagError:
    """Translate an error that botocore raised by itself, before or after the call."""
    import botocore.exceptions as known

    code, told = type(error).__name__, redact(str(error))
    if isinstance(error, (known.NoCredentialsError, known.PartialCredentialsError)):
        return call.refused(
            code,
            "there are no AWS credentials",
            f"log in (`{call.login}`), set AWS_PROFILE, or name one with --profile",
        )
    if isinstance(error, known.ProfileNotFound):
        name = error.kwargs.get("profile", "")
        return call.refused(
            code,
            f"there is no AWS profile `{name}` on this machine",
            "`aws configure list-profiles` shows those there are; --profile names another, and "
            "AWS_PROFILE or credentials in variables go before the environment's `profile`",
        )
    if isinstance(error, known.NoRegionError):
        return call.refused(
            code, "there is no region", "set AWS_REGION, or `region` in environments.yaml"
        )
    if code in _LOGINS:
        return call.refused(code, f"the login has ended: {told}", f"log in anew: `{call.login}`")
    if isinstance(error, (known.CredentialRetrievalError, known.MetadataRetrievalError)):
        return call.refused(
            code,
            f"the credentials could not be fetched: {told}",
            "see what `aws sts get-caller-identity` says with the same profile",
        )
    if isinstance(error, known.ParamValidationError):
        return call.refused(
            code,
            f"the request is not what the API takes: {told}",
            "correct what it names; `sagedag validate` tells its line",
            Invalid,
            told,
        )
    if isinstance(error, known.UnknownServiceError):
        return call.refused(
            code, f"the installed boto3 is too old: {told}", "pip install -U boto3", Unsupported
        )
    if isinstance(error, (known.HTTPClientError, known.ConnectionError)):
        endpoint = call.around.endpoint
        where = f" ({endpoint})" if endpoint and endpoint not in told else ""
        return call.refused(code, f"the network failed{where}: {told}", _NETWORK, detail=told)
    return call.refused(code, told, "see what the same call of the `aws` command says", detail=told)


_LOGINS = frozenset(
    {
        "LoginRefreshRequired",
        "LoginTokenLoadError",
        "SSOError",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
