"""What is known of a container image by its name, without the image."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCRIPT_IMAGES = (
    "sagemaker-scikit-learn",
    "sagemaker-xgboost",
    "sagemaker-spark-processing",
    "sagemaker-base-python",
    "pytorch",
    "tensorflow",
    "huggingface",
    "mxnet",
    "chainer",
    "djl",
    "autogluon",
)
"""Beginnings of the names of AWS's images that run a user's script."""

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

    @property
    def runs_scripts(self) -> bool:
        """Whether it is one of AWS's images that run a user's script."""
        return self.name.rsplit("/", 1)[-1].startswith(SCRIPT_IMAGES)


def parse_image(uri: str) -> Image:
    """Take an image's URI apart; what is no URI becomes its own name."""
    match = _IMAGE.fullmatch(uri)
    if match is None:
        return Image(uri, uri, "")
    return Image(uri, match["name"], match["tag"] or "")
