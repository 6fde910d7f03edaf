"""What a user asks ``sagedag run`` for: the command's options as data, and read further."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    allow_s3: bool = False
    mlflow: bool | None = None
    job_env: str = "current"

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
    """Read ``--params`` files and ``-p`` options, which win over them.

    A String that names a local file or folder becomes absolute: it counts from the file it is
    written in, on the command line from the working directory.

    Raises:
        UsageError: a file can't be read, or does not hold values by name.
    """
    kinds = {parameter.name: parameter for parameter in definition.parameters}
    found: dict[str, str] = {}
    given = [(file.parent, parameters_of_file(file)) for file in request.params_files]
    given.append((Path.cwd(), pairs(request.parameters, "-p")))
    for folder, values in given:
        for name, value in values.items():
            parameter = kinds.get(name)
            local = parameter is not None and parameter.type == "String" and not parameter.enum
            found[name] = _absolute(value, folder) if local else value
    return found


# Forms in which the AWS CLI and CI systems keep parameters, beside a plain map.
_NAMED = (("Name", "Value"), ("ParameterKey", "ParameterValue"))


def parameters_of_file(path: Path) -> dict[str, str]:
    """Read a YAML or JSON file of parameters: a map, or the list that the AWS CLI takes."""
    from pipelines.cli.options import print_diagnostics
    from pipelines.language.diagnostics import Report
    from pipelines.language.nodes import MapNode, Scalar, Sequence, get
    from pipelines.language.project import read_file

    report = Report()
    root = read_file(path, report)
    if root is None:
        print_diagnostics(report.diagnostics, "text", err=True)
        raise UsageError(f"{path} can't be read as YAML or JSON")
    entries: dict[str, Any] = {}
    if isinstance(root, MapNode):
        entries = {name: entry.value for name, entry in root.entries.items()}
    elif isinstance(root, Sequence):
        for item in root.items:
            keys = next((k for k in _NAMED if get(item, k[0]) is not None), _NAMED[0])
            label = get(item, keys[0])
            entries[label.text if isinstance(label, Scalar) else ""] = get(item, keys[1])
    found: dict[str, str] = {}
    for name, value in entries.items():
        if not name or not isinstance(value, Scalar) or value.value is None:
            line = value.span.line if isinstance(value, (Scalar, MapNode, Sequence)) else 1
            raise UsageError(
                f"{path}:{line}: a parameters file holds values by name: `NAME: VALUE`",
                "or the list that `aws sagemaker start-pipeline-execution` takes",
            )
        found[name] = str(value.value) if isinstance(value.value, str) else value.text
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
        # `retry` of a step writes them `service_fault`.
        known = {name.casefold(): named for name, named in _FAULTS.items()}
        named = known.get(kind.replace("_", "").casefold())
        if named is None:
            raise UsageError(
                f"--inject knows {', '.join(_FAULTS)}; not `{kind}`" + nearest(kind, _FAULTS)
            )
        if count and not (count.isdigit() and 0 < int(count) < 1000):
            raise UsageError(f"--inject needs a number after the colon, not `{count}`")
        found.setdefault(step, []).extend([named] * int(count or 1))
    return found
