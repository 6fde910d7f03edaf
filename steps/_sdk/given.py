"""The SDK's own classes, taking requests that were built before.

The SDK's step classes call producers that talk to STS, IAM and S3 while compiling; here they are
subclassed so that what the step asks for is given to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

from steps._contract import Retry, StepRequest
from steps._sdk.names import names, step_base

_STEP_FAMILY = "Step."


@cache
def step_class(step_type: str) -> type[Any]:
    """Return a subclass of the SDK's class for a type, whose request is given, not produced."""
    sdk = names()
    base: Any = step_base(step_type)
    known = step_type in {member.value for member in sdk.StepTypeEnum}
    # The SDK refuses types it does not know; the pipeline puts the real one back.
    shown = sdk.StepTypeEnum(value=step_type) if known else sdk.StepTypeEnum.TRAINING

    class Given(base):  # type: ignore[misc]  # the SDK ships no types
        """A step of the SDK with a request that was built before."""

        def __init__(
            self, request: StepRequest, arguments: Any, fields: Any, **common: Any
        ) -> None:
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


def _cache(expire_after: str) -> Any:
    if not expire_after:
        return None
    return names().CacheConfig(enable_caching=True, expire_after=expire_after)


def _retries(policies: Sequence[Retry]) -> list[Any]:
    """Return the SDK's retry policies; it keeps the two families of reasons apart."""
    sdk = names()
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


def loop_variable(text: str) -> Any:
    """Return the SDK's variable for what differs between the rounds of a ForEach."""
    base: Any = names().PipelineVariable

    class Loop(base):  # type: ignore[misc]  # the SDK ships no types
        """A reference that holds inside a ForEach only."""

        @property
        def expr(self) -> Any:
            return {"Get": text}

        @property
        def _referenced_steps(self) -> list[Any]:
            return []

    return Loop()


def file_value(uri: Any, path: str) -> Any:
    """Return the SDK's variable for a value in a JSON file on S3.

    The SDK's own JsonGet takes such a file from its ``@step`` decorator alone.

    Args:
        uri: the file's URI, text or a variable of the SDK.
        path: where in it the value stands.
    """
    base: Any = names().PipelineVariable

    class FileValue(base):  # type: ignore[misc]  # the SDK ships no types
        """A value in a JSON file on S3."""

        @property
        def expr(self) -> Any:
            place = uri if isinstance(uri, str) else uri.expr
            return {"Std:JsonGet": {"S3Uri": place, "Path": path}}

        @property
        def _referenced_steps(self) -> list[Any]:
            return [] if isinstance(uri, str) else uri._referenced_steps

    return FileValue()


class _NoClient:
    """Stands where the SDK wants an AWS client that compiling never calls."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"compiling must not call AWS, and the SDK asked for `{name}`")


class Session:
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
        """Return the name of the environment's bucket."""
        return self.default_bucket_name
