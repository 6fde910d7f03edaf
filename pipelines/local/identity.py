"""Names and ARNs of a local execution, in the shapes the service gives them."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass

# A stand-in that no AWS account has; environments may name another.
ACCOUNT = "000000000000"
REGION = "us-east-1"

_ALPHABET = string.ascii_lowercase + string.digits
_MIXED = string.ascii_letters + string.digits

# botocore: ProcessingJobName, TrainingJobName, ModelName are at most 63 characters.
MAX_NAME = 63
# botocore: PipelineName is at most 256 characters.
_PIPELINE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")


@dataclass(frozen=True)
class Identity:
    """Who runs: the account, the region, the pipeline and this execution of it."""

    pipeline: str
    execution: str
    account: str = ACCOUNT
    region: str = REGION

    def arn(self, resource: str) -> str:
        """Return the SageMaker ARN of a resource such as ``training-job/NAME``."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource}"

    @property
    def pipeline_arn(self) -> str:
        """The pipeline's ARN."""
        return self.arn(f"pipeline/{self.pipeline}")

    @property
    def execution_arn(self) -> str:
        """The execution's ARN."""
        return self.arn(f"pipeline/{self.pipeline}/execution/{self.execution}")

    def job_name(self, step: str, longest: int = MAX_NAME) -> str:
        """Make a name for a step's job: ``pipelines-EXECUTION-STEP-RANDOM``.

        Where little room is allowed, as for a tuning job, ``EXECUTION-STEP-RANDOM``.

        [U] No public source states the form; this is the one seen in the service's responses.
        Underscores, which step names allow and job names do not, become hyphens.
        """
        ending = "".join(secrets.choice(_MIXED) for _ in range(10))
        head = f"pipelines-{self.execution}-" if longest >= MAX_NAME else f"{self.execution}-"
        room = longest - len(head) - len(ending) - 1
        middle = step.replace("_", "-")[:room].strip("-")
        return f"{head}{middle}-{ending}" if middle else f"{head}{ending}"

    def custom_job_name(self, prefix: str, longest: int = MAX_NAME) -> str:
        """Make a job's name where the definition gives one, which the service takes as a prefix.

        [U] How the service makes such names unique is not documented.
        """
        ending = "".join(secrets.choice(_MIXED) for _ in range(10))
        head = prefix.replace("_", "-")[: longest - len(ending) - 1].strip("-")
        return f"{head}-{ending}"


def new_execution_id() -> str:
    """Make an execution id: twelve lower-case letters and digits, as the service's are."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


def pipeline_name(text: str) -> str:
    """Turn a file's or folder's name into a valid pipeline name."""
    if _PIPELINE_NAME.fullmatch(text):
        return text
    name = re.sub(r"[^a-zA-Z0-9]+", "-", text).strip("-")[:256].rstrip("-")
    return name or "pipeline"
