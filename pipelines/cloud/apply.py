"""Carrying out a plan: the calls it holds, in their order, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pipelines.cloud import ownership
from pipelines.cloud.client import Clients
from pipelines.cloud.parallel import in_parallel
from pipelines.cloud.plan import Call, PipelinePlan, Plan
from pipelines.cloud.plan_check import check_calls
from pipelines.cloud.planned_calls import VERSION_ID
from pipelines.cloud.publishing import publish_all
from pipelines.cloud.publishing import put as put_object
from pipelines.cloud.refusals import Conflict, Invalid, Missing, Unsupported
from pipelines.cloud.schedules import PIPELINE_ARN
from pipelines.cloud.state import latest_version, read_pipeline, read_state
from pipelines.definition.normal import normal_form
from pipelines.errors import Interrupted, StateMoved, UsageError

PIPELINES_AT_ONCE = 4
"""How many pipelines are changed at once: SageMaker allows few writes a second."""


class Observer(Protocol):
    """Is told how it goes; called from several threads."""

    def uploaded(self, uri: str, size: int) -> None:
        """An object was sent."""

    def called(self, pipeline: str, call: Call) -> None:
        """A call was made."""

    def finished(self, pipeline: Applied) -> None:
        """A pipeline is as it was planned."""


@dataclass(frozen=True)
class Applied:
    """What became of one pipeline.

    Args:
        version: the version that the deploy made or recorded; None where it made none, or where
            the account's API has none.
        notes: what else to know.
    """

    name: str
    action: str
    arn: str = ""
    version: int | None = None
    notes: tuple[str, ...] = ()


class _Silent:
    def uploaded(self, uri: str, size: int) -> None:
        """Say nothing."""

    def called(self, pipeline: str, call: Call) -> None:
        """Say nothing."""

    def finished(self, pipeline: Applied) -> None:
        """Say nothing."""


SILENT: Observer = _Silent()


class RefusedDefinition(Invalid):
    """SageMaker does not accept a definition; ``pipeline`` says which."""

    def __init__(self, refused: Invalid, pipeline: str) -> None:
        super().__init__(
            refused.message,
            refused.hint,
            operation=refused.operation,
            resource=refused.resource,
            code=refused.code,
            detail=refused.detail,
        )
        self.pipeline = pipeline


def check_unmoved(clients: Clients, plan: Plan) -> None:
    """Refuse where what is deployed is not what the plan was made for.

    Only the pipelines that the plan changes are looked at.

    Raises:
        StateMoved: it moved; exit 6.
        UsageError: the plan is for another account or region.
        Refused: it could not be read.
    """
    account = clients.check_account().account
    if (plan.account, plan.region) != (account, clients.region):
        raise UsageError(
            f"the plan is for account {plan.account} in {plan.region}, but these credentials and "
            f"this environment are {account} in {clients.region}",
            "choose the environment and the profile it was made with",
        )
    names = [each.name for each in plan.changed]
    # The plan names no group where schedules could not be read when it was made.
    state = read_state(clients, names, group=plan.group, scheduled=True)
    moved = []
    for each in plan.changed:
        found = state.pipelines[each.name]
        if (found.digest if found is not None else "") != each.deployed:
            moved.append(each.name)
    if moved:
        listed = ", ".join(f"`{name}`" for name in moved)
        raise StateMoved(
            f"{listed} changed since the plan was made; nothing was written",
            "somebody else deployed, or changed it: make a new plan with `sagedag plan`",
        )


def apply_plan(
    clients: Clients, plan: Plan, root: Path, observer: Observer = SILENT
) -> tuple[Applied, ...]:
    """Carry out a plan.

    Uploads come first, then the pipelines. A pipeline's digest is written last, so that a plan made
    after an interruption shows what is missing and the next run mends it.

    Args:
        root: the project's root: what is uploaded lies below it.
        observer: is told how it goes.

    Raises:
        UsageError: the plan would touch what it is not about.
        StateMoved: what is deployed moved since the plan was made, or another deploy won.
        RefusedDefinition: SageMaker does not accept a definition.
        Refused: a call was refused; pipelines that were not begun are untouched.
        Interrupted: Ctrl-C, after the first write perhaps.
    """
    if plan.is_empty:
        return ()
    check_calls(plan, clients.place)
    check_unmoved(clients, plan)
    try:
        return _carry_out(clients, plan, root, observer)
    except KeyboardInterrupt:
        raise Interrupted(
            "interrupted; a part may have been done",
            "run it again: it goes on where it stopped",
        ) from None


def _carry_out(clients: Clients, plan: Plan, root: Path, observer: Observer) -> tuple[Applied, ...]:
    publish_all(clients, plan.uploads, root, observer.uploaded)
    for call in plan.before:
        try:
            clients.call(call.operation, call.resource, **call.request)
        except Conflict:
            continue  # it is there already: another deploy of this repository made it
        observer.called("", call)

    def carry_out(each: PipelinePlan) -> Applied:
        return _Execution(clients, each, observer).run()

    # The first by name comes alone: of two deploys at once, the one that loses it touches no other.
    first = min(plan.changed, key=lambda each: each.name)
    done = {first.name: carry_out(first)}
    rest = [each for each in plan.changed if each.name != first.name]
    done.update((each.name, each) for each in in_parallel(carry_out, rest, PIPELINES_AT_ONCE))
    return tuple(done[each.name] for each in plan.changed)


@dataclass
class _Execution:
    """Makes the calls of one pipeline; fills in what only earlier answers tell."""

    clients: Clients
    plan: PipelinePlan
    observer: Observer
    arn: str = ""
    version: int | None = None
    sent: str = ""
    notes: list[str] = field(default_factory=list)
    scheduling: bool = False

    def run(self) -> Applied:
        for call in self.plan.calls:
            handler = _HANDLERS.get(call.operation, _Execution._make)
            if call.operation.startswith("scheduler:") and self.sent and not self.scheduling:
                # Whoever lost the pipeline must not leave schedules on the winner's.
                self.scheduling = True
                self._brought()
            try:
                handler(self, call)
            except Invalid as refused:
                if not call.operation.startswith("sagemaker:"):
                    raise
                raise RefusedDefinition(refused, self.plan.name) from None
            self.observer.called(self.plan.name, call)
        done = Applied(self.plan.name, self.plan.action, self.arn, self.version, tuple(self.notes))
        self.observer.finished(done)
        return done

    def _make(self, call: Call) -> dict[str, Any]:
        request = _filled(call.request, {PIPELINE_ARN: self.arn})
        return self.clients.call(call.operation, call.resource, **request)

    def _create(self, call: Call) -> None:
        self.sent = call.request.get("PipelineDefinition", self.sent)
        self.arn = str(self._make(call)["PipelineArn"])

    def _update(self, call: Call) -> None:
        self.sent = call.request.get("PipelineDefinition", self.sent)
        answer = self._make(call)
        self.arn = str(answer.get("PipelineArn") or self.arn)
        number = answer.get("PipelineVersionId")
        self.version = int(number) if number else None

    def _put(self, call: Call) -> None:
        request = call.request
        self.sent = request["Body"]
        put_object(
            self.clients, f"s3://{request['Bucket']}/{request['Key']}", request["Body"].encode()
        )

    def _update_version(self, call: Call) -> None:
        """Write into a version: the one the call names, else the newest."""
        try:
            number = call.request.get("PipelineVersionId")
            if number is None:
                number = self._newest()
            request = {**call.request, "PipelineVersionId": number}
            self._make(Call(call.operation, call.resource, request))
        except Unsupported:
            self.version = None
            self.notes.append("the API of this account has no versions: none was recorded")

    def _newest(self) -> int:
        if self.version is None:
            found = latest_version(self.clients, self.plan.name)
            self.version = found.number if found is not None else 1
        return self.version

    def _add_tags(self, call: Call) -> None:
        version = str(self.version) if self.version is not None else ownership.NO_VERSION
        request = _filled(call.request, {VERSION_ID: version})
        for tag in request["Tags"]:
            if tag["Key"] == ownership.DIGEST and self.sent:
                tag["Value"] = self._brought()
        self._make(Call(call.operation, call.resource, request))

    def _brought(self) -> str:
        """Return the fingerprint of what is there now, if it is what was sent.

        It is read back so that a deploy that ran at the same time is noticed, and so that the
        service may write a definition in its own way.

        Raises:
            StateMoved: it means something else: another deploy won.
        """
        found = read_pipeline(self.clients, self.plan.name, with_tags=False)
        there = found.definition if found is not None else None
        sent = json.loads(self.sent)
        if found is None or (there != sent and _meaning(there) != _meaning(sent)):
            raise StateMoved(
                f"`{self.plan.name}` was changed by another deploy at the same time",
                "run `sagedag plan` to see how it stands, then deploy again",
            )
        return found.fingerprint

    def _create_schedule(self, call: Call) -> None:
        try:
            self._make(call)
        except Conflict:
            # Its name is of our own group: an earlier call made it and its answer was lost.
            self._make(Call("scheduler:UpdateSchedule", call.resource, call.request))

    def _delete(self, call: Call) -> None:
        try:
            self._make(call)
        except Missing:
            return


_HANDLERS: Mapping[str, Any] = {
    "sagemaker:CreatePipeline": _Execution._create,
    "sagemaker:UpdatePipeline": _Execution._update,
    "sagemaker:UpdatePipelineVersion": _Execution._update_version,
    "sagemaker:AddTags": _Execution._add_tags,
    "sagemaker:DeletePipeline": _Execution._delete,
    "scheduler:CreateSchedule": _Execution._create_schedule,
    "scheduler:DeleteSchedule": _Execution._delete,
    "s3:PutObject": _Execution._put,
}


def _meaning(definition: Any) -> Any:
    return normal_form(definition) if isinstance(definition, dict) else definition


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    """Return a request with its stand-ins replaced."""
    if isinstance(value, str):
        return given.get(value, value)
    if isinstance(value, Mapping):
        return {key: _filled(item, given) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(item, given) for item in value]
    return value
