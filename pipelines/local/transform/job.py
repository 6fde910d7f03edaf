"""A batch transform job: the model served, its input sent record by record, the answers stored."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.buckets import Entry
from pipelines.local.jobs import JobContext, JobFailed, JobStopped, Progress
from pipelines.local.jobs.material import note, note_instances
from pipelines.local.serving import Answer, Host, HostSettings, Served
from pipelines.local.transform.records import BadInput, join_records, pack, read_records
from pipelines.local.transform.shaping import BadRecord, Shaping, lines_of, read_shaping

DEFAULT_PAYLOAD_MB = 6
"""API reference, CreateTransformJob, MaxPayloadInMB: the default value is 6 MB."""

FAILURE_REASON_LENGTH = 1024
"""Longest FailureReason. Source: DescribeTransformJob."""

_DESCRIBED = (
    "ModelName",
    "MaxConcurrentTransforms",
    "ModelClientConfig",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "TransformInput",
    "TransformOutput",
    "DataCaptureConfig",
    "TransformResources",
    "DataProcessing",
    "ExperimentConfig",
)


@dataclass(frozen=True)
class _Plan:
    """How a job's input is sent and its output written."""

    split: str
    compression: str
    content_type: str
    accept: str
    multi: bool
    max_bytes: int
    concurrent: int
    assemble: str
    shaping: Shaping
    seconds: float
    retries: int


def run_transform(
    request: Mapping[str, Any], served: Served, context: JobContext
) -> dict[str, Any]:
    """Run a transform job.

    Args:
        request: the resolved arguments of CreateTransformJob, judged by its shape already; the
            job's name is the context's.
        served: the model that ``ModelName`` names.
        context: where and as what its containers run.

    Returns:
        The response of DescribeTransformJob for the completed job.

    Raises:
        JobFailed: the model could not be served, or a file got no predictions: the others are
            stored; ``description`` is the Describe response.
        JobStopped: the caller cancelled it.
    """
    description = _describe(request, context)
    try:
        plan = _plan(request, context)
        entries = _inputs(request, context)
        note_instances(context, request.get("TransformResources", {}).get("InstanceCount"))
        description["TransformStartTime"] = datetime.now(timezone.utc)
        with ExitStack() as stack:
            hosts = _start(request, served, plan, context, stack)
            plan = _recommended(plan, request, hosts[0])
            context.enter("running")
            _transform_all(entries, str(request["TransformOutput"]["S3OutputPath"]), plan, hosts,
                           context)  # fmt: skip
    except (JobFailed, JobStopped) as ending:
        _end(description, "Stopped" if isinstance(ending, JobStopped) else "Failed")
        if isinstance(ending, JobFailed):
            description["FailureReason"] = ending.reason[:FAILURE_REASON_LENGTH]
        ending.description = description
        raise
    _end(description, "Completed")
    return description


def _describe(request: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    return {
        "TransformJobName": context.name,
        "TransformJobArn": context.arn,
        "TransformJobStatus": "InProgress",
        **{name: request[name] for name in _DESCRIBED if name in request},
        "CreationTime": datetime.now(timezone.utc),
    }


def _end(description: dict[str, Any], status: str) -> None:
    description["TransformJobStatus"] = status
    description["TransformEndTime"] = datetime.now(timezone.utc)


def _plan(request: Mapping[str, Any], context: JobContext) -> _Plan:
    source, target = request["TransformInput"], request["TransformOutput"]
    split = str(source.get("SplitType", "None"))
    content_type = str(source.get("ContentType") or "application/octet-stream")
    accept = str(target.get("Accept") or "")
    client = request.get("ModelClientConfig") or {}
    try:
        shaping = read_shaping(request, split, content_type, accept)
    except BadRecord as problem:
        raise JobFailed(f"ClientError: {problem}", context.log) from None
    megabytes = int(request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB))
    return _Plan(
        split=split,
        compression=str(source.get("CompressionType", "None")),
        content_type=content_type,
        accept=accept,
        # [U] Without a strategy and without a word of the container, as many as fit.
        multi=request.get("BatchStrategy", "MultiRecord") == "MultiRecord",
        max_bytes=megabytes << 20,
        concurrent=int(request.get("MaxConcurrentTransforms") or 0),
        assemble=str(target.get("AssembleWith", "None")),
        shaping=shaping,
        # API reference, ModelClientConfig: 600 seconds and 3 retries are the most; the default of
        # the retries is not documented [U].
        seconds=float(client.get("InvocationsTimeoutInSeconds", 600)),
        retries=int(client.get("InvocationsMaxRetries", 0)),
    )


def _inputs(request: Mapping[str, Any], context: JobContext) -> list[tuple[str, Entry]]:
    """Return the input files by the name that their output is made of."""
    source = request["TransformInput"].get("DataSource", {}).get("S3DataSource", {})
    kind, uri = source.get("S3DataType", "S3Prefix"), str(source.get("S3Uri", ""))
    try:
        if kind == "ManifestFile":
            return _manifest(context.objects.get(uri), context)
        if kind != "S3Prefix":
            raise JobFailed(
                f"ClientError: the input has S3DataType {kind}; only S3Prefix and ManifestFile can "
                "be read here",
                context.log,
            )
        found = [(entry.name, entry) for entry in context.objects.entries(uri)]
    except (ExecutionFailed, OSError) as problem:
        raise JobFailed(f"ClientError: the input: {problem}", context.log) from None
    if not found:
        raise JobFailed(f"ClientError: there is nothing at {uri}", context.log)
    return found


def _manifest(text: bytes, context: JobContext) -> list[tuple[str, Entry]]:
    """Return the files of a manifest: ``[{"prefix": URI}, "relative", …]``.

    Source: API reference, TransformS3DataSource.
    """
    try:
        head, *names = json.loads(text)
        prefix = str(head["prefix"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise JobFailed(
            'ClientError: the manifest is none: [{"prefix": "s3://…"}, "file", …]', context.log
        ) from None
    found = []
    for name in names:
        entries = context.objects.entries(prefix + str(name))
        if len(entries) != 1:
            raise JobFailed(f"ClientError: there is no object {prefix}{name}", context.log)
        found.append((str(name), entries[0]))
    return found


def _start(
    request: Mapping[str, Any],
    served: Served,
    plan: _Plan,
    context: JobContext,
    stack: ExitStack,
) -> list[Host]:
    """Start the model's containers; the stack stops them."""
    workers = plan.concurrent or os.cpu_count() or 1
    megabytes = plan.max_bytes >> 20
    environment = {
        **{str(name): str(value) for name, value in (request.get("Environment") or {}).items()},
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(megabytes),
        "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD" if plan.multi else "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(plan.concurrent or 1),
        "TRANSFORM_JOB_NAME": context.name,
        "TRANSFORM_JOB_ARN": context.arn,
    }
    settings = HostSettings(
        workers=min(workers, 16),
        # What is sent is cut to size already; what one container hands on is its own affair.
        max_bytes=0,
        environment=environment,
    )
    hosts = []
    for number, container in enumerate(served.containers, 1):
        own = replace(context, folder=context.folder / str(number))
        host = Host(container, own, settings)
        stack.callback(host.stop)
        host.start()
        hosts.append(host)
    return hosts


def _recommended(plan: _Plan, request: Mapping[str, Any], host: Host) -> _Plan:
    """Take what the container recommends for what the request leaves open."""
    if "MaxConcurrentTransforms" in request and "BatchStrategy" in request:
        return replace(plan, concurrent=plan.concurrent or 1)
    found = host.execution_parameters()
    concurrent = found.get("MaxConcurrentTransforms")
    chosen = plan.concurrent or (concurrent if isinstance(concurrent, int) else 0)
    multi = plan.multi
    if "BatchStrategy" not in request:
        multi = found.get("BatchStrategy", "MULTI_RECORD") == "MULTI_RECORD"
    return replace(plan, concurrent=max(1, min(chosen, 100)), multi=multi)


def _transform_all(
    entries: list[tuple[str, Entry]], target: str, plan: _Plan, hosts: list[Host],
    context: JobContext,
) -> None:  # fmt: skip
    """Transform every file. One that fails has no output; the others have theirs.

    Source: Developer Guide, "Use batch transform to get inferences from large datasets".
    """
    failures = []
    context.folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(plan.concurrent, thread_name_prefix="transform") as pool:
        for number, (name, entry) in enumerate(entries):
            if context.cancelled.is_set():
                raise JobStopped
            context.advance(Progress(number, len(entries), "files", note=name))
            made = context.folder / "out"
            try:
                _transform_file(entry.path, made, plan, hosts, pool)
                context.objects.put(f"{target.rstrip('/')}/{name}.out", made)
            except (BadInput, BadRecord, _Refused) as problem:
                failures.append(f"{name}: {problem}")
                note(context, failures[-1])
            except ExecutionFailed as problem:
                raise JobFailed(f"ClientError: the output: {problem}", context.log) from None
            finally:
                made.unlink(missing_ok=True)
    if failures:
        several = f" (and {len(failures) - 1} more files)" if len(failures) > 1 else ""
        raise JobFailed(f"ClientError: {failures[0]}{several}", context.log)


class _Refused(Exception):
    """The model refused a payload."""


def _transform_file(
    source: Path, made: Path, plan: _Plan, hosts: list[Host], pool: ThreadPoolExecutor
) -> None:
    """Write one file's predictions, in the order of its records."""
    separate = plan.assemble == "Line"
    payloads = pack(
        read_records(source, plan.split, plan.compression), plan.split, plan.multi, plan.max_bytes
    )
    with made.open("wb") as stream:
        waiting: list[Future[bytes]] = []
        more = True
        while more or waiting:
            # So many payloads are on their way as the job may have open; no file is held whole.
            while more and len(waiting) < plan.concurrent:
                payload = next(payloads, None)
                more = payload is not None
                if payload is not None:
                    waiting.append(pool.submit(_transform_payload, payload, plan, hosts))
            if waiting:
                text = waiting.pop(0).result()
                if separate or (not plan.shaping.changes_nothing and plan.split == "Line"):
                    text = text.rstrip(b"\r\n") + b"\n"
                stream.write(text)


def _transform_payload(records: list[bytes], plan: _Plan, hosts: list[Host]) -> bytes:
    shaping = plan.shaping
    sent = [shaping.for_model(record) for record in _rows(records, plan)]
    split = "Line" if plan.split == "Line" or len(sent) > 1 else plan.split
    body, kind = join_records(sent, split), plan.content_type
    for host in hosts:
        answer = _ask(host, body, kind, plan if host is hosts[-1] else replace(plan, accept=""))
        body, kind = answer.body, answer.content_type
    return body if shaping.changes_nothing else shaping.for_output(records, body)


def _rows(records: list[bytes], plan: _Plan) -> list[bytes]:
    """Return what an input filter works on: the rows, also of a file that is sent whole."""
    if plan.shaping.rows and not plan.shaping.input_filter.whole:
        return [line for record in records for line in lines_of(record)]
    return records


def _ask(host: Host, body: bytes, kind: str, plan: _Plan) -> Answer:
    for attempt in range(plan.retries + 1):
        answer = host.invoke(body, kind, plan.accept, plan.seconds)
        if answer.status < 300:
            return answer
        if answer.status < 500 or attempt == plan.retries:
            break
    raise _Refused(f"the model answered {answer.status}: {answer.reason}")
