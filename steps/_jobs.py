"""Parts of requests that jobs share; standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from steps._contract import Context, Problem, Step
from steps._durations import DurationError, parse
from steps._expressions import as_text

Arguments = dict[str, Any]


def present(**members: Any) -> Arguments:
    """Return the members that are neither None nor empty."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}


def seconds(step: Step, context: Context, *path: str) -> int | None:
    """Return the duration at ``path`` in seconds; None where it is missing or wrong (reported)."""
    value: Any = step.fields
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None:
        return None
    try:
        return parse(as_text(value))
    except DurationError as error:
        problem = Problem("bad-duration", path, str(error), "write `2h`, `90m`, `1d12h` or `PT2H`")
        context.report(step, problem)
        return None


def tag_list(tags: Mapping[str, Any] | None) -> list[Arguments]:
    """Return tags as the API writes them."""
    return [{"Key": name, "Value": as_text(value)} for name, value in (tags or {}).items()]


def variables(step: Step) -> Arguments:
    """Return the container's environment variables as text."""
    return {name: as_text(value) for name, value in step.fields.get("environment", {}).items()}


def cluster(step: Step, context: Context) -> Arguments:
    """Return InstanceCount, InstanceType, VolumeSizeInGB and VolumeKmsKeyId of ``instance``."""
    instance = step.fields.get("instance") or {}
    return present(
        InstanceType=instance.get("type"),
        InstanceCount=instance.get("count", 1),
        VolumeSizeInGB=instance.get("volume_gb", 30),
        VolumeKmsKeyId=instance.get("kms_key"),
        KeepAlivePeriodInSeconds=seconds(step, context, "instance", "keep_alive"),
    )


def vpc(step: Step) -> Arguments:
    """Return the VpcConfig of ``network``, empty where it names no VPC."""
    network = step.fields.get("network") or {}
    return present(SecurityGroupIds=network.get("security_groups"), Subnets=network.get("subnets"))


def command_line(arguments: Any) -> list[Any]:
    """Return the words of ``arguments``: a list as it is, a map as options.

    ``true`` writes the option alone, ``false`` and null leave it out, a list repeats the values.
    """
    if arguments is None:
        return []
    if not isinstance(arguments, Mapping):
        return [as_text(word) for word in arguments]
    words: list[Any] = []
    for name, value in arguments.items():
        if value is False or value is None:
            continue
        words.append(f"--{name}")
        if value is not True:
            words.extend(as_text(part) for part in (value if isinstance(value, list) else [value]))
    return words


_INTERPRETERS = {".sh": ["/bin/bash"], ".R": ["Rscript"], ".r": ["Rscript"]}


def entry_point(
    command: Iterable[Any] | None, folder: str, entry: str, has_requirements: bool
) -> list[Any]:
    """Return a container's entry point that runs ``entry`` in ``folder``.

    Args:
        command: the words before the file; by default the interpreter of its ending, Python else.
        has_requirements: install ``requirements.txt`` of the folder first.
    """
    suffix = "." + entry.rsplit(".", 1)[-1]
    words = list(command or _INTERPRETERS.get(suffix, ["python3"]))
    if not has_requirements:
        return [*words, f"{folder}/{entry}"]
    # One shell line: the container runs exactly one entry point. "$@" takes the arguments through.
    install = f"pip install --quiet -r {folder}/requirements.txt"
    return ["/bin/bash", "-c", f'{install} && exec "$@"', "bash", *words, f"{folder}/{entry}"]


def check_unique_paths(
    paths: Iterable[tuple[tuple[str, ...], Any]],
) -> Iterable[Problem]:
    """Yield a problem for every container path that is taken twice.

    Args:
        paths: where the field stands in the step, and the container path it takes.
    """
    seen: dict[str, tuple[str, ...]] = {}
    for place, path in paths:
        if not isinstance(path, str):
            continue
        key = path.rstrip("/")
        if key in seen:
            first = ".".join(seen[key])
            yield Problem(
                "path-collision",
                place,
                f"`{key}` is already the place of `{first}`",
                "give one of them another `path`",
            )
        else:
            seen[key] = place
