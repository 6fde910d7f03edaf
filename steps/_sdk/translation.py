"""From the product's expressions, steps and pipelines to the SDK's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from steps._contract import Clause, Comparison, StepRequest
from steps._expressions import ExecutionRef, Join, JsonGet, LoopRef, ParameterRef, PropertyRef
from steps._sdk.given import Session, file_value, loop_variable, step_class
from steps._sdk.lacking import for_each_stand_in, pipeline_class
from steps._sdk.names import names


def build_pipeline(
    *,
    name: str,
    parameters: Sequence[tuple[str, str, Any, tuple[Any, ...]]],
    steps: Sequence[StepRequest],
    experiment: Mapping[str, Any] | None,
    mlflow: Mapping[str, Any] | None,
    region: str,
    bucket: str,
) -> Any:
    """Return an SDK ``Pipeline`` whose steps are instances of the SDK's step classes.

    Args:
        parameters: name, type, default and enum values of each parameter.
        experiment: ExperimentName and TrialName; None for none.
        mlflow: ``arn`` and ``experiment`` of an MLflow tracking server.

    Call it, and the pipeline's ``definition()``, inside :func:`offline`.

    Raises:
        SdkMissing: there is no SDK.
    """
    sdk = names()
    made = {p[0]: _parameter(*p) for p in parameters}
    translator = _Translator(made)
    config = None
    if experiment is not None:
        config = sdk.PipelineExperimentConfig(
            translator.value(experiment["ExperimentName"]),
            translator.value(experiment["TrialName"]),
        )
    return pipeline_class()(
        requests=steps,
        mlflow=mlflow,
        name=name,
        parameters=list(made.values()),
        pipeline_experiment_config=config,
        steps=[translator.step(step) for step in steps],
        sagemaker_session=Session(region, bucket),
    )


def _parameter(name: str, kind: str, default: Any, enum: tuple[Any, ...]) -> Any:
    sdk = names()
    if kind == "String":
        return sdk.ParameterString(name, default, list(enum) or None)
    if kind == "Integer":
        return sdk.ParameterInteger(name, default)
    if kind == "Float":
        return sdk.ParameterFloat(name, default)
    return sdk.ParameterBoolean(name=name, default_value=default)


class _Translator:
    """Turns the product's expressions and steps into the SDK's."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters

    def value(self, value: Any) -> Any:
        """Return plain data with the SDK's pipeline variables in it."""
        sdk = names()
        if isinstance(value, ParameterRef):
            return self.parameters[value.name]
        if isinstance(value, ExecutionRef):
            return sdk.ExecutionVariable(value.name)
        if isinstance(value, PropertyRef):
            return sdk.Properties(step_name=value.step, path=value.text)
        if isinstance(value, JsonGet) and value.uri is not None:
            return file_value(self.value(value.uri), value.path)
        if isinstance(value, JsonGet):
            return sdk.JsonGet(step_name=value.step, property_file=value.file, json_path=value.path)
        if isinstance(value, LoopRef):
            return loop_variable(value.text)
        if isinstance(value, Join):
            return sdk.Join(on=value.on, values=[self.value(part) for part in value.values])
        if isinstance(value, Mapping):
            return {key: self.value(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(part) for part in value]
        return value

    def step(self, request: StepRequest) -> Any:
        """Return the SDK's step of a request."""
        sdk = names()
        common: dict[str, Any] = {
            "display_name": request.display_name or None,
            "description": request.description or None,
            "depends_on": [self.dependency(*each) for each in request.depends_on] or None,
        }
        if request.type == "Condition":
            return sdk.ConditionStep(
                request.name,
                conditions=[self.clause(clause) for clause in request.clauses],
                if_steps=[self.step(step) for step in request.then],
                else_steps=[self.step(step) for step in request.otherwise],
                **common,
            )
        arguments = self.value(request.arguments)
        if request.type == "ForEach":
            body = [self.step(step) for step in request.body]
            if sdk.ForEachStep is None:
                return for_each_stand_in(request.name, arguments, body, **common)
            selector = arguments.get("Selector")
            return sdk.ForEachStep(
                request.name,
                iterable_items=arguments["IterableItems"],
                max_concurrency=arguments["MaxConcurrency"],
                for_each_body=body,
                selector=selector and sdk.ForEachSelector(selector["Pick"], selector["Field"]),
                **common,
            )
        if request.type == "Fail":
            return sdk.FailStep(request.name, error_message=arguments["ErrorMessage"], **common)
        fields = self.value(request.members)
        return step_class(request.type)(request, arguments, fields, **common)

    def dependency(self, step: str, when: str) -> Any:
        """Return a step's name, or with a trigger the SDK's StepDependency."""
        sdk = names()
        if not when or sdk.StepDependency is None:
            return step
        return sdk.StepDependency(step, sdk.TriggerCondition[when.upper()])

    def clause(self, clause: Clause) -> Any:
        """Return a clause: one comparison, or an Or of several."""
        made = [self.comparison(comparison) for comparison in clause]
        return made[0] if len(made) == 1 else names().ConditionOr(conditions=made)

    def comparison(self, comparison: Comparison) -> Any:
        """Return a comparison, wrapped into Not where it is negated."""
        sdk = names()
        left, right = self.value(comparison.left), self.value(comparison.right)
        if comparison.operator == "In":
            made = sdk.ConditionIn(value=left, in_values=right)
        else:
            made = getattr(sdk, f"Condition{comparison.operator}")(left=left, right=right)
        return sdk.ConditionNot(made) if comparison.negated else made
