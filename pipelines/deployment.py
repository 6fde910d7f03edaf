"""Compiling and the cloud brought together: what is defined here becomes what is deployed there.

This is the library's way to deploy; the commands ``plan``, ``upsert``, … stand on it::

    planned = plan(["definitions"], environment="dev")
    if not planned.plan.is_empty:
        carry_out(planned)
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cloud import ownership
from pipelines.cloud.apply import SILENT, Applied, Observer, RefusedDefinition, apply_plan
from pipelines.cloud.blame import find_pointer
from pipelines.cloud.client import Clients, Place, Tell, connect
from pipelines.cloud.plan import Plan
from pipelines.cloud.planner import Context, assets_to_read, make_plan
from pipelines.cloud.schedules import group_name
from pipelines.cloud.state import State, read_manifests, read_owned, read_state
from pipelines.cloud.wanted import Provenance, Wanted
from pipelines.errors import SagedagError, UsageError
from pipelines.language.check import check
from pipelines.language.diagnostics import Diagnostic, InvalidDefinition, Report
from pipelines.language.environments import Setting, choose_environment
from pipelines.language.pipeline_checks import pipeline_request
from pipelines.language.project import (
    ENVIRONMENTS_FILE,
    Project,
    find_definitions,
    find_project,
    shown,
)
from pipelines.language.repository import git_names

if TYPE_CHECKING:
    from pipelines.compiler import Compiled


@dataclass(frozen=True)
class Planned:
    """A plan and what it was made of.

    Args:
        plan: the plan.
        clients: AWS as the plan's environment sees it.
        root: the project's root.
        wanted: the compiled definitions by the pipelines' names.
        warnings: what the checks warned about.
    """

    plan: Plan
    clients: Clients = field(repr=False)
    root: Path
    wanted: Mapping[str, Wanted] = field(default_factory=dict, repr=False)
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Connection:
    """How the command line says where to call: empty where it does not.

    Args:
        profile, region: of ``--profile`` and ``--region``.
        tell: gets a line for every call (``--debug``).
    """

    profile: str = ""
    region: str = ""
    tell: Tell | None = field(default=None, repr=False)

    def open(self, place: Place) -> Clients:
        """Return AWS as an environment sees it; see :func:`pipelines.cloud.client.connect`."""
        return connect(
            place, profile=self.profile or None, region=self.region or None, tell=self.tell
        )


def plan(
    paths: Sequence[str | Path] = (".",),
    *,
    environment: str,
    variables: Mapping[str, str] | None = None,
    connection: Connection | None = None,
    alias: str = "",
    prune: bool = False,
) -> Planned:
    """Compile definitions and compare them with what is deployed; nothing is written.

    Args:
        paths: definition files, or folders whose definitions are meant.
        environment: the environment's name.
        variables: values of ``vars``, as for :func:`pipelines.compile`.
        connection: profile and region, where they are not the environment's.
        alias: the alias that the deployed versions are to have.
        prune: plan to delete what this repository deployed and no longer defines.

    Raises:
        InvalidDefinition: a definition has errors; all of all definitions are told.
        UsageError: there is no such file or environment, or the paths belong to two projects.
        AwsError: AWS refused a call, or the credentials are another account's.
    """
    connection = connection or Connection()
    compiled = compile_all(paths, environment=environment, variables=variables)
    project = compiled[0].spec.project
    place = place_of(setting_of(project, environment))
    _check_region(connection, place)
    clients = connection.open(place)
    wanted = [wanted_of(each) for each in compiled]
    provenance = provenance_of(project.root)
    identity = clients.check_account()
    group = group_name(environment, provenance.repository)
    state = read_state(
        clients,
        [each.name for each in wanted],
        assets=[asset.uri for each in wanted for asset in each.assets],
        group=group,
        scheduled=any(each.schedules for each in wanted),
        versions=bool(alias),
    )
    if prune:
        state = _with_owned(clients, state, project, environment, variables, provenance)
    state = replace(state, manifests=read_manifests(clients, assets_to_read(wanted, state)))
    context = Context(
        place,
        identity.account,
        provenance,
        alias,
        os.path.relpath(project.root),
        str(project.root),
    )
    return Planned(
        make_plan(wanted, state, context),
        clients,
        project.root,
        {each.name: each for each in wanted},
        tuple(warning for each in compiled for warning in each.warnings),
    )


def _with_owned(
    clients: Clients,
    state: State,
    project: Project,
    environment: str,
    variables: Mapping[str, str] | None,
    provenance: Provenance,
) -> State:
    """Add the pipelines that this repository owns and that none of its definitions makes."""
    defined = {*state.pipelines, *defined_names(project.root, environment, variables)}
    owns = partial(ownership.is_owned, provenance=provenance, environment=environment)
    found = read_owned(clients, defined, owns)
    if not found:
        return state
    group = group_name(environment, provenance.repository)
    extra = read_state(clients, list(found), group=group)
    pipelines = {**state.pipelines, **extra.pipelines}
    return replace(state, pipelines=pipelines, owned=tuple(found))


def carry_out(planned: Planned, observer: Observer = SILENT) -> tuple[Applied, ...]:
    """Carry out a plan that was just made.

    Raises:
        StateMoved: what is deployed moved since.
        AwsError: AWS refused a call; where it is about a definition the message names the line.
    """
    try:
        return apply_plan(planned.clients, planned.plan, planned.root, observer)
    except RefusedDefinition as refused:
        raise located(refused, planned.wanted.get(refused.pipeline)) from None


def upsert(
    paths: Sequence[str | Path] = (".",),
    *,
    environment: str,
    variables: Mapping[str, str] | None = None,
    connection: Connection | None = None,
    alias: str = "",
    prune: bool = False,
    take_over: bool = False,
) -> tuple[Applied, ...]:
    """Deploy definitions: plan and carry it out, without asking.

    Args:
        take_over: deploy over what another repository or environment deployed.

    Returns:
        What became of every pipeline that was changed; nothing where nothing was.

    Raises:
        as :func:`plan` and :func:`carry_out`; UsageError where a pipeline is somebody else's.
    """
    planned = plan(
        paths,
        environment=environment,
        variables=variables,
        connection=connection,
        alias=alias,
        prune=prune,
    )
    check_owners(planned.plan, take_over)
    return carry_out(planned)


def check_owners(made: Plan, take_over: bool) -> None:
    """Refuse to deploy over what another repository or environment deployed.

    Raises:
        UsageError: there is such a pipeline, and taking it over is not asked for.
    """
    foreign = [each for each in made.changed if each.owner]
    if foreign and not take_over:
        first = foreign[0]
        raise UsageError(
            f"the pipeline `{first.name}` was deployed by {first.owner}",
            "give it another name per environment (`pipeline: NAME-{{ env }}`), or take it over "
            "with --take-over",
        )


def compile_all(
    paths: Sequence[str | Path],
    *,
    environment: str,
    variables: Mapping[str, str] | None = None,
) -> list[Compiled]:
    """Compile the definitions that paths mean, in this process.

    Raises:
        InvalidDefinition: with the diagnostics of all of them.
        UsageError: two make the same pipeline, or they belong to two projects.
    """
    found = find_definitions([str(path) for path in paths])
    checked = {path: check(path, environment=environment, variables=variables) for path in found}
    diagnostics = [d for each in checked.values() for d in each.diagnostics]
    if any(each.failed for each in checked.values()):
        raise InvalidDefinition(diagnostics)
    # The SDK takes two seconds: it is imported when all definitions are known to be sound.
    from pipelines.compiler import compile_program

    made = [
        compile_program(each.program, tuple(each.diagnostics))
        for each in checked.values()
        if each.program is not None
    ]
    _check_together(made)
    return made


def _check_together(made: Sequence[Compiled]) -> None:
    by_name: dict[str, Path] = {}
    for each in made:
        other = by_name.setdefault(each.name, each.spec.path)
        if other != each.spec.path:
            raise UsageError(
                f"{shown(other)} and {shown(each.spec.path)} both make the pipeline `{each.name}`",
                "give one of them another name",
            )
    roots = {each.project_root for each in made}
    if len(roots) > 1:
        listed = ", ".join(sorted(shown(root) for root in roots))
        raise UsageError(
            f"these definitions belong to {len(roots)} projects: {listed}", "one at a time"
        )


def defined_names(root: Path, environment: str, variables: Mapping[str, str] | None) -> set[str]:
    """Return the names of all pipelines that a project defines.

    Raises:
        InvalidDefinition: one of them cannot be read: what it makes is not known.
    """
    names: set[str] = set()
    for path in find_definitions([str(root)]):
        checked = check(path, environment=environment, variables=variables)
        if checked.program is None or checked.failed:
            raise InvalidDefinition(checked.diagnostics)
        names.add(checked.program.spec.name)
    return names


def wanted_of(compiled: Compiled) -> Wanted:
    """Return a compiled definition as the cloud side takes it."""
    spec = compiled.spec
    settings = {k: v for k, v in pipeline_request(spec).items() if k != "PipelineName"}
    try:
        path = spec.path.resolve().relative_to(spec.project.root.resolve()).as_posix()
    except ValueError:
        path = spec.path.name
    return Wanted(
        compiled.name,
        compiled.definition,
        settings,
        spec.schedules,
        compiled.assets,
        compiled.source_map,
        shown(spec.path),
        path,
    )


def setting_of(project: Project, environment: str) -> Setting:
    """Return an environment of a project, with what ``environments.yaml`` says about it.

    Raises:
        UsageError: there is no such environment.
        InvalidDefinition: the file has mistakes.
    """
    report = Report()
    setting = choose_environment(environment, project, report)
    report.stop_if_failed()
    return setting


def place_of(setting: Setting) -> Place:
    """Return where an environment lives on AWS."""
    where = setting.environment
    return Place(
        where.name,
        where.account,
        where.region,
        where.profile,
        setting.endpoint_url,
        where.bucket,
        where.prefix,
        where.local,
    )


def find_place(environment: str, folder: Path | None = None) -> Place:
    """Return where an environment lives, for commands that name no definition.

    ``environments.yaml`` is looked for in the folder and above it, then right below it
    (``definitions/``).

    Args:
        folder: where to look; the working directory by default.

    Raises:
        UsageError: there is no such environment, or more than one file below.
    """
    start = folder or Path.cwd()
    project = find_project(start)
    if project.environments is None:
        below = sorted(start.glob(f"*/{ENVIRONMENTS_FILE}"))
        if len(below) > 1:
            listed = ", ".join(shown(each.parent) for each in below)
            raise UsageError(
                f"there are several projects here: {listed}",
                "say which with `sagedag -C FOLDER …`",
            )
        if below:
            project = Project(below[0].parent, below[0])
    return place_of(setting_of(project, environment))


def _check_region(connection: Connection, place: Place) -> None:
    """A definition is compiled for its environment's region: images and ARNs depend on it."""
    if connection.region and connection.region != place.region:
        raise UsageError(
            f"--region {connection.region}: the environment `{place.environment}` is in "
            f"{place.region}, and its definitions are compiled for that",
            "name another --env, or correct `region` in environments.yaml",
        )


_SCP = re.compile(r"^(?:[^@/]+@)?([^:/]+):(?!/)(.+)$")


def provenance_of(root: Path) -> Provenance:
    """Return who deploys a project: its repository, commit, and this tool's version."""
    git = git_names(root)
    top = next((each for each in (root, *root.parents) if (each / ".git").exists()), None)
    where = repository_name(str(git["repository"])) or (top or root).name
    inside = root.relative_to(top).as_posix() if top is not None else "."
    if inside != ".":
        where = f"{where}/{inside}"
    return Provenance(where, str(git["sha"]), bool(git["dirty"]), tool_version())


def repository_name(remote: str) -> str:
    """Return a git remote in one form: ``github.com/org/repo``, however it is reached."""
    text = remote.strip()
    short = _SCP.match(text) if "://" not in text else None
    if short:
        text = f"{short.group(1)}/{short.group(2)}"
    elif text.startswith(("/", ".", "file:")):
        text = text.rstrip("/").rpartition("/")[2]
    else:
        text = re.sub(r"^[a-z+]+://", "", text)
        host, slash, path = text.partition("/")
        text = re.sub(r":\d+$", "", host.rpartition("@")[2]) + slash + path
    return text.strip("/").removesuffix(".git").strip("/")


def tool_version() -> str:
    """Return this tool's version; a source tree that is not installed has none."""
    try:
        return metadata.version("sagedag")
    except metadata.PackageNotFoundError:
        return "unknown"


def located(refused: RefusedDefinition, wanted: Wanted | None) -> SagedagError:
    """Return a refusal of SageMaker with the line that it is about, where it can be found."""
    if wanted is None:
        return refused
    pointer = find_pointer(refused.detail, wanted.definition)
    origin = wanted.sources.find(pointer) if pointer else None
    where = origin.position if origin is not None else wanted.file
    words = f" ({origin.words})" if origin is not None and origin.words else ""
    refused.message = f"{where}: SageMaker refuses this{words}: {refused.detail}"
    refused.hint = f"{refused.operation} of {refused.resource}; correct it and deploy again"
    refused.args = (refused.message,)
    return refused
