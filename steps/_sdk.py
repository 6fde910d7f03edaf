"""The only module that names the SageMaker SDK: requests in, SDK pipeline out.

Importing the SDK is not offline by itself: it builds clients while it is imported, reads the user's
AWS profile and SDK configuration, and asks the metadata service for credentials. Everything here
therefore happens inside :func:`offline`, which holds all of that off and puts the process's
environment back afterwards.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from steps._contract import Clause, Comparison, Retry, StepRequest
from steps._expressions import ExecutionRef, Join, JsonGet, LoopRef, ParameterRef, PropertyRef

_LOCK = threading.RLock()
_STEP_FAMILY = "Step."


class SdkMissing(Exception):
    """No SageMaker SDK that can compile pipelines is installed."""


@contextlib.contextmanager
def offline(region: str) -> Iterator[None]:
    """Keep the SDK from the network, the user's credentials and the user's configuration.

    Args:
        region: the region that compiling is for.

    The process's environment is changed inside and put back at the end; one thread at a time.
    """
    with _LOCK, tempfile.TemporaryDirectory(prefix="sagedag-") as folder:
        empty = Path(folder) / "empty.yaml"
        empty.write_text("")
        defaults = Path(folder) / "defaults.yaml"
        # The SDK's own switch for its telemetry (its configuration schema, `TelemetryOptOut`).
        defaults.write_text(
            "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n"
            "      TelemetryOptOut: true\n"
        )
        wanted: dict[str, str | None] = {
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_ACCESS_KEY_ID": "offline",
            "AWS_SECRET_ACCESS_KEY": "offline",
            "AWS_SESSION_TOKEN": None,
            "AWS_PROFILE": None,
            "AWS_DEFAULT_PROFILE": None,
            "AWS_CONFIG_FILE": str(empty),
            "AWS_SHARED_CREDENTIALS_FILE": str(empty),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": None,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": None,
            "AWS_WEB_IDENTITY_TOKEN_FILE": None,
            "AWS_ENDPOINT_URL": None,
            "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(defaults),
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(defaults),
        }
        before = {name: os.environ.get(name) for name in wanted}
        loggers = [logging.getLogger(name) for name in ("sagemaker", "sagemaker.config")]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            # At INFO the SDK tells where it looked for configuration, once per import.
            logger.setLevel(logging.ERROR)
        try:
            _set(wanted)
            yield
        finally:
            _set(before)
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@lru_cache(maxsize=1)
def _sdk() -> SimpleNamespace:
    """Return the SDK's names that are used here; call inside :func:`offline`."""
    found = SimpleNamespace()
    names = {
        "sagemaker.mlops.workflow.pipeline": ["Pipeline"],
        "sagemaker.mlops.workflow.pipeline_experiment_config": ["PipelineExperimentConfig"],
        "sagemaker.mlops.workflow.steps": [
            "CacheConfig", "ConfigurableRetryStep", "Step", "StepTypeEnum",
        ],
        "sagemaker.mlops.workflow.condition_step": ["ConditionStep"],
        "sagemaker.mlops.workflow.fail_step": ["FailStep"],
        "sagemaker.mlops.workflow.for_each_step": ["ForEachSelector", "ForEachStep"],
        "sagemaker.core.helper.pipeline_variable": ["PipelineVariable"],
        "sagemaker.mlops.workflow.step_dependency": ["StepDependency", "TriggerCondition"],
        "sagemaker.mlops.workflow.retry": [
            "SageMakerJobExceptionTypeEnum", "SageMakerJobStepRetryPolicy",
            "StepExceptionTypeEnum", "StepRetryPolicy",
        ],
        "sagemaker.core.workflow.conditions": [
            "ConditionEquals", "ConditionGreaterThan", "ConditionGreaterThanOrEqualTo",
            "ConditionIn", "ConditionLessThan", "ConditionLessThanOrEqualTo", "ConditionNot",
            "ConditionOr",
        ],
        "sagemaker.core.workflow.execution_variables": ["ExecutionVariable"],
        "sagemaker.core.workflow.functions": ["Join", "JsonGet"],
        "sagemaker.core.workflow.parameters": [
            "ParameterBoolean", "ParameterFloat", "ParameterInteger", "ParameterString",
        ],
        "sagemaker.core.workflow.properties": ["Properties", "PropertyFile"],
        "sagemaker.core.shapes.shapes": ["MlflowConfig"],
    }  # fmt: skip
    try:
        for module, members in names.items():
            loaded = importlib.import_module(module)
            for member in members:
                setattr(found, member, getattr(loaded, member))
    except ModuleNotFoundError as error:
        raise SdkMissing(str(error)) from error
    return found


STEP_CLASSES = {
    "Processing": ("steps", "ProcessingStep"),
    "Training": ("steps", "TrainingStep"),
    "Transform": ("steps", "TransformStep"),
    "Tuning": ("steps", "TuningStep"),
    "Model": ("model_step", "ModelStep"),
    "RegisterModel": ("model_step", "ModelStep"),
    "AutoML": ("automl_step", "AutoMLStep"),
    "Callback": ("callback_step", "CallbackStep"),
    "ClarifyCheck": ("clarify_check_step", "ClarifyCheckStep"),
    "Cleanup": ("cleanup_step", "CleanupStep"),
    "EMR": ("emr_step", "EMRStep"),
    "EMRServerless": ("emr_serverless_step", "EMRServerlessStep"),
    "Endpoint": ("endpoint_step", "EndpointStep"),
    "EndpointConfig": ("endpoint_step", "EndpointConfigStep"),
    "Job": ("steps", "JobStep"),
    "InferenceComponent": ("inference_component_step", "InferenceComponentStep"),
    "Lambda": ("lambda_step", "LambdaStep"),
    "Lineage": ("lineage_step", "LineageStep"),
    "QualityCheck": ("quality_check_step", "QualityCheckStep"),
}
"""The SDK's class of each step type: module below ``workflow``, and name. A type without one is
written by a plain step of the SDK."""


@cache
def _step_class(step_type: str) -> type[Any]:
    """Return a subclass of the SDK's class for a type, whose request is given, not produced.

    The SDK's own classes call producers that talk to STS, IAM and S3 while compiling.
    """
    sdk = _sdk()
    base: Any = sdk.ConfigurableRetryStep
    if step_type in STEP_CLASSES:
        module, name = STEP_CLASSES[step_type]
        base = getattr(importlib.import_module(f"sagemaker.mlops.workflow.{module}"), name)

    class Given(base):  # type: ignore[misc]  # the SDK ships no types
        """A step of the SDK with a request that was built before."""

        def __init__(
            self, request: StepRequest, arguments: Any, fields: Any, **common: Any
        ) -> None:
            known = step_type in {member.value for member in sdk.StepTypeEnum}
            # The SDK refuses types it does not know; the compiler puts the real one back.
            shown = sdk.StepTypeEnum(value=step_type) if known else sdk.StepTypeEnum.TRAINING
            sdk.Step.__init__(self, request.name, step_type=shown, **common)
            # Not every class of the SDK knows retries; where there are none, none are written.
            self.retry_policies = _retries(request.retries)
            self.step_args = None
            self._arguments = arguments
            self._fields = fields
            self._properties = sdk.Properties(step_name=request.name, step=self)
            self.cache_config = _cache(request.cache)
            self.property_files = [
                sdk.PropertyFile(file.name, file.output, file.path)
                for file in request.property_files
            ]
            self.steps: list[Any] = []
            self.outputs: list[Any] = []

        @property
        def arguments(self) -> Any:
            return self._arguments

        @property
        def properties(self) -> Any:
            return self._properties

        def to_request(self) -> Any:
            made = sdk.Step.to_request(self)
            if self.retry_policies:
                made["RetryPolicies"] = [policy.to_request() for policy in self.retry_policies]
            if self.cache_config:
                made.update(self.cache_config.config)
            if self.property_files:
                made["PropertyFiles"] = [file.expr for file in self.property_files]
            made.update(self._fields)
            return made

    Given.__name__ = Given.__qualname__ = base.__name__
    return Given


def _loop_variable(text: str) -> Any:
    """Return the SDK's variable for what differs between the rounds of a ForEach."""
    base: Any = _sdk().PipelineVariable

    class Loop(base):  # type: ignore[misc]  # the SDK ships no types
        """A reference that holds inside a ForEach only."""

        @property
        def expr(self) -> Any:
            return {"Get": text}

        @property
        def _referenced_steps(self) -> list[Any]:
            return []

    return Loop()


class _NoClient:
    """Stands where the SDK wants an AWS client that compiling never calls."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"compiling must not call AWS, and the SDK asked for `{name}`")


class _Session:
    """What ``Pipeline`` wants of a session; it reaches nothing."""

    def __init__(self, region: str, bucket: str) -> None:
        self.boto_region_name = region
        self.default_bucket_name = bucket
        self.default_bucket_prefix = None
        self.local_mode = False
        self.boto_session = SimpleNamespace(
            region_name=region, client=lambda *_, **__: _NoClient(), resource=lambda *_, **__: None
        )
        self.sagemaker_client = _NoClient()
        self.config = None

    def default_bucket(self) -> str:
        return self.default_bucket_name


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
    sdk = _sdk()
    made = {p[0]: _parameter(*p) for p in parameters}
    translator = _Translator(made)
    config = None
    if experiment is not None:
        config = sdk.PipelineExperimentConfig(
            translator.value(experiment["ExperimentName"]),
            translator.value(experiment["TrialName"]),
        )
    tracking = None
    if mlflow:
        tracking = sdk.MlflowConfig(
            mlflow_resource_arn=mlflow["arn"], mlflow_experiment_name=mlflow.get("experiment")
        )
    return sdk.Pipeline(
        name=name,
        parameters=list(made.values()),
        pipeline_experiment_config=config,
        mlflow_config=tracking,
        steps=[translator.step(step) for step in steps],
        sagemaker_session=_Session(region, bucket),
    )


def _parameter(name: str, kind: str, default: Any, enum: tuple[Any, ...]) -> Any:
    sdk = _sdk()
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
        sdk = _sdk()
        if isinstance(value, ParameterRef):
            return self.parameters[value.name]
        if isinstance(value, ExecutionRef):
            return sdk.ExecutionVariable(value.name)
        if isinstance(value, PropertyRef):
            return sdk.Properties(step_name=value.step, path=value.text)
        if isinstance(value, JsonGet):
            return sdk.JsonGet(step_name=value.step, property_file=value.file, json_path=value.path)
        if isinstance(value, LoopRef):
            return _loop_variable(value.text)
        if isinstance(value, Join):
            return sdk.Join(on=value.on, values=[self.value(part) for part in value.values])
        if isinstance(value, Mapping):
            return {key: self.value(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(part) for part in value]
        return value

    def step(self, request: StepRequest) -> Any:
        """Return the SDK's step of a request."""
        sdk = _sdk()
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
            selector = arguments.get("Selector")
            return sdk.ForEachStep(
                request.name,
                iterable_items=arguments["IterableItems"],
                max_concurrency=arguments["MaxConcurrency"],
                for_each_body=[self.step(step) for step in request.body],
                selector=selector and sdk.ForEachSelector(selector["Pick"], selector["Field"]),
                **common,
            )
        if request.type == "Fail":
            return sdk.FailStep(request.name, error_message=arguments["ErrorMessage"], **common)
        fields = self.value(request.members)
        return _step_class(request.type)(request, arguments, fields, **common)

    def dependency(self, step: str, when: str) -> Any:
        """Return a step's name, or with a trigger the SDK's StepDependency."""
        sdk = _sdk()
        return sdk.StepDependency(step, sdk.TriggerCondition[when.upper()]) if when else step

    def clause(self, clause: Clause) -> Any:
        """Return a clause: one comparison, or an Or of several."""
        made = [self.comparison(comparison) for comparison in clause]
        return made[0] if len(made) == 1 else _sdk().ConditionOr(conditions=made)

    def comparison(self, comparison: Comparison) -> Any:
        """Return a comparison, wrapped into Not where it is negated."""
        sdk = _sdk()
        left, right = self.value(comparison.left), self.value(comparison.right)
        if comparison.operator == "In":
            made = sdk.ConditionIn(value=left, in_values=right)
        else:
            made = getattr(sdk, f"Condition{comparison.operator}")(left=left, right=right)
        return sdk.ConditionNot(made) if comparison.negated else made


def _cache(expire_after: str) -> Any:
    if not expire_after:
        return None
    return _sdk().CacheConfig(enable_caching=True, expire_after=expire_after)


def _retries(policies: Sequence[Retry]) -> list[Any]:
    """Return the SDK's retry policies; it keeps the two families of reasons apart."""
    sdk = _sdk()
    made = []
    for policy in policies:
        limits = {
            "backoff_rate": policy.backoff,
            "interval_seconds": policy.interval,
            "max_attempts": policy.attempts,
            "expire_after_mins": policy.expire,
        }
        # By keyword: the SDK's enumerations ignore a positional value and give their first member.
        step = [sdk.StepExceptionTypeEnum(value=r) for r in policy.on if r.startswith(_STEP_FAMILY)]
        job = [
            sdk.SageMakerJobExceptionTypeEnum(value=r)
            for r in policy.on
            if not r.startswith(_STEP_FAMILY)
        ]
        if step:
            made.append(sdk.StepRetryPolicy(exception_types=step, **limits))
        if job:
            made.append(sdk.SageMakerJobStepRetryPolicy(exception_types=job, **limits))
    return made
