"""Checks over the whole definition: limits, cycles, branches, S3 places, conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.language.conform import s3_places
from pipelines.language.diagnostics import Report
from pipelines.language.nodes import Scalar, get
from pipelines.language.resolve import steps_needed, steps_read
from pipelines.language.schedules import check_schedules
from pipelines.language.schema import definition_schema
from pipelines.language.spec import ParameterSpec, PipelineSpec, StepSpec
from steps._contract import Problem
from steps._expressions import Join, ParameterRef, Path

PIPELINE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")
"""CreatePipeline, PipelineName: this pattern, at most 256 characters."""

REMOTE = ("s3://", "https://")


def check_pipeline(spec: PipelineSpec, report: Report) -> None:
    """Report what is wrong with a definition beyond its single steps."""
    check_name(spec, report)
    check_cycles(spec, report)
    check_conditions(spec, report)
    check_loops(spec, report)
    check_triggers(spec, report)
    check_places(spec, report)
    check_schedules(spec, report)


def check_name(spec: PipelineSpec, report: Report) -> None:
    """Report a pipeline name that the service refuses."""
    node = get(spec.tree, "pipeline")
    if (
        node is not None
        and spec.name
        and "{{" not in spec.name  # its template is wrong, which was told
        and not (len(spec.name) <= 256 and PIPELINE_NAME.fullmatch(spec.name))
    ):
        from pipelines.language.sandbox import slug

        report.at(
            node,
            "bad-name",
            f"`{spec.name}` can't be a pipeline's name: letters, digits "
            "and single hyphens between them, at most 256",
            f"such as `{slug(spec.name)[:256]}`" if slug(spec.name) else "",
        )


def check_cycles(spec: PipelineSpec, report: Report) -> None:
    """Report every cycle of steps that wait for each other, once, at its first step."""
    steps = {step.name: step for step in spec.walk()}
    needs: dict[str, list[str]] = {}
    for step in steps.values():
        around = {condition for condition, _ in step.branch}
        wanted = steps_needed(step) & set(steps)
        # A step in a branch waits for its condition, and so for what the condition waits for.
        needs[step.name] = [n for n in steps if n in wanted or n in around]
    done: set[str] = set()
    for name in steps:
        cycle = _cycle_from(name, needs, done)
        if cycle:
            first = min(cycle, key=list(steps).index)
            turn = cycle.index(first)
            shown = [*cycle[turn:], *cycle[:turn], first]
            report.problem(
                spec.tree,
                Problem(
                    "cycle",
                    (),
                    f"these steps wait for each other: {' → '.join(shown)}",
                    "each arrow is a reference or a `depends_on`; take one of them out",
                    at_key=True,
                ),
                steps[first].path,
            )


def _cycle_from(start: str, needs: Mapping[str, list[str]], done: set[str]) -> list[str]:
    """Return a cycle that is reached from ``start``, without recursion; empty if there is none."""
    if start in done:
        return []
    trail: list[str] = [start]
    on_trail = {start}
    pending: list[Iterator[str]] = [iter(needs.get(start, []))]
    while pending:
        following = next(pending[-1], None)
        if following is None:
            pending.pop()
            left = trail.pop()
            on_trail.discard(left)
            done.add(left)
        elif following in on_trail:
            found = trail[trail.index(following) :]
            done.update(trail)
            return found
        elif following not in done:
            trail.append(following)
            on_trail.add(following)
            pending.append(iter(needs.get(following, [])))
    return []


def check_conditions(spec: PipelineSpec, report: Report) -> None:
    """Warn about conditions in branches and about waiting for a condition."""
    kinds = {step.name: step.kind.name for step in spec.walk()}
    for step in spec.walk():
        if step.kind.name == "Condition" and step.branch:
            # [U] The SDK allows it; older service documentation forbids it.
            report.problem(
                spec.tree,
                Problem(
                    "nested-condition",
                    (),
                    "a condition inside a branch: older documentation of the "
                    "service forbids it, the SDK allows it",
                    level="warning",
                    at_key=True,
                ),
                step.path,
            )
        told = any(report.blames((*step.path, name)) for name in ("then", "else"))
        empty = not told and not step.then and not step.otherwise
        if step.kind.name == "Condition" and empty:
            report.problem(
                spec.tree,
                Problem(
                    "empty-condition",
                    (),
                    f"the condition `{step.name}` has no steps in its branches",
                    "write them under `then` and `else`",
                    at_key=True,
                    level="warning",
                ),
                step.path,
            )
        for name in steps_needed(step):
            if kinds.get(name) == "Condition":
                # [U] No public source says how the service orders a step after a condition.
                report.problem(
                    spec.tree,
                    Problem(
                        "waits-for-condition",
                        (),
                        f"waiting for the condition `{name}`: no public "
                        "documentation says what the service makes of it",
                        level="warning",
                        at_key=True,
                    ),
                    step.path,
                )


NOT_IN_A_BODY = ("Condition", "Fail", "ForEach")
"""Kinds that the SDK's ``ForEachStep`` refuses in a body."""


def check_loops(spec: PipelineSpec, report: Report) -> None:
    """Report ForEach steps without a body, and what can't stand in or beside one."""
    steps = {step.name: step for step in spec.walk()}
    for loop in steps.values():
        if loop.kind.name != "ForEach":
            continue
        if not loop.body and not report.blames((*loop.path, "steps")):
            message = f"the ForEach `{loop.name}` has no steps"
            problem = Problem("missing-key", (), message, "write them under `steps`", at_key=True)
            report.problem(spec.tree, problem, loop.path)
        for inner in loop.body:
            if inner.kind.name in NOT_IN_A_BODY:
                message = f"a {inner.kind.name} step can't stand in the body of a ForEach"
                report.problem(spec.tree, Problem("bad-value", ("type",), message), inner.path)
            for name in steps:
                # The SDK's documentation: a round's steps are called `<body step>-<index>`.
                if re.fullmatch(re.escape(inner.name) + "-[0-9]+", name):
                    message = f"`{name}` is also what the rounds of `{loop.name}` call a step"
                    hint = f"the rounds of `{inner.name}` are `{inner.name}-0`, `{inner.name}-1` …"
                    problem = Problem("bad-name", (), message, hint, at_key=True)
                    report.problem(spec.tree, problem, steps[name].path)


def check_triggers(spec: PipelineSpec, report: Report) -> None:
    """Report steps that wait for another's failure and read its values all the same."""
    for step in spec.walk():
        for dependency in step.depends_on:
            if not dependency.when:
                continue
            if dependency.step in steps_read(step):
                # [U] What a failed step's fields hold is documented nowhere.
                report.problem(
                    spec.tree,
                    Problem(
                        "reads-failed-step",
                        ("depends_on",),
                        f"this step waits for `{dependency.step}` with `when: "
                        f"{dependency.when}`, so it can't read its values",
                        at_key=True,
                    ),
                    step.path,
                )


def check_places(spec: PipelineSpec, report: Report) -> None:
    """Report local paths where a cloud environment needs S3 URIs."""
    if spec.environment.local:
        return
    parameters = {parameter.name: parameter for parameter in spec.parameters}
    schemas = definition_schema()["definitions"]
    for step in spec.walk():
        for path, value in s3_places(dict(step.step.fields), schemas[step.kind.name]):
            _check_place(spec, report, step, path, value, parameters)


def _check_place(
    spec: PipelineSpec,
    report: Report,
    step: StepSpec,
    path: Path,
    value: Any,
    parameters: Mapping[str, ParameterSpec],
) -> None:
    where = f"the environment `{spec.environment.name}`"
    hint = "write an S3 URI; a local path belongs under `environments: {local: …}`"
    if isinstance(value, Join):
        value = value.values[0]
        if not isinstance(value, str):
            return
    if isinstance(value, str) and value and not value.startswith(REMOTE):
        message = f"`{value}` is a local path, and {where} has none"
        report.problem(spec.tree, Problem("local-path", path, message, hint), step.path)
    if isinstance(value, ParameterRef):
        default = parameters[value.name].default if value.name in parameters else None
        if isinstance(default, str) and default and not default.startswith(REMOTE):
            node = get(spec.tree, "parameters", value.name, "default")
            if isinstance(node, Scalar):
                message = f"`{default}` is a local path, and {where} has none"
                report.at(node, "local-path", message, hint)
