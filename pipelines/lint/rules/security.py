"""Rules about who can read, reach and run what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.language.pages import Page
from pipelines.lint.jobs import gathered, shaped
from pipelines.lint.model import Finding, Part, Rule, Subject, items
from pipelines.lint.rules._examples import steps
from steps._expressions import Path

_LOCAL_STORAGE = re.compile(r"ml\.(?:[a-z]+\d+[a-z]*d[a-z]*|g5|g6|g6e|gr6|p5|p5en?|trn1n?|trn2)\.")
"""Instances with storage of their own, which always is encrypted by the hardware. Amazon SageMaker
API Reference, ResourceConfig, VolumeKmsKeyId: no key can be given for them. That the families with
a ``d`` behind their number and these few others are all of them is [U]."""


def has_local_storage(instance: object) -> bool:
    """Say whether an instance type brings storage that takes no key."""
    return isinstance(instance, str) and _LOCAL_STORAGE.match(instance) is not None


_OTHER_OUTPUTS = (("DataCaptureConfig",), ("AsyncInferenceConfig", "OutputConfig"))
"""Where EndpointConfig writes to S3."""


def _outputs(subject: Subject) -> Iterator[tuple[Part, Path]]:
    """Yield the structures that hold the key of what a step writes to S3."""
    for part, shape in shaped(subject):
        written = part.value(shape.output) if shape.output else None
        # A Processing job may write to feature groups alone.
        listed = items(part.value((*shape.output, "Outputs")))
        if written and (not listed or any("S3Output" in each for each in listed)):
            yield part, shape.output
    for part in subject.parts:
        if part.request.type == "EndpointConfig":
            yield from ((part, path) for path in _OTHER_OUTPUTS if part.value(path))


def _unencrypted_output(subject: Subject) -> Iterator[Finding]:
    found = list(_outputs(subject))
    yield from gathered(
        subject,
        "unencrypted-output",
        (part for part, path in found if part.value((*path, "KmsKeyId"))),
        ((part, path) for part, path in found if not part.value((*path, "KmsKeyId"))),
        "no KMS key encrypts the outputs of {}",
        "write `kms_key:`, here or under `defaults`",
    )


UNENCRYPTED_OUTPUT = Rule(
    Page(
        "unencrypted-output",
        "Outputs are not encrypted with a KMS key",
        "What a job writes to S3 names no KMS key, so the bucket's own default applies. Where no "
        "step has a key, it is said once, at `defaults` or at the pipeline's name.",
        "A key of your own decides who can read models and data, and its use is logged. If the "
        "bucket's default encryption is a key of your own already, ignore the rule in "
        "pyproject.toml.",
        steps("""
            prepare: {type: Processing, image: {framework: sklearn, version: 1.4-2},
                      instance: ml.m5.large, command: [prepare], outputs: [data]}
            """),
        steps("""
            prepare: {type: Processing, image: {framework: sklearn, version: 1.4-2},
                      instance: ml.m5.large, command: [prepare], outputs: [data],
                      kms_key: alias/pipelines}
            """),
        level="warning",
    ),
    "security",
    _unencrypted_output,
    cloud=True,
)


def _unencrypted_volume(subject: Subject) -> Iterator[Finding]:
    found = [
        (part, shape.cluster)
        for part, shape in shaped(subject)
        if shape.cluster
        and isinstance(part.value(shape.cluster), dict)
        and not has_local_storage(subject.known(part.value((*shape.cluster, "InstanceType"))))
    ]
    yield from gathered(
        subject,
        "unencrypted-volume",
        (part for part, path in found if part.value((*path, "VolumeKmsKeyId"))),
        ((part, path) for part, path in found if not part.value((*path, "VolumeKmsKeyId"))),
        "no KMS key encrypts the volumes of {}",
        "write `instance: {type: …, kms_key: …}`, here or under `defaults`",
    )


UNENCRYPTED_VOLUME = Rule(
    Page(
        "unencrypted-volume",
        "A job's volume is not encrypted with a KMS key of your own",
        "The storage volume of a job's machines names no KMS key. Instances with storage of their "
        "own are left out: it is always encrypted, and takes no key.",
        "The service then encrypts with a key of its own, which you can't take away from anybody.",
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge}
            """),
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: {type: ml.m5.xlarge, kms_key: alias/pipelines}}
            """),
        level="info",
    ),
    "security",
    _unencrypted_volume,
    cloud=True,
)


def _volume_key_refused(subject: Subject) -> Iterator[Finding]:
    for part, shape in shaped(subject):
        cluster = part.value(shape.cluster) if shape.cluster else None
        if not isinstance(cluster, dict) or not cluster.get("VolumeKmsKeyId"):
            continue
        instance = subject.known(cluster.get("InstanceType"))
        if has_local_storage(instance):
            yield Finding(
                part.place((*shape.cluster, "VolumeKmsKeyId")),
                f"`{instance}` takes no key for its volume",
                "its own storage is always encrypted; write `kms_key: null` for such instances",
            )


VOLUME_KEY_REFUSED = Rule(
    Page(
        "volume-key-refused",
        "The instance takes no key for its volume",
        "`instance` has a `kms_key`, and its type brings storage of its own.",
        "Such storage is encrypted by the machine itself. The service refuses the request for a "
        "job that names a key for it, when the pipeline runs.",
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: {type: ml.g5.xlarge, kms_key: alias/pipelines}}
            """),
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.g5.xlarge}
            """),
        level="error",
    ),
    "service",
    _volume_key_refused,
)


def _no_vpc(subject: Subject) -> Iterator[Finding]:
    found = [(p, (*s.network, "VpcConfig")) for p, s in shaped(subject) if s.network is not None]
    yield from gathered(
        subject,
        "no-vpc",
        (part for part, path in found if part.value((*path, "Subnets"))),
        ((part, path) for part, path in found if not part.value((*path, "Subnets"))),
        "no VPC is given for {}",
        "write `network: {subnets: […], security_groups: […]}`, here or under `defaults`",
    )


NO_VPC = Rule(
    Page(
        "no-vpc",
        "A job or model runs outside of your VPC",
        "The step names no subnets. Where no step does, it is said once, at `defaults` or at the "
        "pipeline's name.",
        "Without a VPC containers run in a network of the service's and reach the internet. In "
        "your VPC, security groups and endpoints decide what data can leave.",
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge}
            """),
        steps("""
            train:
              type: Training
              image: {framework: xgboost, version: 1.7-1}
              instance: ml.m5.xlarge
              network: {subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d]}
            """),
        level="warning",
    ),
    "security",
    _no_vpc,
    cloud=True,
)


def _no_isolation(subject: Subject) -> Iterator[Finding]:
    found = [
        (part, (*shape.network, "EnableNetworkIsolation"))
        for part, shape in shaped(subject)
        # A job in a VPC has that for a wall; AutoML knows no isolation.
        if shape.network is not None
        and part.request.type != "AutoML"
        and not part.value((*shape.network, "VpcConfig", "Subnets"))
    ]
    yield from gathered(
        subject,
        "no-network-isolation",
        (part for part, path in found if part.value(path)),
        ((part, path) for part, path in found if part.value(path) in (None, False)),
        "the containers of {} can reach the internet",
        "write `network: {isolation: true}` unless they need it, or run them in a VPC",
    )


NO_ISOLATION = Rule(
    Page(
        "no-network-isolation",
        "A container can reach the internet",
        "The step runs in no VPC of yours, and network isolation is off.",
        "Code from a requirements file or an image can then send your data anywhere. Isolated "
        "containers get their data from S3 by the service all the same; they can't install "
        "packages while they run.",
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge}
            """),
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, network: {isolation: true}}
            """),
        level="info",
    ),
    "security",
    _no_isolation,
    cloud=True,
)


def _unencrypted_traffic(subject: Subject) -> Iterator[Finding]:
    for part, shape in shaped(subject):
        if shape.network is None or not shape.cluster:
            continue
        count = subject.known(part.value((*shape.cluster, "InstanceCount")))
        switch = (*shape.network, "EnableInterContainerTrafficEncryption")
        if isinstance(count, int) and count > 1 and part.value(switch) in (None, False):
            yield Finding(
                part.place((*shape.cluster, "InstanceCount")),
                f"what {count} instances tell each other is not encrypted",
                "write `network: {encryption: true}`; training may take longer with it",
            )


UNENCRYPTED_TRAFFIC = Rule(
    Page(
        "unencrypted-traffic",
        "Traffic between a job's instances is not encrypted",
        "A job runs on several instances, and encryption of what they tell each other is off.",
        "Weights and parts of the data travel between the machines. With deep-learning "
        "algorithms encryption can make training slower; then say so beside the ignore.",
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: {type: ml.m5.xlarge, count: 2}}
            """),
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: {type: ml.m5.xlarge, count: 2}, network: {encryption: true}}
            """),
        level="warning",
    ),
    "security",
    _unencrypted_traffic,
    cloud=True,
)


RULES = (
    UNENCRYPTED_OUTPUT,
    UNENCRYPTED_VOLUME,
    NO_VPC,
    NO_ISOLATION,
    UNENCRYPTED_TRAFFIC,
)
