"""Fields and parts of fields that step kinds share; standard library only."""

from __future__ import annotations

from dataclasses import replace

from steps import _fragments as f
from steps._contract import Field, Short

_INSTANCE: dict[str, f.Schema] = {
    "type": f.text("The instance type.", "ml.m5.large", marks={"x-instance": True}),
    "count": f.integer("How many instances.", 1, minimum=1, maximum=5000),
    "volume_gb": f.integer("Size of the storage volume in GB.", 30, minimum=1, maximum=16384),
    "kms_key": f.text("KMS key (ARN or ID) that encrypts the volume.", "alias/volumes"),
}


def instance(api: str, *, keep_alive: bool = False, required: bool = False) -> Field:
    """Return the field ``instance``; ``api`` is the request's resource configuration."""
    parts = dict(_INSTANCE)
    if keep_alive:
        parts["keep_alive"] = f.duration("Keep the instances warm this long after the job.", "30m")
    description = "The machines the job runs on: a type, or a map with the size as well."
    return Field(
        f.one_of(
            description,
            f.text("The instance type.", "ml.m5.large", marks={"x-instance": True}),
            f.block(description, parts, {"type": "ml.m5.large", "volume_gb": 50}),
            examples=["ml.m5.large", {"type": "ml.m5.large", "count": 2}],
        ),
        api=api,
        short=Short("type"),
        default="1 instance, 30 GB" if not required else "",
    )


IMAGE_BLOCK = f.block(
    "A framework's or built-in algorithm's image, found in the SDK's own tables.",
    {
        "framework": f.text("The framework's or algorithm's name.", "sklearn", literal=True),
        "version": f.text("Its version; optional for built-in algorithms.", "1.4-2", literal=True),
        "py_version": f.text("The image's Python version.", "py3", literal=True),
        "scope": f.text("training, inference, …; known from the kind.", "training", literal=True),
        "instance": f.text("The instance type it is chosen for.", "ml.m5.large", literal=True),
        "base_framework": f.text(
            "For HuggingFace: the framework below, with version.", "pytorch2.1.0", literal=True
        ),
    },
    {"framework": "xgboost", "version": "1.7-1"},
    required=["framework"],
)


def image(api: str) -> Field:
    """Return the field ``image``."""
    description = "The container image: a URI, or a framework with its version."
    return Field(
        f.one_of(
            description,
            f.text(
                "The image's URI.", "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/train:1.2"
            ),
            IMAGE_BLOCK,
            examples=[
                {"framework": "sklearn", "version": "1.4-2"},
                "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/train:1.2",
            ],
        ),
        api=api,
        replace=True,
    )


CODE = Field(
    f.one_of(
        "The step's code: one file, or a folder and the file in it that is run.",
        f.text("The file to run.", "code/preprocess.py", path=True),
        f.block(
            "A folder and its entry point; `requirements.txt` in it is installed first.",
            {
                "dir": f.text("The folder, relative to this file.", "code", path=True),
                "entry": f.text(
                    "The file to run, relative to the folder.", "train.py", literal=True
                ),
            },
            {"dir": "code", "entry": "train.py"},
            required=["dir", "entry"],
        ),
        examples=["code/preprocess.py", {"dir": "code", "entry": "train.py"}],
    ),
    api="",
    replace=True,
)

COMMAND_SCHEMA = f.listing(
    "The container's entry point, one word per item.",
    f.text("One word.", "python3"),
    ["python3", "-m", "job"],
    minItems=1,
    maxItems=100,
)


def arguments(api: str) -> Field:
    """Return the field ``arguments``."""
    value = {
        "type": ["string", "number", "boolean", "array", "null"],
        "items": f.scalar("One value.", 7),
        "description": "The option's value; `true` writes the option alone, a list repeats it.",
        "examples": [7],
    }
    return Field(
        f.one_of(
            "The command line: a map of options, or a list taken verbatim.",
            f.listing("Words, verbatim.", f.scalar("One word.", "--seed"), ["--seed", 7]),
            {
                "type": "object",
                "additionalProperties": value,
                "description": "Options: `{seed: 7}` is written `--seed 7`.",
                "examples": [{"seed": 7}],
            },
            examples=[{"seed": 7, "test-size": 0.2}, ["--seed", 7]],
        ),
        api=api,
    )


def environment(api: str = "Environment") -> Field:
    """Return the field ``environment``."""
    return Field(
        f.named(
            "The container's environment variables.",
            f.scalar("The variable's value.", "info"),
            {"LOG_LEVEL": "info"},
            propertyNames={
                "pattern": "^[a-zA-Z_][a-zA-Z0-9_]{0,255}$",
                "description": "Letters, digits and `_`, no digit first, at most 256.",
            },
        ),
        api=api,
    )


ROLE = Field(
    f.text(
        "The IAM role that the step assumes.",
        "arn:aws:iam::111122223333:role/pipelines",
        meaning="arn",
    ),
    api="RoleArn",
    default="the definition's role, else the environment's",
)

TAGS = Field(
    f.named(
        "Tags of what the step creates.",
        f.scalar("The tag's value.", "astro"),
        {"team": "astro"},
        maxProperties=50,
    ),
    api="Tags[]",
)

MAX_RUNTIME = Field(
    f.duration("How long the job may run.", "2h"), api="StoppingCondition.MaxRuntimeInSeconds"
)

_NETWORK = f.block(
    "Where in the network the job runs.",
    {
        "subnets": f.listing(
            "VPC subnets.", f.text("A subnet.", "subnet-0a1b2c3d"), ["subnet-0a1b2c3d"]
        ),
        "security_groups": f.listing(
            "VPC security groups.", f.text("A security group.", "sg-0a1b2c3d"), ["sg-0a1b2c3d"]
        ),
        "isolation": f.boolean("No network access from inside the container.", True),
        "encryption": f.boolean("Encrypt the traffic between the job's instances.", True),
    },
    {"subnets": ["subnet-0a1b2c3d"], "security_groups": ["sg-0a1b2c3d"], "isolation": True},
)


def network(api: str = "NetworkConfig") -> Field:
    """Return the field ``network``."""
    return Field(_NETWORK, api=api)


def kms_key(api: str) -> Field:
    """Return the field ``kms_key``: the key that encrypts the outputs."""
    return Field(f.text("KMS key (ARN or ID) that encrypts the outputs.", "alias/outputs"), api=api)


def output(description: str, api: str) -> Field:
    """Return the field ``output``."""
    uri = f.s3("The S3 URI.", "s3://bucket/models")
    return Field(
        f.one_of(
            description,
            uri,
            f.block(description, {"destination": uri}, {"destination": "s3://bucket/models"}),
            examples=["s3://bucket/models"],
        ),
        api=api,
        short=Short("destination"),
        default="a folder of the execution and step",
    )


FAN_IN: dict[str, f.Schema] = {
    "each": f.text("Steps, by a glob, whose values are gathered.", "train-*", literal=True),
    "value": f.text("Which of each step's values.", "model", literal=True),
}


def container_fields(api: str) -> dict[str, Field]:
    """Return the fields of a step's only container; ``api`` is its place in the request."""
    return {
        name: replace(field, api=f"{api}.{field.api}" if field.api else "")
        for name, field in CONTAINER_FIELDS.items()
    }


CONTAINER_FIELDS: dict[str, Field] = {
    "model": Field(
        f.s3(
            "The model's archive: an S3 URI, usually `${steps.NAME.model}`.", "${steps.train.model}"
        ),
        api="ModelDataUrl",
    ),
    "image": image("Image"),
    "code": CODE,
    "environment": environment(),
}

CONTAINER = f.block(
    "One container of a model.",
    {
        **{name: dict(field.schema) for name, field in CONTAINER_FIELDS.items()},
        "hostname": f.text(
            "The name it is called by; needed where callers choose the container.", "first"
        ),
    },
    {"model": "${steps.train.model}", "image": {"framework": "sklearn", "version": "1.4-2"}},
)

RETRY_REASONS: dict[str, str] = {
    "throttling": "Step.THROTTLING",
    "service_fault": "Step.SERVICE_FAULT",
    "capacity": "SageMaker.CAPACITY_ERROR",
    "resource_limit": "SageMaker.RESOURCE_LIMIT",
    "job_internal": "SageMaker.JOB_INTERNAL_ERROR",
}
"""Short names of the exception types of the SDK's ``workflow/retry.py``."""

JOB_RETRIES = tuple(RETRY_REASONS)
STEP_RETRIES = ("throttling", "service_fault")
