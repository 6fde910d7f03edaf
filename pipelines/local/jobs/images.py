"""What is known of a container image by its name, without the image."""

from __future__ import annotations

import re
from dataclasses import dataclass

_IMAGE = re.compile(r"(?:(?P<registry>[^/]+)/)?(?P<name>[^:@]+)(?::(?P<tag>[^@]+))?(?:@.*)?")


@dataclass(frozen=True)
class Image:
    """An image's URI, taken apart.

    Attributes:
        uri: as in the request.
        name: the repository.
        tag: the tag; empty when there is none.
    """

    uri: str
    name: str
    tag: str


def parse_image(uri: str) -> Image:
    """Take an image's URI apart; what is no URI becomes its own name."""
    match = _IMAGE.fullmatch(uri)
    if match is None:
        return Image(uri, uri, "")
    return Image(uri, match["name"], match["tag"] or "")
