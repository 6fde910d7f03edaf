"""What the installed SDK has no words for, written into what it wrote.

The service takes every kind and field whatever SDK a definition came from, so none of them needs a
newer SDK: an unknown step type, a ForEach, a run condition or an MLflow server is put into the
definition after the SDK has written the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from steps._contract import StepRequest
from steps._sdk.names import names

_BRANCHES = ("IfSteps", "ElseSteps", "ForEachBody")


@cache
def pipeline_class() -> type[Any]:
    """Return a subclass of the SDK's Pipeline that adds what the SDK lacks to its definition."""
    sdk = names()
    base: Any = sdk.Pipeline

    class Pipeline(base):  # type: ignore[misc]  # the SDK ships no types
        """A pipeline of the SDK whose definition is complete."""

        def __init__(
            self,
            *,
            requests: Sequence[StepRequest],
            mlflow: Mapping[str, Any] | None,
            **common: Any,
        ) -> None:
            self._mlflow = mlflow
            self._requests = {request.name: request for request in _walk_requests(requests)}
            if mlflow and sdk.MlflowConfig is not None:
                common["mlflow_config"] = sdk.MlflowConfig(
                    mlflow_resource_arn=mlflow["arn"],
                    mlflow_experiment_name=mlflow.get("experiment"),
                )
            super().__init__(**common)

        def definition(self) -> str:
            """Return the definition as JSON text."""
            written = json.loads(super().definition())
            for step in _walk(written["Steps"]):
                _complete(step, self._requests[step["Name"]])
            if self._mlflow and sdk.MlflowConfig is None:
                config = {
                    "MlflowResourceArn": self._mlflow["arn"],
                    "MlflowExperimentName": self._mlflow.get("experiment"),
                }
                steps = written.pop("Steps")
                written |= {"MlflowConfig": config, "Steps": steps}
            return json.dumps(written)

    Pipeline.__qualname__ = base.__name__
    return Pipeline


def for_each_stand_in(
    name: str, arguments: Mapping[str, Any], body: list[Any], **common: Any
) -> Any:
    """Return a Condition in a ForEach's place, for an SDK without ForEach.

    A Condition is the only step whose inner steps such an SDK compiles; its one condition holds the
    ForEach's arguments.
    """
    return names().ConditionStep(
        name, conditions=[_Arguments(arguments)], if_steps=body, else_steps=[], **common
    )


class _Arguments:
    """Stands where the SDK wants a condition."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.arguments = arguments

    def to_request(self) -> dict[str, Any]:
        return dict(self.arguments)


def _complete(step: dict[str, Any], request: StepRequest) -> None:
    """Write into a step what the SDK could not."""
    if request.type == "ForEach" and step["Type"] == "Condition":
        (given,) = step["Arguments"]["Conditions"]
        step["Arguments"] = {**given, "ForEachBody": step["Arguments"]["IfSteps"]}
    step["Type"] = request.type
    if names().StepDependency is None and any(when for _, when in request.depends_on):
        step["DependsOn"] = [
            {"Step": name, "Trigger": when.capitalize()} if when else name
            for name, when in request.depends_on
        ]


def _walk(steps: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        for branch in _BRANCHES:
            yield from _walk(step["Arguments"].get(branch, []))


def _walk_requests(steps: Sequence[StepRequest]) -> Iterator[StepRequest]:
    for step in steps:
        yield step
        yield from _walk_requests((*step.then, *step.otherwise, *step.body))
