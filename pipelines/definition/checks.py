"""Checks of a definition as a whole: its references name things that exist, no cycle."""

from __future__ import annotations

from pipelines.definition.expressions import ExpressionError, references
from pipelines.definition.graph import NESTING_TYPES, dependencies, find_cycle
from pipelines.definition.model import Definition, Step
from pipelines.definition.problems import Problems, nearest
from pipelines.definition.references import EXECUTION_VARIABLES, Reference


def check_references(definition: Definition, problems: Problems) -> None:
    """Check every reference, dependency and the graph; findings go into ``problems``."""
    malformed = False
    for step in definition.steps:
        try:
            for pointer, reference in references(step.arguments, f"{step.pointer}/Arguments"):
                text = _check_reference(definition, step, reference)
                if text:
                    problems.add(pointer, text)
        except ExpressionError as error:
            malformed = True
            pointer, _, text = str(error).partition(": ")
            problems.add(pointer, text)
        for index, edge in enumerate(step.depends_on):
            pointer = f"{step.pointer}/DependsOn/{index}"
            if edge.step == step.name:
                problems.add(pointer, f"the step `{step.name}` depends on itself")
            elif edge.step not in definition.by_name:
                problems.add(pointer, _no_step(definition, edge.step))
    if malformed:
        return
    try:
        for pointer, reference in references(definition.experiment, "/PipelineExperimentConfig"):
            text = _check_outside(definition, reference)
            if text:
                problems.add(pointer, text)
    except ExpressionError as error:
        pointer, _, text = str(error).partition(": ")
        problems.add(pointer, text)
    cycle = find_cycle(definition, dependencies(definition))
    if cycle:
        problems.add("/Steps", "steps wait for each other: " + " → ".join(cycle))


def _check_reference(definition: Definition, step: Step, reference: Reference) -> str:
    if reference.root == "Steps":
        if step.type in NESTING_TYPES:
            return ""
        if reference.name == step.name:
            return f"the step `{step.name}` refers to itself"
        return _check_step(definition, reference)
    if reference.root in ("ForEach", "IterationOutput"):
        if step.type in NESTING_TYPES:
            return ""
        return f"`{reference.root}` means something inside a ForEach step only"
    return _check_outside(definition, reference)


def _check_step(definition: Definition, reference: Reference) -> str:
    target = definition.by_name.get(reference.name)
    if target is None:
        return _no_step(definition, reference.name)
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


def _no_step(definition: Definition, name: str) -> str:
    return f"there is no step `{name[:100]}`" + nearest(name, definition.by_name)
