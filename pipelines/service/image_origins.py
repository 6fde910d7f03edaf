"""The frameworks whose images have an address: the way back from :mod:`pipelines.service.images`.

Only the SDK's tables tell; what stands here is a guess that resolving proves.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.service.image_configs import frameworks, load_config, scoped

_ADDRESS = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/"
    r"(?P<repository>[a-z0-9._/-]+)(?::(?P<tag>[\w.-]+))?"
)
_CHIPS = re.compile(r"(?<=^huggingface)-neuronx?$|(?<=^pytorch)-neuronx?$")
"""Tables of their own that the instance type leads to."""


@dataclass(frozen=True)
class Origin:
    """A release of a framework that may have an image.

    Args:
        framework: a name of :func:`pipelines.service.images.frameworks`.
        scope: what the image is for; empty where the table does not say.
        version: as the tables offer it, short ones (`2.12`) after the full ones.
        is_only: whether there is no other version, so that nobody need say it.
        py_version, base: the Python version and the framework below, where the table has some.
    """

    framework: str
    scope: str
    version: str
    is_only: bool
    py_version: str
    base: str


def region_of(address: Any) -> str:
    """Return the region of an image's address; empty where it is none of a registry of AWS."""
    found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    return found["region"] if found else ""


def origins(address: str) -> list[Origin]:
    """Return the releases whose images lie where an address says, the plainest names first."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return []
    repository, tag = found["repository"], found["tag"] or ""
    made = [
        origin
        for origin, image in _by_repository().get(repository, ())
        if image.get("registries", {}).get(found["region"]) == found["account"]
        and (_names(tag, origin.version) or _names(tag, str(image.get("tag_prefix", "\0"))))
    ]
    return sorted(made, key=lambda each: (len(each.framework), each.framework))


def is_framework(address: Any) -> bool:
    """Whether an address is that of an image of AWS's, in any region."""
    return isinstance(address, str) and bool(origins(address))


def _names(tag: str, version: str) -> bool:
    return not tag or version in tag


@functools.cache
def _by_repository() -> Mapping[str, list[tuple[Origin, Mapping[str, Any]]]]:
    made: dict[str, list[tuple[Origin, Mapping[str, Any]]]] = defaultdict(list)
    for framework in frameworks():
        name = _CHIPS.sub("", framework)
        for scope, part in scoped(load_config(framework)):
            versions, aliases = part["versions"], part.get("version_aliases", {})
            for version in (*versions, *aliases):
                entry = versions[aliases.get(version, version)]
                for base, python, image in _images(entry):
                    origin = Origin(name, scope, version, len(versions) == 1, python, base)
                    made[image["repository"]].append((origin, image))
    return made


def _images(
    entry: Mapping[str, Any], base: str = "", python: str = "", depth: int = 0
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the images of a version, each with its base framework and its Python version."""
    if "repository" in entry:
        for each in entry.get("py_versions") or (python,):
            yield base, each, entry
        return
    aliases = entry.get("version_aliases", {})
    inner = {**entry, **{name: entry.get(meant) for name, meant in aliases.items()}}
    for name, value in inner.items():
        if isinstance(value, Mapping) and name != "version_aliases" and depth < 2:
            is_python = re.fullmatch(r"py[0-9]+", name) is not None
            yield from _images(
                value, base if is_python else name, name if is_python else python, depth + 1
            )
