"""What an error of AWS or botocore means: the call, the resource, the likely cause, the way out.

Every call goes through :func:`calling` (:class:`pipelines.cloud.client.Clients` does so by itself),
so that nothing of botocore escapes from this room.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipelines.errors import AwsError, SagedagError, StateMoved


class Refused(AwsError):
    """A call that AWS refused, or that never reached it.

    Args:
        operation: the API's name of the call, such as ``sagemaker:UpdatePipeline``.
        resource: what it was about, in words for people.
        code: the service's error code, or botocore's exception name.
        detail: the service's own message, without credentials.
    """

    def __init__(
        self, message: str, hint: str, *, operation: str, resource: str, code: str, detail: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.operation = operation
        self.resource = resource
        self.code = code
        self.detail = detail


class Missing(Refused):
    """The resource does not exist."""


class Unsupported(Refused):
    """This account's or region's API does not have the call (or this botocore does not)."""


class Invalid(Refused):
    """The service did not accept what it was sent (``ValidationException``)."""


class Conflict(StateMoved):
    """The resource is being changed by somebody else, or is not as it was read."""

    def __init__(self, message: str, hint: str, *, operation: str, resource: str) -> None:
        super().__init__(message, hint)
        self.operation = operation
        self.resource = resource


@dataclass(frozen=True)
class Surroundings:
    """What hints may name: the profile, region and endpoint that calls are made with."""

    profile: str = ""
    region: str = ""
    endpoint: str = ""


@contextmanager
def calling(
    operation: str, resource: str = "", surroundings: Surroundings | None = None
) -> Iterator[None]:
    """Turn whatever botocore raises inside the block into this tool's errors.

    Args:
        operation: ``service:Operation``, such as ``s3:PutObject``; it stands in the message.
        resource: what the call is about, such as ``pipeline pulsar`` or an S3 URI.
        surroundings: what hints may name.

    Raises:
        Missing: the resource does not exist.
        Conflict: it is being changed, or was changed in between (exit 6).
        Invalid: the service does not accept the request.
        Unsupported: there is no such call here.
        Refused: everything else: access, credentials, throttling, network, limits (all exit 4).
    """
    try:
        yield
    except SagedagError:
        raise
    except Exception as error:
        from pipelines.cloud.readings import translate

        translated = translate(error, operation, resource, surroundings or Surroundings())
        if translated is None:
            raise
        # The cause would show request and headers in a traceback: it ends here.
        raise translated from None
