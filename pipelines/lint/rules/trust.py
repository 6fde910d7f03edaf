"""Rules about what is run, with whose rights, and what must stay secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.language.pages import Page
from pipelines.lint.model import Finding, Part, Rule, Subject, leaves
from pipelines.lint.rules._examples import steps
from steps._expressions import ParameterRef, Path, is_expression

IMAGE_MEMBERS = ("ImageUri", "TrainingImage", "Image")
"""Members of requests that hold an image's URI: AppSpecification, AlgorithmSpecification,
ContainerDefinition and InferenceComponentContainerSpecification."""

ROLE_MEMBERS = ("RoleArn", "ExecutionRoleArn", "executionRoleArn")

_ECR = re.compile(r"\d{12}\.dkr[.-]ecr[.-]")


def images(part: Part) -> Iterator[tuple[Path, object]]:
    """Yield the images that the definition itself chooses, with their places in the arguments.

    Those that the tables of AWS's own images give are nobody's choice: some have no tag at all.
    """
    written = [value for _, value in leaves(part.spec.step.fields)]
    for path, value in part.leaves:
        if path and path[-1] in IMAGE_MEMBERS and (is_expression(value) or value in written):
            yield path, value


def _public_image(subject: Subject) -> Iterator[Finding]:
    for part in subject.parts:
        for path, value in images(part):
            image = subject.known(value)
            if isinstance(image, str) and "/" in image and not _ECR.match(image):
                # As Docker reads names: without a dot or port it is a user of Docker Hub.
                first = image.split("/", 1)[0]
                registry = first if "." in first or ":" in first else "docker.io"
                yield Finding(
                    part.place(path),
                    f"the image comes from `{registry}`, not from ECR",
                    "copy it into an ECR repository of yours",
                )


PUBLIC_IMAGE = Rule(
    Page(
        "public-image",
        "An image comes from a public registry",
        "The image's URI does not name a private ECR registry "
        "(`ACCOUNT.dkr.ecr.REGION.amazonaws.com/…`).",
        "SageMaker pulls from ECR; other registries work for training in a VPC only. Whoever can "
        "push to a public image decides what runs on your data.",
        steps("""
            train: {type: Training, image: docker.io/library/trainer:1.0,
                    instance: ml.m5.xlarge}
            """),
        steps("""
            train: {type: Training, instance: ml.m5.xlarge,
                    image: "{{ account }}.dkr.ecr.{{ region }}.amazonaws.com/trainer:1.0"}
            """),
        level="warning",
    ),
    "security",
    _public_image,
    cloud=True,
)


def _wildcard_role(subject: Subject) -> Iterator[Finding]:
    enums = {p.name: p.enum for p in subject.spec.parameters}
    for part in subject.parts:
        for path, value in part.leaves:
            if not path or path[-1] not in ROLE_MEMBERS:
                continue
            if isinstance(value, ParameterRef) and enums.get(value.name):
                continue
            if is_expression(value):
                message = "whoever starts the pipeline chooses the role"
                hint = "write the role here, or give the parameter an `enum`"
            elif isinstance(value, str) and "*" in value:
                message = "the role's ARN has a `*` in it"
                hint = "write the ARN of one role"
            else:
                continue
            yield Finding(part.place(path), message, hint)


WILDCARD_ROLE = Rule(
    Page(
        "wildcard-role",
        "Any role may be passed to a step",
        "A step's role is known only when the pipeline runs, and nothing limits it; or its ARN "
        "has a `*` in it.",
        "The pipeline's own role then needs `iam:PassRole` on every role, and whoever may start "
        "the pipeline can run code with all of them. `sagedag policy` has to write `*`.",
        steps(
            """
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, role: "${parameters.Role}"}
            """,
            "parameters: {Role: {type: String}}",
        ),
        steps(
            """
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, role: "${parameters.Role}"}
            """,
            """
            parameters:
              Role:
                type: String
                default: "arn:aws:iam::{{ account }}:role/training"
                enum: ["arn:aws:iam::{{ account }}:role/training"]
            """,
        ),
        level="warning",
    ),
    "security",
    _wildcard_role,
)

_SECRETS = {"apikey", "credential", "credentials", "passwd", "password", "secret", "token"}
_SECRET_PAIRS = {("access", "key"), ("api", "key"), ("private", "key"), ("secret", "key")}
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_ACCESS_KEY = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])")
"""AWS IAM User Guide, "IAM identifiers": how the IDs of access keys begin, and their length."""
_POINTERS = ("arn:", "s3://", "/", "http://", "https://")
"""How values begin that say where a secret is, and are none."""


def _is_secret(name: str, value: str) -> bool:
    """Say whether a text is a secret: an access key's ID, or what stands under a telling name."""
    if _ACCESS_KEY.search(value):
        return True
    words = [word.lower() for word in _WORDS.findall(name)]
    telling = words[-1:] and (words[-1] in _SECRETS or tuple(words[-2:]) in _SECRET_PAIRS)
    return bool(telling) and bool(value.strip()) and not value.startswith(_POINTERS)


def _plain_secret(subject: Subject) -> Iterator[Finding]:
    parameters = {p.name: p.default for p in subject.spec.parameters}
    for name, default in parameters.items():
        if isinstance(default, str) and _is_secret(name, default):
            at = ("parameters", name)
            yield Finding(at, f"`{name}` holds a secret in plain text", _KEEP, hide=True)
    for part in subject.parts:
        for path, value in leaves(part.spec.step.fields):
            name = next((str(each) for each in reversed(path) if isinstance(each, str)), "")
            if isinstance(value, str) and _is_secret(name, value):
                message = f"`{name}` holds a secret in plain text"
                yield Finding((*part.spec.path, *path), message, _KEEP, hide=True)


_KEEP = "keep it in AWS Secrets Manager, and let the code fetch it by its name"

PLAIN_SECRET = Rule(
    Page(
        "plain-secret",
        "A secret stands in plain text",
        "A value under a name such as `API_KEY`, `password` or `auth_token` is written out, or a "
        "text holds the ID of an AWS access key. The value itself is never printed.",
        "Whoever may describe the pipeline or one of its jobs can read it, and it stays in every "
        "version of the definition.",
        steps(
            """
            fetch: {type: Processing, image: {framework: sklearn, version: 1.4-2},
                    instance: ml.m5.large, command: [fetch],
                    environment: {CATALOG_PASSWORD: not-a-real-one}}
            """,
            aws=False,
        ),
        steps(
            """
            fetch: {type: Processing, image: {framework: sklearn, version: 1.4-2},
                    instance: ml.m5.large, command: [fetch],
                    environment: {CATALOG_SECRET_NAME: survey/catalog}}
            """,
            aws=False,
        ),
        level="warning",
    ),
    "security",
    _plain_secret,
)

RULES = (PUBLIC_IMAGE, WILDCARD_ROLE, PLAIN_SECRET)
