"""Checks of a definition as a whole: its references name things that exist, no cycle."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.definition.expressions import ExpressionError, references
from pipelines.definition.graph import (
    body_dependencies,
    dependencies,
    find_cycle,
    step_references,
)
from pipelines.definition.model import Definition, Step
from pipelines.definition.problems import Problems, nearest
from pipelines.definition.references import EXECUTION_VARIABLES, Reference


def check_references(definition: Definition, problems: Problems) -> None:
    """Check every reference, dependency and the graph; findings go into ``problems``."""
    sound = True
    for step in definition.steps:
        sound = _check_step(definition, step, definition.by_name, problems, None) and sound
        known = {**definition.by_name, **{inner.name: inner for inner in step.body}}
        for inner in step.body:
            sound = _check_step(definition, inner, known, problems, step) and sound
    if not sound:
        return
    try:
        for pointer, reference in references(definition.experiment, "/PipelineExperimentConfig"):
            text = _check_outside(definition, reference)
            if text:
                problems.add(pointer, text)
    except ExpressionError as error:
        pointer, _, text = str(error).partition(": ")
        problems.add(pointer, text)
    cycle = find_cycle(definition.steps, dependencies(definition))
    if cycle:
        problems.add("/Steps", "steps wait for each other: " + " → ".join(cycle))
    for step in definition.steps:
        cycle = find_cycle(step.body, body_dependencies(step))
        if cycle:
            problems.add(step.pointer, "steps wait for each other: " + " → ".join(cycle))


def _check_step(
    definition: Definition,
    step: Step,
    known: Mapping[str, Step],
    problems: Problems,
    loop: Step | None,
) -> bool:
    """Check a step's references and dependencies; return whether its expressions can be read.

    Args:
        known: the steps it may refer to.
        loop: the ForEach around it.
    """
    sound = True
    try:
        for pointer, reference in step_references(step):
            text = _check_reference(definition, step, known, reference, loop)
            if text:
                problems.add(pointer, text)
    except ExpressionError as error:
        sound = False
        pointer, _, text = str(error).partition(": ")
        problems.add(pointer, text)
    for index, edge in enumerate(step.depends_on):
        pointer = f"{step.pointer}/DependsOn/{index}"
        if edge.step == step.name:
            problems.add(pointer, f"the step `{step.name}` depends on itself")
        elif edge.step not in known:
            problems.add(pointer, _no_step(known, edge.step))
        elif loop is not None and edge.step == loop.name:
            problems.add(pointer, f"the step `{step.name}` is inside `{loop.name}`")
    return sound


def _check_reference(
    definition: Definition,
    step: Step,
    known: Mapping[str, Step],
    reference: Reference,
    loop: Step | None,
) -> str:
    if reference.root == "Steps":
        if reference.name == step.name:
            return f"the step `{step.name}` refers to itself"
        if loop is not None and reference.name == loop.name:
            return f"the step `{step.name}` is inside `{loop.name}` and cannot refer to it"
        return _check_target(known, reference)
    if reference.root == "ForEach":
        if loop is None:
            return "`ForEach` means something inside the body of a ForEach step only"
        if reference.name != "CurrentItem":
            return f"`ForEach` has `CurrentItem`, not `{reference.name}`"
        return ""
    if reference.root == "IterationOutput":
        if step.type != "ForEach":
            return "`IterationOutput` means something in the selector of a ForEach step only"
        names = [inner.name for inner in step.body]
        if reference.name not in names:
            return f"the body has no step `{reference.name}`" + nearest(reference.name, names)
        return ""
    return _check_outside(definition, reference)


def _check_target(known: Mapping[str, Step], reference: Reference) -> str:
    target = known.get(reference.name)
    if target is None:
        return _no_step(known, reference.name)
    file = reference.property_file
    if file is not None and file not in {item.name for item in target.property_files}:
        return f"the step `{target.name}` has no property file `{file}`" + nearest(
            file, [item.name for item in target.property_files]
        )
    return ""


def _check_outside(definition: Definition, reference: Reference) -> str:
    """Check a reference that is not to a step."""
    if reference.root == "Parameters":
        names = [parameter.name for parameter in definition.parameters]
        if reference.name not in names:
            return f"there is no parameter `{reference.name}`" + nearest(reference.name, names)
    elif reference.root == "Execution":
        if reference.name not in EXECUTION_VARIABLES:
            return f"there is no execution variable `{reference.name}`" + nearest(
                reference.name, EXECUTION_VARIABLES
            )
    elif reference.root == "PipelineExperimentConfig":
        if definition.experiment is None or reference.name not in definition.experiment:
            return f"PipelineExperimentConfig has no `{reference.name}`"
    else:
        return f"`{reference.root}` cannot stand here"
    return ""


def _no_step(known: Mapping[str, Step], name: str) -> str:
    return f"there is no step `{name[:100]}`" + nearest(name, known)
