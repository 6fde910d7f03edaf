"""Which refusals pass by themselves: what waits for AWS goes on in spite of them."""

from __future__ import annotations

from pipelines.cloud.error_codes import THROTTLED
from pipelines.cloud.refusals import Refused

LOST = frozenset(
    {
        "ConnectTimeoutError",
        "CutAnswer",
        "ConnectionClosedError",
        "ConnectionError",
        "ConnectionResetError",
        "EndpointConnectionError",
        "HTTPClientError",
        "IncompleteReadError",
        "ProxyConnectionError",
        "ReadTimeoutError",
        "ResponseStreamingError",
    }
)
"""botocore's names where no answer came: the call may have taken effect."""
BROKEN = frozenset(
    {
        "500",
        "502",
        "503",
        "504",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceError",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
"""The service's codes where it failed by itself."""


def is_unclear(refused: Refused) -> bool:
    """Whether the call may have taken effect nevertheless."""
    return refused.code in LOST or refused.code in BROKEN


def is_passing(refused: Refused) -> bool:
    """Whether the same call may succeed in a moment."""
    return is_unclear(refused) or refused.code in THROTTLED
