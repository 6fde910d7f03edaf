"""Step kinds: one module each, listed here in the order of the documentation."""

from __future__ import annotations

import re

from steps import (
    automl,
    callback,
    clarify_check,
    cleanup,
    condition,
    create_model,
    emr,
    emr_serverless,
    endpoint,
    endpoint_config,
    fail,
    for_each,
    function,
    inference_component,
    job,
    lambda_function,
    lineage,
    monitor_batch_transform,
    notebook_job,
    processing,
    quality_check,
    raw,
    register_model,
    repack,
    training,
    transform,
    tuning,
)
from steps._contract import Field, Kind
from steps._every_step import COMMON, TAIL

KINDS: tuple[Kind, ...] = (
    processing.KIND,
    training.KIND,
    tuning.KIND,
    transform.KIND,
    condition.KIND,
    register_model.KIND,
    create_model.KIND,
    repack.KIND,
    fail.KIND,
    lambda_function.KIND,
    callback.KIND,
    quality_check.KIND,
    clarify_check.KIND,
    monitor_batch_transform.MonitorBatchTransform(
        transform.KIND, quality_check.KIND, clarify_check.KIND
    ),
    emr.KIND,
    emr_serverless.KIND,
    automl.KIND,
    notebook_job.KIND,
    endpoint_config.KIND,
    endpoint.KIND,
    inference_component.KIND,
    lineage.KIND,
    cleanup.KIND,
    for_each.KIND,
    job.KIND,
    function.KIND,
    raw.KIND,
)


def kind_named(name: object) -> Kind | None:
    """Return the kind called ``name``, or None."""
    return next((kind for kind in KINDS if kind.name == name), None)


def kind_of_api(word: str) -> Kind | None:
    """Return the kind that the API or the SDK calls ``word``, or None.

    Such are ``CreateTrainingJob``, a type of step such as ``Model``, and the SDK's ``TuningStep``.
    """
    names = {
        _stem(name): kind
        for kind in reversed(KINDS)
        for name in (*kind.known_as, kind.operation, kind.api_type)
    }
    names |= {_stem(kind.name): kind for kind in KINDS}
    return names.get(_stem(word)) if word else None


def _stem(name: str) -> str:
    return re.sub(r"^create(?=.)|(?<=.)(job|step)$", "", name.lower())


def all_fields(kind: Kind) -> dict[str, Field]:
    """Return a kind's fields in documented order, those of every step included."""
    tail = dict(TAIL)
    if not kind.cacheable:
        del tail["cache"]
    if not kind.retries:
        del tail["retry"]
    if not kind.takes_request:
        del tail["request"]
    if not kind.takes_step_fields:
        del tail["step_fields"]
    return {**COMMON, **kind.fields, **tail}
