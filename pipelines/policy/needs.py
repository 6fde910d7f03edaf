"""What steps need: which places they read and write, with which keys, images and roles.

Places in requests: Amazon SageMaker API Reference, the requests of the jobs that steps start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.language.requests import walk_requests
from pipelines.language.spec import PipelineSpec
from pipelines.policy.names import Names, s3_parts
from pipelines.policy.values import ANY, Values, argument
from steps._contract import StepRequest
from steps._expressions import EXPRESSIONS, PropertyRef

_WRITTEN = ("S3OutputPath", "DestinationS3Uri", "S3FailurePath", "LogUri")
"""Members that name a place where a job writes."""
_BOTH = "CheckpointConfig"
_OBJECTS = ("ModelDataUrl", "ArtifactUrl", "SampleS3Uri")
"""Members that name one object; others name what begins like them."""
_KEYS = ("KmsKeyId", "VolumeKmsKeyId", "OutputKmsKeyId", "S3KmsKeyId")
_IMAGES = ("ImageUri", "TrainingImage", "Image")
ROLES = ("RoleArn", "ExecutionRoleArn", "executionRoleArn")

LOGS = {
    "Processing": "ProcessingJobs",
    "QualityCheck": "ProcessingJobs",
    "ClarifyCheck": "ProcessingJobs",
    "Training": "TrainingJobs",
    "Tuning": "TrainingJobs",
    "AutoML": "",
    "Job": "",
}
"""Log groups below ``/aws/sagemaker/``. Amazon SageMaker Developer Guide, "CloudWatch Logs"."""


@dataclass
class JobNeeds:
    """What the containers of one role's jobs and models need.

    Args:
        role: the role's ARN.
        reads, writes: ARNs of objects.
        listed: for each bucket of these, the prefixes that are listed.
        keys: for each key's ARN, its aliases; those of volumes are in ``volume_keys`` as well.
        services: who may assume the role.
    """

    role: str
    steps: dict[str, None] = field(default_factory=dict)
    reads: dict[str, None] = field(default_factory=dict)
    writes: dict[str, None] = field(default_factory=dict)
    listed: dict[str, dict[str, None]] = field(default_factory=dict)
    keys: dict[str, dict[str, None]] = field(default_factory=dict)
    volume_keys: dict[str, dict[str, None]] = field(default_factory=dict)
    repositories: dict[str, None] = field(default_factory=dict)
    log_groups: dict[str, None] = field(default_factory=dict)
    feature_groups: dict[str, None] = field(default_factory=dict)
    subnets: dict[str, None] = field(default_factory=dict)
    security_groups: dict[str, None] = field(default_factory=dict)
    file_systems: dict[str, None] = field(default_factory=dict)
    services: dict[str, None] = field(default_factory=dict)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield what stands in arguments with its path; expressions are not entered."""
    if isinstance(value, Mapping) and not isinstance(value, EXPRESSIONS):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


class Gatherer:
    """Gathers what the steps of a definition need, role by role.

    Args:
        spec: the definition.
        values: what its values can be.
    """

    def __init__(self, spec: PipelineSpec, values: Values) -> None:
        self.spec, self.values = spec, values
        self.names = Names(spec.environment)
        self.by_role: dict[str, JobNeeds] = {}

    def gather(self, steps: tuple[StepRequest, ...]) -> dict[str, JobNeeds]:
        """Return what is needed, by role."""
        for step in walk_requests(steps):
            for role in self.roles(step):
                self._of_step(step, self.by_role.setdefault(role, JobNeeds(role)))
        return self.by_role

    def roles(self, step: StepRequest) -> tuple[str, ...]:
        """Return the roles that a step's containers run with; empty where it has none."""
        if step.type == "Transform":
            return self._role_of_model(step)
        found: dict[str, None] = {}
        for path, value in leaves(step.arguments):
            if path and path[-1] in ROLES:
                found.update((self.names.role(text), None) for text in self.values.texts(value))
        return tuple(found)

    def _role_of_model(self, step: StepRequest) -> tuple[str, ...]:
        """Return the role of a transform job: that of its model."""
        model = step.arguments.get("ModelName")
        source = self.values.requests.get(model.step) if isinstance(model, PropertyRef) else None
        if source is not None:
            return self.roles(source)
        self.values.remark(
            f"`{step.name}` runs with the role of its model, which is not made here: that role "
            "must read the step's input and write its output"
        )
        return ()

    def _of_step(self, step: StepRequest, needs: JobNeeds) -> None:
        needs.steps[step.name] = None
        service = {
            "EMRServerless": "emr-serverless.amazonaws.com",
            "EMR": "elasticmapreduce.amazonaws.com",
        }.get(step.type, "sagemaker.amazonaws.com")
        needs.services[service] = None
        if step.type in LOGS:
            needs.log_groups[f"/aws/sagemaker/{LOGS[step.type]}"] = None
        if step.type in ("Model", "Transform"):
            for name in ("Endpoints/", "TransformJobs"):
                needs.log_groups[f"/aws/sagemaker/{name}"] = None
        for path, value in leaves(step.arguments):
            if path:
                self._of_value(step.name, path, value, needs)

    def _of_value(self, step: str, path: tuple[Any, ...], value: Any, needs: JobNeeds) -> None:
        name, names, texts = path[-1], self.names, self.values.texts
        if name in _KEYS:
            for text in texts(value):
                key, alias = names.key(text)
                places = [needs.keys, *([needs.volume_keys] if "Volume" in name else [])]
                for aliases in (place.setdefault(key, {}) for place in places):
                    aliases.update({alias: None} if alias else {})
        elif name in _IMAGES:
            for text in texts(value):
                if repository := names.repository(text):
                    needs.repositories[repository] = None
        elif name == "FeatureGroupName":
            needs.feature_groups.update((text, None) for text in texts(value))
        elif name == "FileSystemId":
            needs.file_systems.update((text, None) for text in texts(value))
        elif "Subnets" in path or "SecurityGroupIds" in path:
            group = needs.subnets if "Subnets" in path else needs.security_groups
            group.update((text, None) for text in texts(value))
        elif isinstance(value, (str, *EXPRESSIONS)):
            self._of_text(step, path, value, needs)

    def _of_text(self, step: str, path: tuple[Any, ...], value: Any, needs: JobNeeds) -> None:
        place = _is_place(path)
        for text in self.values.texts(value):
            # Script mode writes its hyperparameters as JSON: a text in quotes.
            parts = s3_parts(text.strip('"'))
            if parts is None or (text == ANY and not place):
                continue
            if text == ANY:
                self.values.remark(
                    f"a place in S3 of `{step}` is known only when the pipeline runs: all buckets "
                    "are allowed for it"
                )
            written = path[-1] in _WRITTEN or "S3Output" in path or _BOTH in path
            if written:
                write(needs, self.names, *parts)
            if not written or _BOTH in path:
                read(needs, self.names, *parts, whole=path[-1] in _OBJECTS)


def _is_place(path: tuple[Any, ...]) -> bool:
    """Say whether a member of a request is a place in S3 by its name."""
    name = str(path[-1])
    return name in (*_WRITTEN, *_OBJECTS) or name.endswith(("S3Uri", "S3Uris"))


ASSETS = "assets/"
"""Where code lies below the environment's prefix, by its content's digest."""


def read(needs: JobNeeds, names: Names, bucket: str, key: str, *, whole: bool = False) -> None:
    """Note that objects are read: one, or all that begin like the key.

    Code is read anywhere among the assets: its digest changes with every line of it, and the role
    shall not.
    """
    root = f"{names.environment.prefix}/{ASSETS}".lstrip("/")
    last = key.rsplit("/", 1)[-1]
    exact = whole or "." in last or key.endswith("*")
    pattern = key if exact else f"{key}*"
    if bucket == names.environment.bucket and key.startswith(root):
        pattern = f"{root}*"
    needs.reads[names.objects(bucket, pattern)] = None
    needs.listed.setdefault(bucket, {})[pattern] = None


def write(needs: JobNeeds, names: Names, bucket: str, key: str) -> None:
    """Note that objects are written below a key."""
    pattern = key if key.endswith("*") else f"{key.rstrip('/')}/*".lstrip("/")
    needs.writes[names.objects(bucket, pattern)] = None
    needs.listed.setdefault(bucket, {})


def property_file_reads(values: Values, names: Names) -> tuple[str, ...]:
    """Return the objects that the pipeline reads itself: property files.

    Amazon SageMaker Developer Guide, "IAM Access Management": the pipeline's role needs S3
    permissions to use the JsonGet function.
    """
    found: dict[str, None] = {}
    for request in values.requests.values():
        for file in request.property_files:
            place = ("ProcessingOutputConfig", "Outputs", file.output, "S3Output", "S3Uri")
            for text in values.texts(argument(request, place)):
                parts = s3_parts(text)
                if parts is not None:
                    key = ANY if parts[1] == ANY else f"{parts[1].rstrip('/')}/{file.path}"
                    found[names.objects(parts[0], key)] = None
    return tuple(found)
