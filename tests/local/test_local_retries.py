from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from local_samples import always, document, model, processing

from pipelines.definition import RetryPolicy, Step
from pipelines.local.retries import Attempts, ServiceError, policy_for

Run = Callable[..., Any]


def policy(*kinds: str, **more: Any) -> dict[str, Any]:
    return {"ExceptionType": list(kinds), "IntervalSeconds": 0, "BackoffRate": 1, **more}


def test_a_service_fault_is_tried_again_by_its_policy(run: Run) -> None:
    job = processing("job", RetryPolicies=[policy("SageMaker.CAPACITY_ERROR", MaxAttempts=3)])
    ran = run(document(job), faults={"job": ["SageMaker.CAPACITY_ERROR"] * 3})
    assert ran.status == "Succeeded"
    assert ran.steps["job"].attempts == 4
    assert ran.steps["job"].faults == ["SageMaker.CAPACITY_ERROR: injected"] * 3


def test_the_time_between_attempts_is_waiting_and_its_cause_is_told(run: Run, runs: Any) -> None:
    retried = {**policy("SageMaker.CAPACITY_ERROR", MaxAttempts=2), "IntervalSeconds": 1}
    ran = run(
        document(processing("job", RetryPolicies=[retried])),
        faults={"job": ["SageMaker.CAPACITY_ERROR"]},
    )
    phases = ran.steps["job"].phases
    assert phases["waiting"] >= 1 > phases["preparing"]
    assert "2 attempts after SageMaker.CAPACITY_ERROR: injected" in runs("show")


def test_a_policy_ends(run: Run) -> None:
    job = processing("job", RetryPolicies=[policy("SageMaker.CAPACITY_ERROR", MaxAttempts=2)])
    ran = run(document(job), faults={"job": ["SageMaker.CAPACITY_ERROR"] * 3})
    assert ran.statuses == {"job": "Failed"}
    assert ran.steps["job"].failure_reason == "SageMaker.CAPACITY_ERROR: injected"


def test_faults_nobody_asked_to_retry_fail_the_step(run: Run) -> None:
    job = processing("job", RetryPolicies=[policy("Step.THROTTLING", MaxAttempts=2)])
    ran = run(document(job), faults={"job": ["SageMaker.RESOURCE_LIMIT"]})
    assert ran.statuses == {"job": "Failed"}


def test_the_services_own_faults_are_retried_by_default(run: Run) -> None:
    began = time.monotonic()
    ran = run(document(model("m")), faults={"m": ["Step.THROTTLING"]})
    assert ran.status == "Succeeded" and ran.steps["m"].attempts == 2
    assert time.monotonic() - began >= 1


def test_a_scripts_own_failure_is_not_retried(run: Run) -> None:
    kinds = ("SageMaker.JOB_INTERNAL_ERROR", "Step.SERVICE_FAULT", "Step.THROTTLING")
    ran = run(document(processing("job", "fail", RetryPolicies=[policy(*kinds, MaxAttempts=5)])))
    assert ran.steps["job"].attempts == 1


def test_a_condition_is_never_retried(run: Run) -> None:
    step = always("c", RetryPolicies=[policy("Step.THROTTLING", MaxAttempts=5)])
    assert run(document(step), faults={"c": ["Step.THROTTLING"]}).statuses == {"c": "Failed"}


def step(kind: str, *retries: RetryPolicy) -> Step:
    return Step("s", kind, {}, "/Steps/0", retries=retries)


def test_waits_grow_and_expire() -> None:
    now = [0.0]
    retry = RetryPolicy(("Step.THROTTLING",), 10, 3, expire_after_minutes=2)
    attempts = Attempts(step("Processing", retry), clock=lambda: now[0])
    fault = ServiceError("Step.THROTTLING", "")
    assert attempts.wait_after(fault) == 10
    now[0] = 10
    assert attempts.wait_after(fault) == 30
    now[0] = 40
    assert attempts.wait_after(fault) is None


def test_attempts_are_counted_for_each_policy() -> None:
    capacity = RetryPolicy(("SageMaker.CAPACITY_ERROR",), 1, 1, max_attempts=1)
    throttling = RetryPolicy(("Step.THROTTLING",), 2, 1, max_attempts=1)
    attempts = Attempts(step("Training", capacity, throttling))
    first, second = (
        ServiceError("SageMaker.CAPACITY_ERROR", ""),
        ServiceError("Step.THROTTLING", ""),
    )
    assert attempts.wait_after(first) == 1
    assert attempts.wait_after(second) == 2
    assert attempts.wait_after(first) is None


@pytest.mark.parametrize(
    ("kind", "fault", "answered"),
    [
        ("Processing", "SageMaker.JOB_INTERNAL_ERROR", True),
        ("RegisterModel", "SageMaker.JOB_INTERNAL_ERROR", False),
        ("RegisterModel", "Step.THROTTLING", True),
        ("Fail", "Step.THROTTLING", False),
        ("Lambda", "Step.THROTTLING", False),
    ],
)
def test_which_kinds_take_which_policies(kind: str, fault: str, answered: bool) -> None:
    kinds = ("SageMaker.JOB_INTERNAL_ERROR", "Step.THROTTLING")
    assert (
        policy_for(step(kind, RetryPolicy(kinds, max_attempts=1)), fault) is not None
    ) == answered
