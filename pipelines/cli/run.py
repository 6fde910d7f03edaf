"""``sagedag run``: run pipelines on this machine."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import (
    chosen_environment,
    environment_options,
    pairs,
    print_diagnostics,
    use_color,
)
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.definition import Definition
    from pipelines.local.history import ExecutionRecord
    from pipelines.local.observer import Observer
    from pipelines.local.stopping import Stop
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
    """

    definition: Definition
    name: str
    base: Path
    root: Path
    parallelism: int | None = None
    assets: tuple[Any, ...] = ()
    identity: Mapping[str, str] = field(default_factory=dict)


@click.command(
    epilog="""\b
Examples:
  sagedag run definitions/pulsar
  sagedag run definitions/pulsar -p InputData=data/HTRU_2.csv -p MinPrecision=0.8
  sagedag run definition.json --parallel 4
  aws sagemaker describe-pipeline --pipeline-name pulsar | sagedag run -
"""
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    help="A pipeline parameter's value. One that names a local file or folder is made absolute.",
)
@environment_options
@click.option("--name", metavar="NAME", help="The pipeline's name, where PATH is JSON.")
@click.option(
    "--isolation",
    default="auto",
    metavar="MODE",
    help="How jobs are kept apart: auto (the best that works here), strict (one that protects, "
    "or none), or a mode's name; `sagedag doctor` lists them.",
)
@click.option(
    "--parallel", type=click.IntRange(1, 200), metavar="N", help="Run at most N steps at once."
)
@click.option("--no-cache", is_flag=True, help="Run every step, even where a result is cached.")
@click.option(
    "--inject",
    "faults",
    metavar="STEP=FAULT:N",
    multiple=True,
    help="Raise a service fault at a step's first N attempts, to try its retry policy: "
    "Throttling, ServiceFault, JobInternal, Capacity, ResourceLimit.",
)
@click.option(
    "--store",
    "store_folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where runs and models are kept (default: .sagedag near the definition).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:
    """Run pipelines on this machine: no AWS account, no Docker.

    PATH is a folder with a pipeline.yaml, a YAML file, a definition's JSON, or - for standard
    input.
    """
    from pipelines.local.stopping import Stop

    stop = Stop()
    documents: list[dict[str, Any]] = []
    code = 0
    with _signals(stop):
        for path in paths:
            document, result = _run_one(path, options, stop)
            documents.append(document)
            code = code or result
            if stop.event.is_set():
                break
    if options["as_json"]:
        click.echo(json.dumps(documents[0] if len(paths) == 1 else documents, indent=2))
    ctx.exit(130 if stop.event.is_set() and code else code)


def _run_one(path: str, options: Mapping[str, Any], stop: Stop) -> tuple[dict[str, Any], int]:
    """Run one definition and print what it came to; return its document and the exit code."""
    from pipelines.definition.parameters import bind
    from pipelines.local.execute import execute
    from pipelines.local.isolation import choose
    from pipelines.local.store import open_store, place_store
    from pipelines.local.views.summary import document

    source = load(path, options)
    parameters = _parameters(source.definition, options["parameters"])
    faults = _faults(source.definition, options["faults"])
    # Nothing is made, not even the store, for a run that cannot start.
    bind(source.definition.parameters, parameters)
    isolation = choose(options["isolation"])
    view = _view(options["as_json"])
    folder = options["store_folder"] or place_store(source.root)
    with open_store(folder.resolve(), on_wait=view.waiting, stop=stop.event) as store:
        publish(source.assets, store, source.base)
        record = execute(
            source.definition,
            name=source.name,
            base=source.base,
            store=store,
            isolation=isolation,
            parameters=parameters,
            parallelism=options["parallel"] or source.parallelism,
            cache=not options["no_cache"],
            observer=view,
            stop=stop,
            faults=faults,
            **source.identity,
        )
        if not options["as_json"]:
            _print_end(store, record)
        code = {"Succeeded": 0, "Stopped": 130}.get(record.status, 5)
        return document(store, record), code


def _print_end(store: Store, record: ExecutionRecord) -> None:
    from pipelines.local.views.summary import failure, summary

    color = None if use_color(sys.stdout) else False
    first, *rest = summary(store, record)
    shade = {"Succeeded": "green", "Stopped": "yellow"}.get(record.status, "red")
    click.echo("\n" + click.style(first, fg=shade, bold=True), color=color)
    if record.status in ("Succeeded", "CompletedWithFailures"):
        for line in rest:
            click.echo(line)
    for line in failure(store, record):
        click.echo(line)
    click.echo(f"\nMore: sagedag runs show {record.id}")


def load(path: str, options: Mapping[str, Any]) -> Source:
    """Read what PATH names: compile YAML, take JSON as it is.

    Raises:
        UsageError: there is no such file, or an option does not go with it.
        DefinitionError: the definition is invalid.
    """
    if path == "-":
        text = sys.stdin.buffer.read()
        if text.lstrip()[:1] in (b"{", b"["):
            return _from_json(text, Path.cwd(), options["name"] or "pipeline", options)
        return _compiled(Path.cwd() / "stdin.yaml", options, text)
    place = Path(path)
    if not place.exists():
        raise UsageError(f"there is no file or folder `{path}`")
    if place.suffix == ".json" and place.is_file():
        try:
            text = place.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from None
        from pipelines.local.identity import pipeline_name

        name = options["name"] or pipeline_name(place.stem)
        return _from_json(text, place.resolve().parent, name, options)
    if place.is_dir():
        place = _pipeline_of(place)
    return _compiled(place, options)


def _pipeline_of(folder: Path) -> Path:
    """Return a folder's pipeline.yaml."""
    place = folder / "pipeline.yaml"
    if place.is_file():
        return place
    below = sorted(str(found.parent) for found in folder.glob("*/pipeline.yaml"))
    hint = f"there is one in each of: {', '.join(below[:12])}" if below else ""
    raise UsageError(f"the folder `{folder}` has no pipeline.yaml", hint)


def _from_json(text: bytes, base: Path, name: str, options: Mapping[str, Any]) -> Source:
    """Read a definition's JSON, or a DescribePipeline response that holds one."""
    from pipelines.definition import read_definition

    if options["variables"] or options["environment"]:
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
            name = options["name"] or (given if isinstance(given, str) else name)
            limits = response.get("ParallelismConfiguration")
            most = limits.get("MaxParallelExecutionSteps") if isinstance(limits, dict) else None
            parallelism = most if isinstance(most, int) and most > 0 else None
    return Source(read_definition(text), name, base, base, parallelism)


def _compiled(path: Path, options: Mapping[str, Any], text: bytes | None = None) -> Source:
    """Compile YAML; its warnings are printed, its errors too."""
    import pipelines
    from pipelines.definition import read_definition

    if options["name"]:
        raise UsageError("--name is for JSON; a YAML definition says its name itself")
    try:
        compiled = pipelines.compile(
            path,
            environment=chosen_environment(options["environment"]),
            variables=pairs(options["variables"], "--var"),
            text=text,
        )
    except pipelines.InvalidDefinition as error:
        print_diagnostics(error.diagnostics, "text", err=True)
        raise click.exceptions.Exit(error.exit_code) from None
    print_diagnostics(compiled.warnings, "text", err=True)
    environment = compiled.spec.environment
    identity = {"account": environment.account, "region": environment.region}
    return Source(
        read_definition(compiled.definition_json),
        compiled.name,
        compiled.base,
        compiled.project_root,
        compiled.parallelism,
        tuple(compiled.assets),
        {key: value for key, value in identity.items() if value},
    )


def publish(assets: tuple[Any, ...], store: Store, base: Path) -> None:
    """Put the definition's code into the local store, as ``upsert`` puts it into S3."""
    from pipelines.local.objects import ObjectStore

    objects = ObjectStore(store.objects, base)
    for asset in assets:
        for uri, data in asset.objects():
            # Assets are addressed by their content: what is there is what would be written.
            if not objects.exists(uri):
                objects.put(uri, data)


def _parameters(definition: Definition, given: tuple[str, ...]) -> dict[str, str]:
    """Read ``-p`` options; a String that names a local file or folder becomes absolute."""
    kinds = {parameter.name: parameter for parameter in definition.parameters}
    found: dict[str, str] = {}
    for name, value in pairs(given, "-p").items():
        parameter = kinds.get(name)
        if parameter is not None and parameter.type == "String" and not parameter.enum:
            found[name] = _absolute(value)
        else:
            found[name] = value
    return found


def _absolute(value: str) -> str:
    if not value or "://" in value or "\0" in value:
        return value
    path = Path(value).expanduser()
    try:
        return str(path.resolve()) if path.exists() else value
    except OSError:
        return value


_FAULTS = {
    "Throttling": "Step.THROTTLING",
    "ServiceFault": "Step.SERVICE_FAULT",
    "JobInternal": "SageMaker.JOB_INTERNAL_ERROR",
    "Capacity": "SageMaker.CAPACITY_ERROR",
    "ResourceLimit": "SageMaker.RESOURCE_LIMIT",
}


def _faults(definition: Definition, given: tuple[str, ...]) -> dict[str, list[str]]:
    from pipelines.definition.problems import nearest

    found: dict[str, list[str]] = {}
    for text in given:
        ((step, fault),) = pairs([text], "--inject").items()
        kind, _, count = fault.partition(":")
        if step not in definition.by_name:
            raise UsageError(f"there is no step `{step}`" + nearest(step, definition.by_name))
        if kind not in _FAULTS:
            raise UsageError(
                f"--inject knows {', '.join(_FAULTS)}; not `{kind}`" + nearest(kind, _FAULTS)
            )
        if count and not (count.isdigit() and 0 < int(count) < 1000):
            raise UsageError(f"--inject needs a number after the colon, not `{count}`")
        found.setdefault(step, []).extend([_FAULTS[kind]] * int(count or 1))
    return found


def _view(as_json: bool) -> Observer:
    """Choose how to show the run: live on a terminal, else lines; beside JSON on stderr."""
    from pipelines.local.views.plain import PlainView

    if as_json:
        return PlainView(lambda line: click.echo(line, err=True))
    plain = os.environ.get("CI") or os.environ.get("TERM") in (None, "", "dumb")
    if plain or not use_color(sys.stdout):
        return PlainView(click.echo)
    from rich.console import Console

    from pipelines.local.views.live import LiveView

    return LiveView(Console())


@contextmanager
def _signals(stop: Stop) -> Iterator[None]:
    """Turn Ctrl-C, and what ends a CI job, into a request to stop."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in wanted}
    for number in wanted:
        # A signal that is ignored stays so: `nohup sagedag run …` must outlive its terminal.
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.request())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
