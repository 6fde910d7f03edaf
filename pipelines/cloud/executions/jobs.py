"""What a step ran: the jobs that its metadata names, where they log, and where a browser sees them.

Sources: botocore's shape PipelineExecutionStepMetadata; "CloudWatch Logs for Amazon SageMaker AI"
in SageMaker's developer guide (the log groups, and streams that begin with the job's name); "Lambda
function logs" (``/aws/lambda/NAME``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Job:
    """A job, model or other thing that a step made or called.

    Args:
        kind: the member of the metadata: ``TrainingJob``, ``Lambda``, ….
        arn: its ARN.
        group: the CloudWatch log group; empty where it has none.
        prefix: what the names of its streams begin with; empty: they do not tell, and only the
            time does (a function's).
        streams: what the names of its streams match, where the prefix could be another job's too.
        note: where its log is, when that is not CloudWatch.
    """

    kind: str
    arn: str
    group: str = ""
    prefix: str = ""
    streams: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """The last part of its ARN."""
        return re.split(r"[/:]", self.arn)[-1]

    def has_stream(self, name: str) -> bool:
        """Whether a log stream of the group is this job's."""
        if not name.startswith(self.prefix):
            return False
        return not self.streams or re.match(self.streams, name) is not None


_GROUPS = {
    "TrainingJob": "/aws/sagemaker/TrainingJobs",
    "ProcessingJob": "/aws/sagemaker/ProcessingJobs",
    "TransformJob": "/aws/sagemaker/TransformJobs",
}
_CHECKS = ("QualityCheck", "ClarifyCheck")
_CLUSTERS = ("EMR", "EMRServerless")


def jobs_of(metadata: Mapping[str, Any]) -> tuple[Job, ...]:
    """Return what the metadata of a step names."""
    return tuple(_found(metadata))


def _found(metadata: Mapping[str, Any]) -> Iterator[Job]:
    for kind, told in metadata.items():
        if not isinstance(told, Mapping):
            continue
        if kind in _CHECKS:
            arn = str(told.get("CheckJobArn") or "")
            if arn:
                yield _logging("ProcessingJob", arn)
        elif kind in _CLUSTERS:
            path = str(told.get("LogFilePath") or "")
            name = str(told.get("StepId") or told.get("JobRunId") or "")
            yield Job(kind, name, note=f"the log is in {path}" if path else "")
        elif told.get("Arn"):
            yield _logging(kind, str(told["Arn"]))


def _logging(kind: str, arn: str) -> Job:
    name = re.split(r"[/:]", arn)[-1]
    if kind in _GROUPS:
        return Job(kind, arn, _GROUPS[kind], f"{name}/")
    if kind == "TuningJob":
        # Its training jobs are called NAME-001-0a1b2c3d [U].
        streams = rf"{re.escape(name)}-\d{{3,}}-[0-9a-f]{{8}}/"
        return Job(kind, arn, _GROUPS["TrainingJob"], f"{name}-", streams)
    if kind == "Lambda":
        # The ARN may end in a version or an alias: …:function:NAME:3.
        found = re.search(r":function:([^:]+)", arn)
        return Job(kind, arn, f"/aws/lambda/{found.group(1)}") if found else Job(kind, arn)
    if kind == "Endpoint":
        return Job(kind, arn, f"/aws/sagemaker/Endpoints/{name}")
    return Job(kind, arn)


_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_PAGES = {
    "TrainingJob": "jobs",
    "ProcessingJob": "processing-jobs",
    "TransformJob": "transform-jobs",
    "TuningJob": "hyper-tuning-jobs",
    "Model": "models",
    "Endpoint": "endpoints",
    "EndpointConfig": "endpointConfig",
}
"""The console's pages of a job [U]: no documentation states their addresses."""


def console_url(job: Job) -> str:
    """Return the address of a job's page in the AWS console; empty where it has none."""
    page, parts = _PAGES.get(job.kind), job.arn.split(":")
    if page is None or len(parts) < 6 or parts[1] not in _CONSOLES:
        return ""
    region = parts[3]
    return (
        f"https://{region}.{_CONSOLES[parts[1]]}/sagemaker/home?region={region}"
        f"#/{page}/{quote(job.name)}"
    )


def log_url(job: Job, region: str, partition: str = "aws") -> str:
    """Return the address of a job's log in the CloudWatch console; empty where it has none.

    Its fragment is quoted twice with ``$`` for ``%`` [U].
    """
    if not job.group or partition not in _CONSOLES:
        return ""
    group = _twice(job.group)
    chosen = f"$3FlogStreamNameFilter$3D{_twice(job.prefix)}" if job.prefix else ""
    return (
        f"https://{region}.{_CONSOLES[partition]}/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{group}{chosen}"
    )


def _twice(text: str) -> str:
    return quote(quote(text, safe=""), safe="").replace("%", "$")
