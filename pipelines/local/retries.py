"""Retrying what the service retries: its own faults, never a script's failure.

Facts: AWS, "Retry policy for pipeline steps": exception types, one second, backoff 2.0, five
attempts by default, at most twenty.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipelines.definition import RetryPolicy, Step

STEP_FAULTS = ("Step.SERVICE_FAULT", "Step.THROTTLING")
JOB_FAULTS = (
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)

MAX_ATTEMPTS = 20
DEFAULT_ATTEMPTS = 5

# The service retries its own faults by default, whatever the step's type (SDK: StepRetryPolicy).
DEFAULT_POLICY = RetryPolicy(STEP_FAULTS, max_attempts=DEFAULT_ATTEMPTS)

# Kinds that take no policy at all, by API type.
NEVER_RETRIED = frozenset(
    {
        "Condition",
        "Fail",
        "Lambda",
        "Callback",
        "QualityCheck",
        "ClarifyCheck",
        "Lineage",
        "Cleanup",
        "ForEach",
    }
)

# Kinds that make no job and so take the ``Step.*`` types only.
STEP_FAULTS_ONLY = frozenset({"Model", "RegisterModel"})


class ServiceError(Exception):
    """A fault of what stands in for the service.

    Args:
        exception_type: the name that retry policies match: ``Step.THROTTLING``, ….
        message: what happened.
    """

    def __init__(self, exception_type: str, message: str) -> None:
        super().__init__(message)
        self.exception_type = exception_type


@dataclass
class Attempts:
    """How often one step has been tried, by the policies that answer its faults."""

    step: Step
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.made = 0
        self._started = self.clock()
        self._used: dict[RetryPolicy, int] = {}

    def wait_after(self, fault: ServiceError) -> float | None:
        """Say how long to wait before the next attempt; None where the step has failed."""
        policy = policy_for(self.step, fault.exception_type)
        if policy is None:
            return None
        used = self._used.get(policy, 0) + 1
        self._used[policy] = used
        # The intervals grow beyond any use; the bound keeps the power finite.
        wait = policy.interval_seconds * min(policy.backoff_rate, 100.0) ** min(used - 1, 50)
        if policy.expire_after_minutes is not None:
            elapsed = self.clock() - self._started
            if elapsed + wait > policy.expire_after_minutes * 60:
                return None
            return wait
        # [U] MaxAttempts counts retries in the service's words ("retry attempts").
        limit = DEFAULT_ATTEMPTS if policy.max_attempts is None else policy.max_attempts
        return wait if used <= min(limit, MAX_ATTEMPTS) else None


def policy_for(step: Step, exception_type: str) -> RetryPolicy | None:
    """Return the policy that answers an exception type at a step; None where there is none."""
    if step.type in NEVER_RETRIED:
        return None
    if step.type in STEP_FAULTS_ONLY and exception_type not in STEP_FAULTS:
        return None
    policies: Sequence[RetryPolicy] = (*step.retries, DEFAULT_POLICY)
    return next((policy for policy in policies if exception_type in policy.exception_types), None)
