"""Plan and upsert: definitions compiled, compared with what is deployed, and deployed."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cloud import ownership
from pipelines.cloud.apply import SILENT, Applied, Observer, RefusedDefinition, apply_plan
from pipelines.cloud.blame import find_pointer
from pipelines.cloud.buckets import check_obstacles, explaining_denials, find_obstacles
from pipelines.cloud.client import Clients
from pipelines.cloud.context import Context
from pipelines.cloud.plan import Plan
from pipelines.cloud.planner import assets_to_read, make_plan
from pipelines.cloud.state import State, read_manifests, read_owned, read_state
from pipelines.cloud.versions import check_alias
from pipelines.cloud.wanted import Provenance, Wanted
from pipelines.deployment.compiling import compile_all, defined_names, wanted_of
from pipelines.deployment.places import Connection, find_project_near, open_environment
from pipelines.deployment.provenance import provenance_of
from pipelines.errors import SagedagError, UsageError
from pipelines.language.diagnostics import Diagnostic

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
    if alias:
        check_alias(alias)
    compiled = compile_all(paths, environment=environment, variables=variables, may_be_none=prune)
    project = compiled[0].spec.project if compiled else find_project_near(Path(paths[0]))
    clients = open_environment(project, environment, connection)
    keep = defined_names(project.root, environment, variables) if prune else None
    return plan_compiled(compiled, clients, project.root, alias=alias, keep=keep)


def plan_compiled(
    compiled: Sequence[Compiled],
    clients: Clients,
    root: Path,
    *,
    alias: str = "",
    keep: Collection[str] | None = None,
) -> Planned:
    """Compare compiled definitions with what is deployed; arguments as for :func:`compare`.

    Raises:
        AwsError: AWS refused a call, or the credentials are another account's.
    """
    wanted = [wanted_of(each) for each in compiled]
    made = compare(wanted, clients, provenance_of(root), root, alias=alias, keep=keep)
    return replace(made, warnings=tuple(w for each in compiled for w in each.warnings))


def compare(
    wanted: Sequence[Wanted],
    clients: Clients,
    provenance: Provenance,
    root: Path,
    *,
    alias: str = "",
    keep: Collection[str] | None = None,
) -> Planned:
    """Compare what is wanted with what is deployed.

    Args:
        wanted: compiled definitions.
        clients: AWS as the environment sees it.
        provenance: who deploys.
        root: the project's root.
        alias: the alias that the deployed versions are to have.
        keep: the names of all pipelines that the project defines: what it owns besides is planned
            to be deleted. None: nothing is.

    Raises:
        AwsError: AWS refused a call, or the credentials are another account's.
    """
    identity = clients.check_account()
    context = Context(
        clients.place,
        identity.account,
        provenance,
        alias,
        os.path.relpath(root),
        str(root),
    )
    with explaining_denials(clients):
        state = read_state(
            clients,
            [each.name for each in wanted],
            assets=[asset.uri for each in wanted for asset in each.assets],
            group=context.group,
            scheduled=any(each.schedules for each in wanted),
            versions=bool(alias),
        )
    if keep is not None:
        state = _with_owned(clients, state, {*state.pipelines, *keep}, context)
    state = replace(state, manifests=read_manifests(clients, assets_to_read(wanted, state)))
    made = make_plan(wanted, state, context)
    made = replace(made, obstacles=find_obstacles(clients, made))
    return Planned(made, clients, root, {each.name: each for each in wanted})


def _with_owned(
    clients: Clients, state: State, defined: Collection[str], context: Context
) -> State:
    """Add the pipelines that this repository owns and that none of its definitions makes."""
    owns = partial(
        ownership.is_owned,
        provenance=context.provenance,
        environment=context.place.environment,
    )
    notes = list(state.notes)
    found = read_owned(clients, defined, owns, notes)
    state = replace(state, notes=tuple(notes))
    if not found:
        return state
    extra = read_state(clients, list(found), group=context.group)
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
    check_obstacles(planned.plan)
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
