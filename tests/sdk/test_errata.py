"""AWS's published schema of pipeline definitions, behind the errata, judges what the SDK writes.

The errata patch a schema that nobody maintains, so each entry must be needed, and the patched
schema must still refuse what is broken.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from errata import ERRATA
from jsonschema import Draft7Validator
from schema_patch import Erratum, Witness, patched, problems

Definition = dict[str, Any]


def takes(schema: Definition, witness: Witness) -> bool:
    if witness.of == "$schema":
        return bool(schema["$schema"] == witness.value)
    part = {"$ref": f"#/definitions/{witness.of}"} if witness.of else schema
    whole = {**part, "definitions": schema["definitions"]}
    return Draft7Validator(whole).is_valid(witness.value)


@pytest.mark.parametrize("erratum", ERRATA, ids=lambda erratum: erratum.reason[:50])
def test_each_erratum_is_needed_and_does_what_it_says(
    published: Definition, schema: Definition, erratum: Erratum
) -> None:
    without = patched(published, [other for other in ERRATA if other is not erratum])
    assert not takes(without, erratum.witness)
    assert takes(schema, erratum.witness)


@pytest.mark.slow
def test_the_published_schema_alone_refuses_the_sdks_own_output(
    published: Definition, sdk_example: Definition, sdk_variants: Definition
) -> None:
    assert problems(published, sdk_example)
    assert problems(published, sdk_variants)


@pytest.mark.slow
def test_the_sdks_own_output_passes(
    schema: Definition, sdk_example: Definition, sdk_variants: Definition
) -> None:
    assert problems(schema, sdk_example) == []
    assert problems(schema, sdk_variants) == []


def _set(*path: str | int, value: Any) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        target: Any = definition
        for token in path[:-1]:
            target = target[token]
        target[path[-1]] = value

    return change


def _delete(*path: str | int) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        target: Any = definition
        for token in path[:-1]:
            target = target[token]
        del target[path[-1]]

    return change


TRAIN, EVALUATE, GATE = (("Steps", index) for index in range(3))
CONDITIONS = (*GATE, "Arguments", "Conditions")
REGISTER = (*GATE, "Arguments", "IfSteps", 0)
REJECT = (*GATE, "Arguments", "ElseSteps", 0)

BREAKAGES = {
    "no steps": _delete("Steps"),
    "another version": _set("Version", value="2021-12-01"),
    "an unknown member": _set("Stages", value=[]),
    "an unknown experiment member": _set("PipelineExperimentConfig", "Trial", value="a"),
    "an illegal parameter name": _set("Parameters", 0, "Name", value="min precision"),
    "an unknown parameter type": _set("Parameters", 0, "Type", value="Text"),
    "a default of another type": _set("Parameters", 1, "DefaultValue", value="0.9"),
    "an enum of another type": _set("Parameters", 0, "EnumValues", value=[1]),
    "a step without a name": _delete(*TRAIN, "Name"),
    "an illegal step name": _set(*TRAIN, "Name", value="train it"),
    "an unknown step type": _set(*TRAIN, "Type", value="Train"),
    "a step without arguments": _delete(*TRAIN, "Arguments"),
    "an unknown step member": _set(*TRAIN, "Retries", value=3),
    "an unknown exception type": _set(
        *TRAIN, "RetryPolicies", 0, "ExceptionType", value=["Step.TIRED"]
    ),
    "an unknown argument": _set(*TRAIN, "Arguments", "Hyperparameters", value={}),
    "a count that is text": _set(*TRAIN, "Arguments", "ResourceConfig", "InstanceCount", value="1"),
    "a hyperparameter that is a number": _set(
        *TRAIN, "Arguments", "HyperParameters", "trees", value=10
    ),
    "an unknown function": _set(
        *TRAIN, "Arguments", "Environment", "OWNER", value={"Fetch": "Parameters.Owner"}
    ),
    "a property file without its output": _delete(*EVALUATE, "PropertyFiles", 0, "OutputName"),
    "a join of a map": _set(
        *EVALUATE, "Arguments", "Environment", "MIN_PRECISION", "Std:Join", "Values", value=[{}]
    ),
    "an unknown comparison": _set(*CONDITIONS, 0, "Type", value="AtLeast"),
    "a comparison of one value": _delete(*CONDITIONS, 0, "RightValue"),
    "a property file read without a path": _delete(
        *CONDITIONS, 0, "LeftValue", "Std:JsonGet", "Path"
    ),
    "an older SDK's Not": _set(
        *CONDITIONS, 1, "Conditions", 1, value={"Type": "Not", "Expression": {}}
    ),
    "a branch that is a name": _set(*GATE, "Arguments", "IfSteps", value=["register"]),
    "an unknown argument of RegisterModel": _set(*REGISTER, "Arguments", "Group", value="a"),
    "a message that is a number": _set(*REJECT, "Arguments", "ErrorMessage", value=1),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", BREAKAGES.values(), ids=BREAKAGES)
def test_broken_definitions_are_still_refused(
    schema: Definition, sdk_variants: Definition, change: Callable[[Definition], None]
) -> None:
    broken = copy.deepcopy(sdk_variants)
    change(broken)
    assert broken != sdk_variants
    assert problems(schema, broken)
