"""Metrics of a training job, found in its log by the request's regular expressions."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.local.jobs.context import JobContext, JobFailed
from pipelines.local.jobs.drivers import find_driver
from pipelines.local.jobs.images import parse_image

LINE_LENGTH = 4096
"""Longer log lines are cut here before an expression sees them."""

TIME_LIMIT = 5.0
"""Seconds that all expressions of a job together may take; a hostile one would never end."""


def final_metrics(
    request: Mapping[str, Any], context: JobContext, when: datetime
) -> list[dict[str, Any]]:
    """The last value of each metric that the log has.

    Args:
        request: with AlgorithmSpecification.MetricDefinitions.
        context: whose log is read.
        when: the metrics' timestamp.

    Returns:
        A FinalMetricDataList, in the definitions' order.

    Raises:
        JobFailed: an expression is none, or takes too long.
    """
    algorithm = request.get("AlgorithmSpecification", {})
    definitions = [*(algorithm.get("MetricDefinitions") or ()), *image_metrics(request)]
    if not definitions:
        return []
    # Costs 15 ms to import, and only jobs with metrics need it.
    import regex  # type: ignore[import-untyped,unused-ignore]

    compiled = []
    for definition in definitions:
        name = str(definition["Name"])
        try:
            compiled.append((name, regex.compile(str(definition["Regex"]))))
        except regex.error as problem:
            raise JobFailed(
                f"ClientError: the expression of metric {name!r} is wrong: {problem}", context.log
            ) from None
    values: dict[str, float] = {}
    deadline = time.monotonic() + TIME_LIMIT
    for line in _lines(context.log):
        for name, expression in compiled:
            try:
                match = expression.search(line, timeout=max(0.001, deadline - time.monotonic()))
            except TimeoutError:
                raise JobFailed(
                    f"ClientError: the expression of metric {name!r} takes too long on the log",
                    context.log,
                    hint="Nested repetitions such as (a+)+ are the usual cause.",
                ) from None
            if match is not None and match.re.groups:
                value = number_in(match.group(1))
                if value is not None:
                    values[name] = value
    return [
        {"MetricName": name, "Value": values[name], "Timestamp": when}
        for name, _ in compiled
        if name in values
    ]


def image_metrics(request: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the service reads of the log of an image that brings its own program."""
    if "sagemaker_program" in (request.get("HyperParameters") or {}):
        return []
    algorithm = request.get("AlgorithmSpecification", {})
    if algorithm.get("ContainerEntrypoint"):
        return []
    driver = find_driver(parse_image(str(algorithm.get("TrainingImage", ""))), request)
    return [] if driver is None else driver.metrics(request)


def _lines(log: Path) -> Iterator[str]:
    with log.open("rb") as stream:
        while raw := stream.readline(LINE_LENGTH):
            whole = raw.endswith(b"\n")
            yield raw.decode("utf-8", "replace").rstrip("\r\n")
            while not whole and (rest := stream.readline(1 << 16)):
                whole = rest.endswith(b"\n")


def number_in(text: str | None) -> float | None:
    """Return a metric's value. CloudWatch, PutMetricData: NaN and infinities are not supported."""
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None
