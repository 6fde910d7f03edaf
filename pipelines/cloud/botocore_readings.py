"""How errors are read that botocore raises by itself: credentials, settings, the network."""

from __future__ import annotations

from pipelines.cloud.redaction import redact
from pipelines.cloud.refusals import Invalid, Unsupported
from pipelines.cloud.refused_call import RefusedCall
from pipelines.errors import SagedagError

SETTINGS = "correct the AWS_… variable, or the line in ~/.aws/config, that it comes from"
NETWORK = (
    "check the network, a proxy (HTTPS_PROXY) and the region; then run it again: it goes on where "
    "it stopped"
)


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
    if isinstance(error, (known.HTTPClientError, known.ConnectionError)):
        endpoint = call.around.endpoint
        where = f" ({endpoint})" if endpoint and endpoint not in told else ""
        return call.refused(code, f"the network failed{where}: {told}", NETWORK, detail=told)
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
