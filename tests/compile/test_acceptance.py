"""A quick yes to a definition is one that the validator's library gives too."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import yaml
from compiled_cases import ALL, PULSAR
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from pipelines.language.acceptance import accepts
from pipelines.language.schema import definition_schema

SCHEMA = definition_schema()
VALIDATOR = Draft7Validator(SCHEMA)
FILES = [yaml.load(c.path.read_text("utf-8"), yaml.CSafeLoader) for c in ALL]
FILES.append(yaml.load(PULSAR.read_text("utf-8"), yaml.CSafeLoader))
ODD = st.sampled_from(
    [None, True, False, 0, 1, -1, 1.0, 0.5, 1e308, "", "x", "7", "${a.b}", "{{ x }}", [], {}, [1],
     ["a"], {"a": 1}, {"type": "Fail"}, "ml.m5.large", [[]], [None], "\u2028", "x" * 300]
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        found += _places(inner, (*path, key))
    return found


def _mutated(data: Any, path: tuple[Any, ...], how: str, odd: Any) -> Any:
    if not path:
        return odd if how == "retype" else data
    made = copy.deepcopy(data)
    parent = made
    for segment in path[:-1]:
        parent = parent[segment]
    last = path[-1]
    if how == "delete":
        del parent[last]
    elif how == "rename" and isinstance(parent, dict):
        parent[f"{last}x"] = parent.pop(last)
    elif how == "add" and isinstance(parent, dict):
        parent["added"] = odd
    else:
        parent[last] = odd
    return made


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_yes_here_is_a_yes_there(data: st.DataObject) -> None:
    definition = data.draw(st.sampled_from(FILES))
    steps = definition.get("steps", {})
    if steps and data.draw(st.booleans()):
        definition = data.draw(st.sampled_from(list(steps.values())))
        kind = definition.get("type", "Processing") if isinstance(definition, dict) else "Fail"
        schema = SCHEMA["definitions"].get(kind, SCHEMA)
    else:
        schema = SCHEMA
    for _ in range(data.draw(st.integers(0, 3))):
        path = data.draw(st.sampled_from(_places(definition)))
        how = data.draw(st.sampled_from(["delete", "rename", "retype", "add"]))
        definition = _mutated(definition, path, how, data.draw(ODD))
    if accepts(definition, schema, SCHEMA):
        assert [e.message for e in VALIDATOR.descend(definition, schema)] == []


def test_the_steps_of_the_cases_are_accepted() -> None:
    """A quick answer that never says yes would be of no use."""
    accepted = refused = 0
    for definition in FILES:
        for step in definition.get("steps", {}).values():
            if isinstance(step, dict) and step.get("type") in SCHEMA["definitions"]:
                yes = accepts(step, SCHEMA["definitions"][step["type"]], SCHEMA)
                accepted, refused = accepted + yes, refused + (not yes)
    # Refused are those whose `retry: {on: …}` this reader took for a boolean.
    assert accepted > 40
    assert accepted > 2 * refused


def test_the_shipped_definitions_need_no_validator() -> None:
    program = (
        "import sys; from pipelines.language.check import check\n"
        "checked = check(sys.argv[1], environment='dev')\n"
        "assert not checked.failed, checked.diagnostics\n"
        "assert 'jsonschema' not in sys.modules, 'the quick yes was no yes'\n"
    )
    command = [sys.executable, "-c", program, str(PULSAR)]
    done = subprocess.run(command, cwd=PULSAR.parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
