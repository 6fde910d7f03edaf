"""How errors are read that botocore raises by itself: credentials, settings, the network."""

from __future__ import annotations

import re
from typing import Any

from pipelines.cloud.answers import ForeignAnswer
from pipelines.cloud.redaction import redact
from pipelines.cloud.refusals import Invalid, Unsupported
from pipelines.cloud.refused_call import RefusedCall
from pipelines.errors import SagedagError

SETTINGS = "correct the AWS_… variable, or the line in ~/.aws/config, that it comes from"
NETWORK = (
    "check the network, a proxy (HTTPS_PROXY) and the region; then run it again: it goes on where "
    "it stopped"
)


PROXY = (
    "correct HTTPS_PROXY and HTTP_PROXY, or unset them; NO_PROXY names hosts that are reached "
    "without a proxy"
)


def of_answer(error: Exception, call: RefusedCall) -> SagedagError:
    """Translate that something answered, and not as AWS does."""
    if isinstance(error, ForeignAnswer):
        page = f" with the page `{redact(error.title)}`" if error.title else ""
        return call.refused(
            "ForeignAnswer",
            f"not AWS answered but something on the way to it{page} (HTTP status {error.status})",
            "a proxy or a network's login page does so: log in there, or see what "
            f"HTTPS_PROXY and AWS_ENDPOINT_URL are{_set_to(call)}",
        )
    return call.refused("CutAnswer", "the answer was not whole", NETWORK)


def _set_to(call: RefusedCall) -> str:
    return f" (now: {call.around.endpoint})" if call.around.endpoint else ""


def _way_out(error: Any, told: str, call: RefusedCall) -> str:
    """Return what to do about a network that failed in this way."""
    import botocore.exceptions as known

    if isinstance(error, known.SSLError):
        return (
            "the certificate is not trusted: where a company's proxy or a private endpoint has its "
            "own, name the file of its authority in AWS_CA_BUNDLE; a clock that is wrong lets "
            "certificates fail, too"
        )
    if isinstance(error, known.ProxyConnectionError):
        return PROXY
    if isinstance(error, known.HTTPClientError) and any(word in told for word in _PROXY_WORDS):
        return PROXY
    if "CA certificate bundle" in told:
        return "correct AWS_CA_BUNDLE, or `ca_bundle` in ~/.aws/config: there is no such file"
    if any(word in str(error.kwargs.get("error", told)) for word in _UNRESOLVED):
        region = f" `{call.around.region}`" if call.around.region else ""
        return f"the name can't be resolved: check the region{region} and the network (VPN, DNS)"
    return NETWORK


_PROXY_WORDS = ("proxy", "Proxy")
_UNRESOLVED = ("NameResolutionError", "Name or service not known", "getaddrinfo failed")


def of_botocore(error: Exception, call: RefusedCall) -> SagedagError:
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
    if isinstance(error, (known.InvalidConfigError, known.ConfigParseError)) or (
        call.operation.endswith(":connect") and code.startswith("Invalid")
    ):
        return call.refused(
            code, f"the AWS settings of this machine are not sound: {told}", SETTINGS
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
    if isinstance(error, known.InvalidProxiesConfigError):
        return call.refused(code, f"the proxy's settings are not sound: {told}", PROXY)
    if isinstance(error, (known.HTTPClientError, known.ConnectionError, known.IncompleteReadError)):
        endpoint = call.around.endpoint
        where = f" ({endpoint})" if endpoint and endpoint not in told else ""
        # Why a proxy let nothing through is not in botocore's own words.
        why = getattr(error.kwargs.get("error"), "original_error", None)
        told += redact(f" ({why})") if why is not None and str(why) not in told else ""
        hint = _way_out(error, told, call)
        short = _without_paths(told)
        return call.refused(code, f"the network failed{where}: {short}", hint, detail=told)
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


def _without_paths(text: str) -> str:
    """Return a text whose addresses end after the host: the call names the object already."""
    return re.sub(r"(https?://[^/\s\"']+)/[^\s\"']*", r"\1", text)
