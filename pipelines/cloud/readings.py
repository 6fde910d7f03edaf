"""How errors of the services are read: which code means what, and the way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.cloud import error_codes as codes
from pipelines.cloud.answers import CutAnswer, ForeignAnswer
from pipelines.cloud.botocore_readings import NETWORK, SETTINGS, of_answer, of_botocore
from pipelines.cloud.denials import read_denial
from pipelines.cloud.redaction import redact
from pipelines.cloud.refusals import Invalid, Missing, Surroundings, Unsupported
from pipelines.cloud.refused_call import RefusedCall
from pipelines.errors import SagedagError


def translate(
    error: Exception, operation: str, resource: str, around: Surroundings
) -> SagedagError | None:
    """Return what an exception means; None where it is not botocore's (a bug, then)."""
    import botocore.exceptions as known
    from botocore.parsers import ResponseParserError

    call = RefusedCall(operation, resource, around)
    if isinstance(error, known.ClientError):
        return _of_service(error.response, call)
    if isinstance(error, (ForeignAnswer, CutAnswer, ResponseParserError)):
        return of_answer(error, call)
    if isinstance(error, (known.BotoCoreError, known.HTTPClientError)):
        return of_botocore(error, call)
    if isinstance(error, ValueError) and "endpoint" in str(error).lower():
        return call.refused("InvalidEndpoint", redact(str(error)), "correct AWS_ENDPOINT_URL")
    if isinstance(error, (FileNotFoundError, PermissionError)):
        told = f"a file of the AWS settings can't be read: {redact(str(error))}"
        return call.refused(type(error).__name__, told, SETTINGS)
    if isinstance(error, ValueError) and operation.endswith(":connect"):
        # Botocore reads numbers in variables and in ~/.aws/config when a client is made.
        told = f"the AWS settings of this machine are not sound: {redact(str(error))}"
        return call.refused("InvalidConfigError", told, SETTINGS)
    if isinstance(error, OSError):
        return call.refused(
            type(error).__name__, f"the connection failed: {redact(str(error))}", NETWORK
        )
    return None


def _of_service(response: Mapping[str, Any], call: RefusedCall) -> SagedagError:
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
    if code.startswith("KMS."):
        return call.refused(
            code,
            f"the bucket's KMS key can't be used ({code}): {told}",
            "enable the key, or name another in the bucket's default encryption",
            detail=told,
        )
    if code == "400" and call.operation in ("s3:HeadObject", "s3:HeadBucket"):
        return call.refused(
            code,
            "S3 refuses this and says no more, as always to a HEAD request",
            f"most often the credentials have expired (`{call.login}`), or the bucket "
            f"`{call.bucket}` is in another region: `aws s3api head-bucket --bucket "
            f"{call.bucket}` tells its region",
        )
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


def _is_conflict(call: RefusedCall, told: str) -> bool:
    """Whether a message without a code of its own says that somebody else made it first."""
    made = call.operation.partition(":")[2].startswith("Create")
    return made and ("already exists" in told or "must be unique within an AWS account" in told)


def _is_about_nothing(call: RefusedCall, told: str) -> bool:
    """Whether a message without a code of its own says that there is no such thing.

    Where something is sent the message may be about a part of that.
    """
    sends = call.operation.partition(":")[2].startswith(("Create", "Update", "Put"))
    return not sends and ("does not exist" in told or "could not find" in told.lower())


def _throttled(
    call: RefusedCall, code: str, told: str, response: Mapping[str, Any]
) -> SagedagError:
    tries = int(response.get("ResponseMetadata", {}).get("RetryAttempts", 0) or 0) + 1
    times = f" {tries} times" if tries > 1 else ""
    return call.refused(
        code,
        f"throttled{times} ({code}): {told or 'too many requests'}",
        "others call this API in the account too: wait a minute and run it again, it goes on where "
        "it stopped; AWS_MAX_ATTEMPTS raises how often a call is tried",
        detail=told,
    )


def _expired(call: RefusedCall, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del told, response
    return call.refused(
        code,
        f"the credentials have expired ({code})",
        f"get new ones (`{call.login}`, or your role's), then run it again: it goes on where it "
        "stopped",
    )


_OTHER_TIME = re.compile(r"(?i)signature (?:expired|not yet current)")


def _other_time(
    call: RefusedCall, code: str, told: str, response: Mapping[str, Any]
) -> SagedagError:
    del response
    return call.refused(
        code,
        f"this machine's clock and AWS's differ ({code}): {told}",
        "set the clock (`timedatectl status` shows whether it is kept right), then run it again",
        detail=told,
    )


def _bad_credentials(
    call: RefusedCall, code: str, told: str, response: Mapping[str, Any]
) -> SagedagError:
    if _OTHER_TIME.search(told):
        return _other_time(call, code, told, response)
    return call.refused(
        code,
        f"AWS does not know these credentials ({code}): {told}",
        "see which ones are used with `aws sts get-caller-identity`; variables (AWS_ACCESS_KEY_ID) "
        "go before profiles",
        detail=told,
    )


def _conflict(call: RefusedCall, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    return call.conflict(
        f"it is being changed or was changed ({code}): {told}".rstrip(": "), _AGAIN
    )


def _missing(call: RefusedCall, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    hint = "check its name, the account and the region"
    if call.around.region:
        hint += f" ({call.around.region})"
    return call.refused(code, told or "there is no such thing", hint, Missing, told)


def _no_bucket(
    call: RefusedCall, code: str, told: str, response: Mapping[str, Any]
) -> SagedagError:
    del told
    name = str(response.get("Error", {}).get("BucketName", "") or "") or call.bucket
    bucket = f"the bucket `{name}`" if name else "the bucket"
    return call.refused(
        code,
        f"{bucket} does not exist",
        "create it, or correct `bucket` of the environment in environments.yaml",
        Missing,
    )


def _limit(call: RefusedCall, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    return call.refused(
        code,
        f"a limit of the account is reached: {told or code}",
        "delete what is no longer needed, or ask for more in Service Quotas",
        detail=told,
    )


def _other_region(
    call: RefusedCall, code: str, told: str, response: Mapping[str, Any]
) -> SagedagError:
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


def _invalid(call: RefusedCall, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    if _is_conflict(call, told):
        return call.conflict(told, _AGAIN)
    if _is_about_nothing(call, told):
        return _missing(call, code, told, {})
    hint = "correct what the message names, then `sagedag validate` and run it again"
    if call.operation.startswith("s3:"):
        hint = "correct what the message names in the settings of the bucket or in `prefix`"
        if "Object Lock" in told:
            hint = (
                "the bucket has Object Lock and wants a checksum, which every upload from here "
                "has: something on the way (a proxy, an endpoint that is not AWS's) took it out"
            )
    if call.operation.startswith("scheduler:") and "role" in told:
        hint = (
            "EventBridge Scheduler assumes the pipeline's role: let it trust "
            "scheduler.amazonaws.com and allow it sagemaker:StartPipelineExecution"
        )
    return call.refused(
        code,
        f"the service does not accept it: {told or code}",
        hint,
        Invalid,
        told,
    )


def _unknown_call(
    call: RefusedCall, code: str, told: str, response: Mapping[str, Any]
) -> SagedagError:
    del response
    where = f" in {call.around.region}" if call.around.region else ""
    return call.refused(
        code,
        f"the API of this account{where} does not have this call yet ({code})",
        "nothing was changed by it",
        Unsupported,
        told,
    )


def _bad_digest(
    call: RefusedCall, code: str, told: str, response: Mapping[str, Any]
) -> SagedagError:
    del response
    return call.refused(
        code,
        f"the data were damaged on their way ({code})",
        "run it again: what is not complete is sent anew",
        detail=told,
    )


def _too_large(
    call: RefusedCall, code: str, told: str, response: Mapping[str, Any]
) -> SagedagError:
    fault = response.get("Error", {})
    most = fault.get("MaxSizeAllowed") or ""
    limit = f" of {int(most):,} bytes" if str(most).isdigit() else ""
    return call.refused(
        code,
        f"the object is larger than the limit{limit} ({code}): {told}".rstrip(": "),
        "take large files out of the code's folder, and give data as an input of S3",
        detail=told,
    )


def _too_slow(call: RefusedCall, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    return call.refused(
        code,
        f"the data came too slowly or not whole ({code}): {told}".rstrip(": "),
        NETWORK,
        detail=told,
    )


def _closed(call: RefusedCall, code: str, told: str, response: Mapping[str, Any]) -> SagedagError:
    del response
    region = call.around.region or "the region"
    return call.refused(
        code,
        f"this account can't use the service here ({code}): {told}".rstrip(": "),
        f"enable {region} for the account (Account settings, AWS Regions) or choose another; the "
        "account's e-mail and billing pages say if something else is open",
        detail=told,
    )


_Reading = Callable[[RefusedCall, str, str, Mapping[str, Any]], SagedagError]
_READINGS: tuple[tuple[frozenset[str], _Reading], ...] = (
    (codes.THROTTLED, _throttled),
    (codes.EXPIRED, _expired),
    (codes.CLOCK, _other_time),
    (codes.BAD_CREDENTIALS, _bad_credentials),
    (codes.DENIED, read_denial),
    (codes.CONFLICTS, _conflict),
    (frozenset({"NoSuchBucket"}), _no_bucket),
    (codes.MISSING, _missing),
    (codes.LIMITS, _limit),
    (codes.OTHER_REGION, _other_region),
    (codes.INVALID, _invalid),
    (codes.UNKNOWN_CALL, _unknown_call),
    (codes.BAD_DIGESTS, _bad_digest),
    (codes.TOO_LARGE, _too_large),
    (codes.TOO_SLOW, _too_slow),
    (codes.CLOSED, _closed),
)
