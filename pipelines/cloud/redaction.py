"""Keep credentials out of everything that is printed, saved or logged."""

from __future__ import annotations

import re

HIDDEN = "***"

_KEY_ID = re.compile(r"\b(A[KS]IA|ABIA|ACCA)[A-Z0-9]{12,124}\b")
# What signs a request, in a URL's query or a header's value.
_SIGNING = re.compile(
    r"(?i)\b(x-amz-(?:security-token|signature|credential)|aws_?(?:secret_?access_?key|session_?token)"
    r"|secret_?access_?key|session_?token|signature|authorization|password|web_?identity_?token)"
    r"([\"']?\s*[=:]\s*[\"']?)(?:AWS4-HMAC-SHA256\s+.*|(?:Bearer|Basic)\s+\S+|[^\s\"'&,;]+)"
)
_USER_OF_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
# Session tokens are one long word of base64 and nothing else is.
_LONG_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=])(?=[A-Za-z0-9+/]*[A-Z+])[A-Za-z0-9+/]{100,}={0,2}")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")

_SHORTEST = 8
_known: set[str] = set()
"""Secrets that this process holds: whatever they look like, they are hidden."""


def remember(*secrets: str | None) -> None:
    """Hide these texts from now on, wherever they stand.

    Args:
        secrets: secret keys and tokens; None and what is too short to be one are left out.
    """
    _known.update(text for text in secrets if text and len(text) >= _SHORTEST)


def redact(text: str) -> str:
    """Return a text without credentials.

    Hidden are the secrets that :func:`remember` was told, access key ids, session tokens,
    signatures and the user part of URLs.
    """
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _SIGNING.sub(rf"\1\2{HIDDEN}", text)
    text = _KEY_ID.sub(rf"\1{HIDDEN}", text)
    text = _USER_OF_URL.sub(HIDDEN, text)
    text = _JWT.sub(HIDDEN, text)
    return _LONG_BASE64.sub(HIDDEN, text)
