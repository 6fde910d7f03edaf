"""One deploy from git: from definitions to what is deployed, without a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pipelines.affected import Uses, head_of, uses_of
from pipelines.cloud.apply import Applied, Observer
from pipelines.cloud.buckets import check_obstacles
from pipelines.cloud.client import Clients
from pipelines.cloud.plan import Call
from pipelines.cloud.versions import check_alias
from pipelines.cloud.wanted import Provenance
from pipelines.delivery.choice import Choice, Chosen, choose
from pipelines.delivery.turns import check_not_newer, wait_for_end
from pipelines.deployment import (
    Connection,
    Planned,
    carry_out,
    check_owners,
    compile_checked,
    defined_names,
    find_project_near,
    folder_in_repository,
    open_environment,
    plan_compiled,
    provenance_of,
)
from pipelines.errors import SagedagError, StateMoved
from pipelines.language.check import Checked, check
from pipelines.language.diagnostics import Diagnostic
from pipelines.language.project import Project, find_definitions, find_project
from pipelines.lint import Linter, Target

ATTEMPTS = 2
"""How often a plan is made and carried out: once more where another deploy was faster."""

Status = Literal["invalid", "findings", "unchanged", "planned", "deployed", "failed"]


@dataclass(frozen=True)
class Order:
    """What is to be deployed, and how.

    Args:
        paths: definition files, or folders whose definitions are meant.
        environment: the environment's name.
        variables: values of ``vars``.
        connection: profile and region, where they are not the environment's.
        since: deploy only what changed since this commit, and what is behind; None: all.
        alias: the alias that the deployed versions are to have.
        prune: delete what this repository deployed and no longer defines.
        take_over: deploy over what another repository or environment deployed.
        dry_run: plan only; nothing is written.
    """

    paths: Sequence[str | Path]
    environment: str
    variables: Mapping[str, str] = field(default_factory=dict)
    connection: Connection = field(default_factory=Connection)
    since: str | None = None
    alias: str = ""
    prune: bool = False
    take_over: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Delivery:
    """What came of an order.

    Args:
        status: ``invalid`` or ``findings``: it stopped before AWS was asked; ``unchanged``:
            nothing was to be done; ``planned``: a dry run; ``failed``: ``error`` says how.
        commit: what is deployed; with ``-dirty`` where not all of it is committed.
        diagnostics: mistakes and warnings of the definitions.
        findings: what lint found.
        choice: the definitions that it is about.
        planned: the plan that was carried out last; None where none was made.
        applied: what became of the pipelines.
        attempts: how often a plan was carried out.
        error: what ended it.
        folder: the project's, in its repository; empty for the repository's root.
    """

    environment: str
    status: Status
    commit: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    choice: Choice = field(default_factory=lambda: Choice(()))
    planned: Planned | None = None
    applied: tuple[Applied, ...] = ()
    attempts: int = 0
    error: SagedagError | None = None
    folder: str = ""

    @property
    def exit_code(self) -> int:
        """The command's exit code."""
        if self.error is not None:
            return self.error.exit_code
        return {"invalid": 1, "findings": 7}.get(self.status, 0)


class Watcher(Observer):
    """Is told how a delivery goes; says nothing by itself."""

    def chosen(self, delivery: Delivery) -> None:
        """The definitions were checked and chosen."""

    def planned(self, planned: Planned, attempt: int) -> None:
        """A plan was made; it is carried out next, unless it is a dry run."""

    def overtaken(self, error: StateMoved) -> None:
        """Another deploy was faster; a new plan is made."""

    def uploaded(self, uri: str, size: int) -> None:
        """An object was sent."""

    def called(self, pipeline: str, call: Call) -> None:
        """A call was made."""

    def finished(self, pipeline: Applied) -> None:
        """A pipeline is as it was planned."""


def deliver(order: Order, watcher: Watcher | None = None) -> Delivery:
    """Check, choose, lint, plan and deploy; expected failures are part of what is returned.

    Raises:
        UsageError: the order makes no sense: no such path or environment, or an impossible alias.
    """
    watch = watcher or Watcher()
    if order.alias:
        check_alias(order.alias)
    found = find_definitions([str(path) for path in order.paths], may_be_none=order.prune)
    checked = {
        path: check(path, environment=order.environment, variables=order.variables)
        for path in found
    }
    project = (
        find_project(found[0].absolute().parent)
        if found
        else find_project_near(Path(order.paths[0]))
    )
    diagnostics = tuple(_unique([d for each in checked.values() for d in each.diagnostics]))
    made = Delivery(
        order.environment,
        "invalid",
        head_of(project.root),
        diagnostics,
        folder=folder_in_repository(project.root),
    )
    if any(each.failed or each.program is None for each in checked.values()):
        return made
    return _Run(order, watch, project, checked, made).run()


@dataclass
class _Run:
    """A deploy under way; ``made`` is what came of it so far."""

    order: Order
    watch: Watcher
    project: Project
    checked: Mapping[Path, Checked]
    made: Delivery
    applied: dict[str, Applied] = field(default_factory=dict)
    _clients: Clients | None = None

    def run(self) -> Delivery:
        try:
            self.made = replace(self.made, choice=self._choose())
            if not self._lint():
                self.watch.chosen(self.made)
                return replace(self.made, status="findings")
            self.watch.chosen(self.made)
            if not self.made.choice.chosen and not self.order.prune:
                return replace(self.made, status="unchanged")
            return self._deploy()
        except SagedagError as error:
            return replace(
                self.made, status="failed", error=error, applied=tuple(self.applied.values())
            )

    def _open(self) -> tuple[Clients, Provenance]:
        """Connect once; the account is checked before anything is asked."""
        if self._clients is None:
            self._clients = open_environment(
                self.project, self.order.environment, self.order.connection
            )
            self._clients.check_account()
        return self._clients, provenance_of(self.project.root)

    def _choose(self) -> Choice:
        if self.order.since is None:
            return Choice(tuple(Chosen(path) for path in self.checked))
        environment = self.order.environment
        uses: dict[Path, Uses] = {
            path: uses_of(path, {environment: each}, self.order.variables)
            for path, each in self.checked.items()
        }
        return choose(uses, self.order.since, environment, self.project.root, self._open)

    def _lint(self) -> bool:
        """Lint what is to be deployed; False where it found errors."""
        linter = Linter(self.order.environment)
        for each in self.made.choice.chosen:
            known = {self.order.environment: self.checked[each.path]}
            for _ in linter.look_at(Target(each.path, None, self.order.variables), known):
                pass
        findings = tuple(linter.finish().findings)
        self.made = replace(self.made, findings=findings)
        return not any(each.level == "error" for each in findings)

    def _deploy(self) -> Delivery:
        """Plan and carry out; once more where another deploy was faster."""
        compiled = compile_checked([self.checked[c.path] for c in self.made.choice.chosen])
        clients, provenance = self._open()
        self.made = replace(self.made, commit=provenance.revision)
        root, environment = self.project.root, self.order.environment
        keep = None
        if self.order.prune:
            keep = defined_names(root, environment, self.order.variables)
        lost: StateMoved | None = None
        for attempt in range(1, ATTEMPTS + 1):
            planned = plan_compiled(compiled, clients, root, alias=self.order.alias, keep=keep)
            self.made = replace(self.made, planned=planned)
            self.watch.planned(planned, attempt)
            check_owners(planned.plan, self.order.take_over)
            if self.order.dry_run:
                return replace(self.made, status="planned")
            check_obstacles(planned.plan)
            if planned.plan.is_empty:
                break
            self.made = replace(self.made, attempts=attempt)
            try:
                carry_out(planned, _Recorder(self.watch, self.applied))
                break
            except StateMoved as error:
                lost = error
                if attempt < ATTEMPTS:
                    self.watch.overtaken(error)
                    names = [each.name for each in planned.plan.changed]
                    wait_for_end(clients, names)
                    check_not_newer(clients, names, root, provenance, error)
        else:
            assert lost is not None
            raise StateMoved(
                f"another deploy was faster {ATTEMPTS} times: {lost.message}",
                "let deploys of one environment wait for each other (in GitHub `concurrency`, in "
                "GitLab `resource_group`), and run this one again",
            )
        done = tuple(self.applied.values())
        status: Status = "deployed" if done or self.made.attempts else "unchanged"
        return replace(self.made, status=status, applied=done)


class _Recorder:
    """Remembers what was finished, also where the rest fails, and passes everything on."""

    def __init__(self, watch: Observer, applied: dict[str, Applied]) -> None:
        self._watch = watch
        self._applied = applied

    def uploaded(self, uri: str, size: int) -> None:
        """Pass it on."""
        self._watch.uploaded(uri, size)

    def called(self, pipeline: str, call: Call) -> None:
        """Pass it on."""
        self._watch.called(pipeline, call)

    def finished(self, pipeline: Applied) -> None:
        """Remember it and pass it on."""
        self._applied[pipeline.name] = pipeline
        self._watch.finished(pipeline)


def _unique(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return messages in order; what several definitions share is told once."""
    unique = {d.sort_key: d for d in diagnostics}
    return [unique[key] for key in sorted(unique)]
