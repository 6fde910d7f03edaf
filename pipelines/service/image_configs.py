"""The SageMaker SDK's tables of images, read from its own files without importing it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from pipelines.errors import DefinitionError, SagedagError
from pipelines.service.model import botocore_data
from pipelines.service.nearest import suggest
from pipelines.service.sdk import SDK_INSTALL

Config = Mapping[str, Any]

# Where the SDK's majors 3 and 2 keep them.
_FOLDERS = ("core/image_uri_config", "image_uri_config")
_LISTED = 12
_LONGEST = 60
_COMMON = ("sklearn", "xgboost", "pytorch", "tensorflow", "huggingface", "spark", "kmeans")


class UnknownImage(DefinitionError):
    """AWS has no image for what was asked.

    Attributes:
        field: the argument of :func:`pipelines.service.images.resolve` that is wrong or missing.
    """

    def __init__(self, message: str, hint: str = "", field: str = "framework") -> None:
        super().__init__(message, hint)
        self.field = field


@functools.cache
def config_folder() -> Path:
    """Returns the folder of the SDK's tables; raises SagedagError when the SDK is missing."""
    spec = find_spec("sagemaker")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        for folder in _FOLDERS:
            if Path(place, folder).is_dir():
                return Path(place, folder)
    raise SagedagError(
        "The SageMaker SDK is not installed, and the addresses of AWS's images are read from it.",
        f"Install it: {SDK_INSTALL}",
    )


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(path.stem for path in config_folder().glob("*.json"))


@functools.cache
def load_config(framework: str) -> Config:
    """Returns the table of `framework`; raises UnknownImage."""
    if framework in _names():
        source = config_folder() / f"{framework}.json"
        try:
            config = json.loads(source.read_bytes())
        except (OSError, ValueError) as error:
            raise SagedagError(
                f"{source} cannot be read: {error}.",
                "Reinstall the SDK: pip install -U sagemaker",
            ) from error
        if isinstance(config, dict) and list(scoped(config)):
            return config
    common = ", ".join(f"`{name}`" for name in _COMMON if name in _names())
    hint = suggest(framework, frameworks()) or f"Some are {common}."
    shown = framework if len(framework) <= _LONGEST else framework[: _LONGEST - 1] + "…"
    raise UnknownImage(f"AWS has no framework `{shown}`.", hint)


def scoped(config: Config) -> Iterator[tuple[str, Config]]:
    """Yields the parts of a table that have versions, with their scopes; one without a scope
    stands for all."""
    if "versions" in config:
        yield "", config
        return
    for scope, part in config.items():
        if isinstance(part, dict) and "versions" in part:
            yield scope, part


@functools.cache
def frameworks() -> tuple[str, ...]:
    """Returns the names of every framework and built-in algorithm, sorted."""
    found = []
    for name in sorted(_names()):
        content = (config_folder() / f"{name}.json").read_bytes()
        if b'"versions"' in content:
            found.append(name)
    return tuple(found)


def scopes(config: Config) -> tuple[str, ...]:
    """Returns what a table has images for: `training`, `inference`, …; empty for anything."""
    return (
        () if "versions" in config and "scope" not in config else tuple(config.get("scope", config))
    )


def versions(framework: str, scope: str | None = None) -> tuple[str, ...]:
    """Returns the versions of `framework`, short ones such as `2.12` included, oldest first.

    Args:
        scope: only what has images for this; every scope when None.

    Raises:
        UnknownImage: there is no such framework or scope.
    """
    config = load_config(framework)
    if scope is not None and "scope" not in config and "versions" not in config:
        if scope not in config:
            refuse_choice(framework, "scope", scope, scopes(config))
        return offered(config[scope])
    found = [one for _, part in scoped(config) for one in offered(part)]
    return tuple(sorted(set(found), key=version_order))


def offered(part: Config) -> tuple[str, ...]:
    """Returns the versions and aliases that one part of a table has, oldest first."""
    found = {*part["versions"], *part.get("version_aliases", ())}
    return tuple(sorted(found, key=version_order))


def version_order(version: str) -> tuple[bool, tuple[int, ...], str]:
    """Orders versions by their numbers; names such as `latest` come last."""
    numbers = tuple(int(number) for number in re.findall(r"[0-9]+", version)[:6])
    return (not version[:1].isdigit(), numbers, version)


def listed(names: tuple[str, ...]) -> str:
    """Writes names for a message, the newest (last) ones where they are many."""
    shown = ", ".join(f"`{name}`" for name in names[-_LISTED:])
    return shown if len(names) <= _LISTED else f"…, {shown}"


def refuse_choice(framework: str, what: str, wrong: str | None, known: tuple[str, ...]) -> NoReturn:
    """Raises UnknownImage for `wrong`, or for a missing choice when it is None."""
    title = what.replace("py_version", "Python version").replace("_", " ")
    if wrong is None:
        message = f"The image of {framework} needs a {title}."
        raise UnknownImage(message, f"There are {listed(known)}.", what)
    longer = tuple(one for one in known if wrong and one.startswith(wrong))
    near = f"Did you mean `{longer[-1]}`?" if longer else suggest(wrong, known)
    hint = f"{near} There are {listed(known)}." if near else f"There are {listed(known)}."
    shown = wrong if len(wrong) <= _LONGEST else wrong[: _LONGEST - 1] + "…"
    raise UnknownImage(f"{framework} has no {title} `{shown}`.", hint, what)


@functools.cache
def registry_host(region: str) -> str:
    """Returns the host name of ECR's service in `region`, without the account.

    Source: botocore's partitions.json, which has each partition's regions and DNS suffix.

    Raises:
        UnknownImage: no partition has the region.
    """
    source = botocore_data() / "partitions.json"
    try:
        partitions = json.loads(source.read_bytes())["partitions"]
    except (OSError, ValueError, KeyError) as error:
        raise SagedagError(f"{source} cannot be read: {error}.") from error
    for partition in partitions:
        if region in partition["regions"] or re.match(partition["regionRegex"], region):
            return f"ecr.{region}.{partition['outputs']['dnsSuffix']}"
    known = [name for partition in partitions for name in partition["regions"]]
    raise UnknownImage(f"AWS has no region `{region}`.", suggest(region, known), "region")
