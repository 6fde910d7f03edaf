"""What a user asks ``sagedag run`` for: the command's options as data, and read further."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.options import pairs
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.definition import Definition


@dataclass(frozen=True)
class RunRequest:
    """The options of ``sagedag run``, as they were given."""

    parameters: tuple[str, ...] = ()
    environment: str | None = None
    variables: tuple[str, ...] = ()
    name: str | None = None
    isolation: str = "auto"
    parallel: int | None = None
    no_cache: bool = False
    faults: tuple[str, ...] = ()
    store_folder: Path | None = None
    as_json: bool = False
    resume: bool = False
    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    source: str = ""
    service_cache: bool = False
    sample: int | None = None
    params_files: tuple[Path, ...] = ()
    dry_run: bool = False
    watch: bool = False
    shell: str = ""
    handlers_file: Path | None = None

    @property
    def selecting(self) -> bool:
        """Whether only some steps are to run."""
        return bool(self.only or self.start or self.end)


def check_request(request: RunRequest, paths: int) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: some do not.
    """
    if request.source and not (request.resume or request.selecting or request.shell):
        raise UsageError("--source goes with --resume, --only, --from, --to or --shell")
    together = (
        ("--resume", request.resume, "--only, --from, --to", request.selecting),
        ("--resume", request.resume, "--no-cache", request.no_cache),
        ("--resume", request.resume, "--dry-run", request.dry_run),
        ("--resume", request.resume, "--sample", request.sample is not None),
        ("--resume", request.resume, "--shell", bool(request.shell)),
        ("--watch", request.watch, "--resume", request.resume),
        ("--watch", request.watch, "--dry-run", request.dry_run),
        ("--watch", request.watch, "--json", request.as_json),
        ("--watch", request.watch, "--shell", bool(request.shell)),
        ("--watch", request.watch, "--no-cache", request.no_cache),
        ("--shell", bool(request.shell), "--only, --from, --to", request.selecting),
        ("--shell", bool(request.shell), "--dry-run", request.dry_run),
        ("--shell", bool(request.shell), "--json", request.as_json),
        ("--no-cache", request.no_cache, "--service-cache", request.service_cache),
    )
    for one, given, other, too in together:
        if given and too:
            raise UsageError(f"{one} does not go with {other}")
    if paths > 1 and (request.watch or request.shell):
        raise UsageError(f"{'--watch' if request.watch else '--shell'} takes one PATH")


def read_parameters(definition: Definition, request: RunRequest) -> dict[str, str]:
    """Read ``-p`` options; a String that names a local file or folder becomes absolute."""
    kinds = {parameter.name: parameter for parameter in definition.parameters}
    found: dict[str, str] = {}
    for name, value in pairs(request.parameters, "-p").items():
        parameter = kinds.get(name)
        if parameter is not None and parameter.type == "String" and not parameter.enum:
            found[name] = _absolute(value, Path.cwd())
        else:
            found[name] = value
    return found


def _absolute(value: str, folder: Path) -> str:
    if not value or "://" in value or "\0" in value:
        return value
    path = folder / Path(value).expanduser()
    try:
        return str(path.resolve()) if path.exists() else value
    except OSError:
        return value


_FAULTS: Mapping[str, str] = {
    "Throttling": "Step.THROTTLING",
    "ServiceFault": "Step.SERVICE_FAULT",
    "JobInternal": "SageMaker.JOB_INTERNAL_ERROR",
    "Capacity": "SageMaker.CAPACITY_ERROR",
    "ResourceLimit": "SageMaker.RESOURCE_LIMIT",
}


def read_faults(definition: Definition, request: RunRequest) -> dict[str, list[str]]:
    """Read ``--inject`` options: for a step's name, the exception types to raise.

    Raises:
        UsageError: there is no such step or fault, or the number is none.
    """
    from pipelines.definition.problems import nearest

    names = [each.name for step in definition.steps for each in (step, *step.body)]
    found: dict[str, list[str]] = {}
    for text in request.faults:
        ((step, fault),) = pairs([text], "--inject").items()
        kind, _, count = fault.partition(":")
        if step not in names:
            raise UsageError(f"there is no step `{step}`" + nearest(step, names))
        if kind not in _FAULTS:
            raise UsageError(
                f"--inject knows {', '.join(_FAULTS)}; not `{kind}`" + nearest(kind, _FAULTS)
            )
        if count and not (count.isdigit() and 0 < int(count) < 1000):
            raise UsageError(f"--inject needs a number after the colon, not `{count}`")
        found.setdefault(step, []).extend([_FAULTS[kind]] * int(count or 1))
    return found
