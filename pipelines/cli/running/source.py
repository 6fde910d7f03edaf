"""What PATH names: a definition to run, with its code and what stands in for the world."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import chosen_environment, pairs, print_diagnostics
from pipelines.cli.running.request import RunRequest
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.definition import Definition
    from pipelines.local.stand_ins import StandIns
    from pipelines.local.store import Store


@dataclass(frozen=True)
class Source:
    """A definition to run, and what its JSON does not say.

    Attributes:
        definition: read and checked.
        name: the pipeline's name.
        base: the folder that relative local paths resolve against.
        root: the folder near which the store is looked for.
        assets: what the definition's code is, as the compiler gives it.
        identity: the account and the region of its environment.
        stand_ins: what stands in for the world.
        files: the files it was read from, its code not among them.
    """

    definition: Definition
    name: str
    base: Path
    root: Path
    parallelism: int | None = None
    assets: tuple[Any, ...] = ()
    identity: Mapping[str, str] = field(default_factory=dict)
    stand_ins: StandIns | None = None
    files: tuple[Path, ...] = ()


def load(path: str, request: RunRequest) -> Source:
    """Read what PATH names: compile YAML, take JSON as it is.

    Raises:
        UsageError: there is no such file, or an option does not go with it.
        DefinitionError: the definition is invalid.
    """
    if path == "-":
        text = sys.stdin.buffer.read()
        if text.lstrip()[:1] in (b"{", b"["):
            return _from_json(text, Path.cwd(), request.name or "pipeline", request)
        return _compiled(Path.cwd() / "stdin.yaml", request, text)
    place = Path(path)
    if not place.exists():
        raise UsageError(f"there is no file or folder `{path}`")
    if place.suffix == ".json" and place.is_file():
        try:
            text = place.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from None
        from pipelines.local.identity import pipeline_name

        name = request.name or pipeline_name(place.stem)
        return _from_json(text, place.resolve().parent, name, request)
    if place.is_dir():
        from pipelines.language.project import find_definition

        place = find_definition(path)
    return _compiled(place, request)


def _from_json(text: bytes, base: Path, name: str, request: RunRequest) -> Source:
    """Read a definition's JSON, or a DescribePipeline response that holds one."""
    from pipelines.definition import read_definition

    if request.variables or request.environment:
        raise UsageError("--env and --var are for YAML; a definition's JSON is compiled already")
    parallelism = None
    if b'"PipelineDefinition"' in text:
        try:
            response = json.loads(text)
            inner = response["PipelineDefinition"]
        except (ValueError, RecursionError, KeyError, TypeError):
            inner = None
        if isinstance(inner, str):
            text = inner.encode("utf-8", "surrogatepass")
            given = response.get("PipelineName")
            name = request.name or (given if isinstance(given, str) else name)
            limits = response.get("ParallelismConfiguration")
            most = limits.get("MaxParallelExecutionSteps") if isinstance(limits, dict) else None
            parallelism = most if isinstance(most, int) and most > 0 else None
    stand_ins, files = _stand_ins(base, "local")
    return Source(
        read_definition(text), name, base, base, parallelism, stand_ins=stand_ins, files=files
    )


def _compiled(path: Path, request: RunRequest, text: bytes | None = None) -> Source:
    """Compile YAML; its warnings are printed, its errors too."""
    import pipelines
    from pipelines.definition import read_definition

    if request.name:
        raise UsageError("--name is for JSON; a YAML definition says its name itself")
    try:
        compiled = pipelines.compile(
            path,
            environment=chosen_environment(request.environment),
            variables=pairs(request.variables, "--var"),
            text=text,
        )
    except pipelines.InvalidDefinition as error:
        print_diagnostics(error.diagnostics, "text", err=True)
        raise click.exceptions.Exit(error.exit_code) from None
    print_diagnostics(compiled.warnings, "text", err=True)
    environment = compiled.spec.environment
    stand_ins, files = _stand_ins(compiled.base, environment.name)
    identity = {"account": environment.account, "region": environment.region}
    return Source(
        read_definition(compiled.definition_json),
        compiled.name,
        compiled.base,
        compiled.project_root,
        compiled.parallelism,
        tuple(compiled.assets),
        {key: value for key, value in identity.items() if value},
        stand_ins,
        (*compiled.spec.files, *files),
    )


def _stand_ins(folder: Path, environment: str) -> tuple[StandIns, tuple[Path, ...]]:
    """Read the handlers file that holds for a definition's folder; its errors are printed."""
    from pipelines.language.diagnostics import InvalidDefinition
    from pipelines.language.handlers_file import read_handlers
    from pipelines.local.stand_ins import StandIns

    try:
        found = read_handlers(folder, environment)
    except InvalidDefinition as error:
        print_diagnostics(error.diagnostics, "text", err=True)
        raise click.exceptions.Exit(error.exit_code) from None
    return StandIns(found.entries, found.file), found.files


def publish(assets: tuple[Any, ...], store: Store, base: Path) -> None:
    """Put the definition's code into the local store, as ``upsert`` puts it into S3."""
    from pipelines.local.objects import ObjectStore

    objects = ObjectStore(store.objects, base)
    for asset in assets:
        for uri, data in asset.objects():
            # Assets are addressed by their content: what is there is what would be written.
            if not objects.exists(uri):
                objects.put(uri, data)
