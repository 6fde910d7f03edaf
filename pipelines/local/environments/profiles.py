"""What an image holds, as far as its name and tag tell: its Python and its main libraries."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.local.jobs.images import parse_image


@dataclass(frozen=True)
class Profile:
    """The libraries of an image.

    Attributes:
        name: for people and for the folder of the environment.
        python: the version, ``3.9``; empty where any does.
        requirements: in pip's words.
    """

    name: str
    python: str
    requirements: tuple[str, ...]


_KNOWN: dict[str, Profile] = {
    "sagemaker-scikit-learn:1.2-1": Profile(
        "scikit-learn-1.2-1",
        "3.9",
        ("scikit-learn==1.2.1", "numpy==1.24.1", "scipy==1.9.3", "pandas==1.5.3"),
    ),
}
"""Images whose libraries are known to the last digit.

Source: github.com/aws/sagemaker-scikit-learn-container, requirements.txt of the version."""

_PYTHONS = {
    ("sagemaker-scikit-learn", "1.0-1"): "3.8",
    ("sagemaker-scikit-learn", "1.4-2"): "3.10",
    ("sagemaker-xgboost", "1.7-1"): "3.9",
}
"""**[U]** The Python of images whose tag says only ``py3``, from their Dockerfiles."""

_LIBRARIES = {
    "sagemaker-scikit-learn": ("scikit-learn", ("pandas", "numpy", "scipy")),
    "sagemaker-xgboost": ("xgboost", ("scikit-learn", "pandas", "numpy", "scipy", "pyarrow")),
    "xgboost": ("xgboost", ("scikit-learn", "pandas", "numpy", "scipy", "pyarrow")),
    "pytorch-training": ("torch", ("numpy", "pandas", "scikit-learn")),
    "pytorch-inference": ("torch", ("numpy", "pandas", "scikit-learn")),
    "tensorflow-training": ("tensorflow", ("numpy", "pandas", "scikit-learn")),
    "tensorflow-inference": ("tensorflow", ("numpy", "pandas")),
}
"""Images by their repository: the library whose version the tag tells, and others they hold."""

_ALWAYS = ("boto3",)
"""AWS's images hold the SDK of AWS."""

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def profile_of(image: str) -> Profile:
    """Return what is known of an image; for one that is not, nothing is installed."""
    parsed = parse_image(image)
    repository = parsed.name.rpartition("/")[2]
    version = parsed.tag.partition("-cpu")[0].partition("-gpu")[0]
    known = _KNOWN.get(f"{repository}:{version}")
    if known is not None:
        return Profile(known.name, known.python, (*known.requirements, *_ALWAYS))
    named = re.search(r"py3(\d{1,2})(?!\d)", parsed.tag)
    python = f"3.{named[1]}" if named else _PYTHONS.get((repository, version), "")
    if repository not in _LIBRARIES:
        return Profile("plain", python, ())
    library, others = _LIBRARIES[repository]
    match = _VERSION.match(version)
    if match is None:
        pinned = library
    elif match[3] is not None:
        pinned = f"{library}=={match[0]}"
    else:
        # The images of a version follow the library's patches.
        pinned = f"{library}=={match[1]}.{match[2]}.*"
    name = "-".join(filter(None, (library, version)))
    return Profile(name, python, (pinned, *others, *_ALWAYS))


def loosened(requirement: str) -> str:
    """Return a requirement that an interpreter which the image does not have may fill, too."""
    name, sign, version = requirement.partition("==")
    return f"{name}>={version.removesuffix('.*')}" if sign else requirement
