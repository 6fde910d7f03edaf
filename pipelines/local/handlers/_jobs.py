"""What the kinds that run a job share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.local.handlers._contract import StepContext, StepError, StepStopped
from pipelines.local.jobs import JobContext, JobFailed, JobStopped


def job_context(context: StepContext, resource: str) -> JobContext:
    """Return what a step's job is started with; ``resource`` is its ARN's word."""
    return JobContext(
        name=context.name,
        arn=context.identity.arn(f"{resource}/{context.name}"),
        folder=context.folder,
        objects=context.objects,
        isolation=context.isolation,
        cancelled=context.cancelled,
        on_line=context.on_line,
        log=context.log,
        account=context.identity.account,
        region=context.identity.region,
        environment={**context.s3.environment(), **context.variables("")},
        environments=context.environments,
        enter=context.enter,
        advance=context.advance,
        variables=context.variables,
        room=context.room,
        shell=context.step.name if context.shell else "",
    )


@contextlib.contextmanager
def as_step_end(metadata: Mapping[str, Any]) -> Iterator[None]:
    """Turn a job's bad end into its step's."""
    try:
        yield
    except JobFailed as error:
        reason = error.reason + (f" ({error.hint})" if error.hint else "")
        raise StepError(reason, metadata) from None
    except JobStopped:
        raise StepStopped from None


def texts(values: Iterable[object]) -> list[str]:
    """Return those of the values that are text with something in it."""
    return [value for value in values if isinstance(value, str) and value]


def dig(value: object, *path: str) -> object:
    """Walk down a request that may lack any part of the path; None where it does."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def each(value: object) -> list[object]:
    """Return a request's list; an empty one where there is none."""
    return value if isinstance(value, list) else []
