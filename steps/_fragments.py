"""Schema parts that step kinds share; standard library only.

Each function returns a piece of JSON Schema (draft-07). Further keywords steer the checks, and
editors ignore them: ``x-meaning`` (what a text stands for), ``x-literal`` (no reference may stand
here), ``x-path`` (a file or folder beside the definition), ``x-choice`` (the API's words),
``x-duration`` and ``x-instance``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from steps._contract import Field, Short

Schema = dict[str, Any]

EXPRESSION: Schema = {"$ref": "#/definitions/expression"}
"""A ``${reference}`` or a ``{{ template }}`` where something else than text is wanted."""

TEMPLATE: Schema = {"$ref": "#/definitions/template"}
"""A ``{{ template }}`` where something else than text is wanted and no reference may stand."""

LATER: dict[str, Schema] = {
    "expression": {
        "type": "string",
        "pattern": r"\$\{.*\}|\{\{.*\}\}",
        "description": "A reference or a template.",
        "examples": ["${parameters.Count}", "{{ vars.count }}"],
    },
    "template": {
        "type": "string",
        "pattern": r"\{\{.*\}\}",
        "description": "A template.",
        "examples": ["{{ vars.count }}"],
    },
}
"""What :data:`EXPRESSION` and :data:`TEMPLATE` refer to."""


def text(
    description: str,
    *examples: Any,
    meaning: str = "",
    literal: bool = False,
    path: bool = False,
    marks: Mapping[str, Any] | None = None,
    **rules: Any,
) -> Schema:
    """Return the schema of a text; numbers written there count as text.

    Args:
        marks: further keywords of the product, such as ``x-instance``.
        rules: further keywords of JSON Schema.
    """
    made: Schema = {"type": "string", "description": description, "examples": list(examples)}
    if meaning:
        made["x-meaning"] = meaning
    if literal:
        made["x-literal"] = True
    if path:
        made["x-path"] = True
        made["x-literal"] = True
    return {**made, **(marks or {}), **rules}


def choice(description: str, *options: str, literal: bool = False) -> Schema:
    """Return the schema of one of the API's words; letter case does not matter."""
    made: Schema = {
        "type": "string",
        "description": f"{description} One of {', '.join(options)}.",
        "examples": [options[0]],
        "x-choice": list(options),
    }
    if literal:
        made["x-literal"] = True
    return made


def integer(
    description: str,
    *examples: Any,
    minimum: int | None = None,
    maximum: int | None = None,
    literal: bool = False,
) -> Schema:
    """Return the schema of a whole number."""
    return _number("integer", description, examples, minimum, maximum, literal)


def number(
    description: str,
    *examples: Any,
    minimum: float | None = None,
    maximum: float | None = None,
    literal: bool = False,
) -> Schema:
    """Return the schema of a number."""
    return _number("number", description, examples, minimum, maximum, literal)


def _number(
    kind: str,
    description: str,
    examples: Sequence[Any],
    minimum: float | None,
    maximum: float | None,
    literal: bool,
) -> Schema:
    rule: Schema = {"type": kind}
    if minimum is not None:
        rule["minimum"] = minimum
    if maximum is not None:
        rule["maximum"] = maximum
    return _or_expression(rule, description, examples, literal)


def boolean(description: str, *examples: Any, literal: bool = False) -> Schema:
    """Return the schema of true or false."""
    return _or_expression({"type": "boolean"}, description, examples, literal)


def _or_expression(
    rule: Schema, description: str, examples: Sequence[Any], literal: bool
) -> Schema:
    about: Schema = {"description": description, "examples": list(examples)}
    if literal:
        return {"anyOf": [rule, TEMPLATE], **about, "x-literal": True}
    return {"anyOf": [rule, EXPRESSION], **about}


def scalar(description: str, *examples: Any) -> Schema:
    """Return the schema of a text, number or boolean."""
    return {
        "type": ["string", "number", "boolean"],
        "description": description,
        "examples": list(examples),
    }


def anything(description: str, *examples: Any) -> Schema:
    """Return the schema of any value."""
    return {"description": description, "examples": list(examples)}


def one_of(description: str, *options: Schema, examples: Sequence[Any]) -> Schema:
    """Return the schema of several forms; the form is told by the value's type."""
    return {"anyOf": list(options), "description": description, "examples": list(examples)}


def listing(description: str, item: Schema, *examples: Any, **rules: Any) -> Schema:
    """Return the schema of a list."""
    made: Schema = {"type": "array", "items": item}
    return {**made, "description": description, "examples": list(examples), **rules}


def block(
    description: str,
    properties: Mapping[str, Schema],
    *examples: Any,
    required: Sequence[str] = (),
) -> Schema:
    """Return the schema of a map with known keys."""
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        made["required"] = list(required)
    return {**made, "description": description, "examples": list(examples)}


def named(description: str, value: Schema, *examples: Any, **rules: Any) -> Schema:
    """Return the schema of a map whose keys are names that the user chooses."""
    made: Schema = {"type": "object", "additionalProperties": value}
    return {**made, "description": description, "examples": list(examples), **rules}


def duration(description: str, *examples: Any) -> Schema:
    """Return the schema of a duration."""
    return text(
        description + " A duration such as `2h`, `90m`, `1d12h`, or ISO 8601.",
        *examples,
        literal=True,
        marks={"x-duration": True},
    )


def s3(description: str, *examples: Any) -> Schema:
    """Return the schema of an S3 URI; a local path in the environment `local`."""
    return text(description, *examples, meaning="s3")


# --- Blocks that kinds share ---------------------------------------------------------------------

_INSTANCE: dict[str, Schema] = {
    "type": text("The instance type.", "ml.m5.large", marks={"x-instance": True}),
    "count": integer("How many instances.", 1, minimum=1, maximum=5000),
    "volume_gb": integer("Size of the storage volume in GB.", 30, minimum=1, maximum=16384),
    "kms_key": text("KMS key (ARN or ID) that encrypts the volume.", "alias/volumes"),
}


def instance(api: str, *, keep_alive: bool = False, required: bool = False) -> Field:
    """Return the field ``instance``; ``api`` is the request's resource configuration."""
    parts = dict(_INSTANCE)
    if keep_alive:
        parts["keep_alive"] = duration("Keep the instances warm this long after the job.", "30m")
    description = "The machines the job runs on: a type, or a map with the size as well."
    return Field(
        one_of(
            description,
            text("The instance type.", "ml.m5.large", marks={"x-instance": True}),
            block(description, parts, {"type": "ml.m5.large", "volume_gb": 50}),
            examples=["ml.m5.large", {"type": "ml.m5.large", "count": 2}],
        ),
        api=api,
        short=Short("type"),
        default="1 instance, 30 GB" if not required else "",
    )


IMAGE_BLOCK = block(
    "A framework's or built-in algorithm's image, found in the SDK's own tables.",
    {
        "framework": text("The framework's or algorithm's name.", "sklearn", literal=True),
        "version": text("Its version; optional for built-in algorithms.", "1.4-2", literal=True),
        "py_version": text("The image's Python version.", "py3", literal=True),
        "scope": text("training, inference, …; known from the kind.", "training", literal=True),
        "instance": text("The instance type it is chosen for.", "ml.m5.large", literal=True),
        "base_framework": text(
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
        one_of(
            description,
            text("The image's URI.", "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/train:1.2"),
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
    one_of(
        "The step's code: one file, or a folder and the file in it that is run.",
        text("The file to run.", "code/preprocess.py", path=True),
        block(
            "A folder and its entry point; `requirements.txt` in it is installed first.",
            {
                "dir": text("The folder, relative to this file.", "code", path=True),
                "entry": text("The file to run, relative to the folder.", "train.py", literal=True),
            },
            {"dir": "code", "entry": "train.py"},
            required=["dir", "entry"],
        ),
        examples=["code/preprocess.py", {"dir": "code", "entry": "train.py"}],
    ),
    api="",
    replace=True,
)

COMMAND_SCHEMA = listing(
    "The container's entry point, one word per item.",
    text("One word.", "python3"),
    ["python3", "-m", "job"],
    minItems=1,
    maxItems=100,
)


def arguments(api: str) -> Field:
    """Return the field ``arguments``."""
    value = {
        "type": ["string", "number", "boolean", "array", "null"],
        "items": scalar("One value.", 7),
        "description": "The option's value; `true` writes the option alone, a list repeats it.",
        "examples": [7],
    }
    return Field(
        one_of(
            "The command line: a map of options, or a list taken verbatim.",
            listing("Words, verbatim.", scalar("One word.", "--seed"), ["--seed", 7]),
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
        named(
            "The container's environment variables.",
            scalar("The variable's value.", "info"),
            {"LOG_LEVEL": "info"},
            propertyNames={
                "pattern": "^[a-zA-Z_][a-zA-Z0-9_]{0,255}$",
                "description": "Letters, digits and `_`, no digit first, at most 256.",
            },
        ),
        api=api,
    )


ROLE = Field(
    text(
        "The IAM role that the step assumes.",
        "arn:aws:iam::111122223333:role/pipelines",
        meaning="arn",
    ),
    api="RoleArn",
    default="the definition's role, else the environment's",
)

TAGS = Field(
    named(
        "Tags of what the step creates.",
        scalar("The tag's value.", "astro"),
        {"team": "astro"},
        maxProperties=50,
    ),
    api="Tags[]",
)

MAX_RUNTIME = Field(
    duration("How long the job may run.", "2h"), api="StoppingCondition.MaxRuntimeInSeconds"
)

_NETWORK = block(
    "Where in the network the job runs.",
    {
        "subnets": listing(
            "VPC subnets.", text("A subnet.", "subnet-0a1b2c3d"), ["subnet-0a1b2c3d"]
        ),
        "security_groups": listing(
            "VPC security groups.", text("A security group.", "sg-0a1b2c3d"), ["sg-0a1b2c3d"]
        ),
        "isolation": boolean("No network access from inside the container.", True),
        "encryption": boolean("Encrypt the traffic between the job's instances.", True),
    },
    {"subnets": ["subnet-0a1b2c3d"], "security_groups": ["sg-0a1b2c3d"], "isolation": True},
)


def network(api: str = "NetworkConfig") -> Field:
    """Return the field ``network``."""
    return Field(_NETWORK, api=api)


def kms_key(api: str) -> Field:
    """Return the field ``kms_key``: the key that encrypts the outputs."""
    return Field(text("KMS key (ARN or ID) that encrypts the outputs.", "alias/outputs"), api=api)


def output(description: str, api: str) -> Field:
    """Return the field ``output``."""
    uri = s3("The S3 URI.", "s3://bucket/models")
    return Field(
        one_of(
            description,
            uri,
            block(description, {"destination": uri}, {"destination": "s3://bucket/models"}),
            examples=["s3://bucket/models"],
        ),
        api=api,
        short=Short("destination"),
        default="a folder of the execution and step",
    )


FAN_IN: dict[str, Schema] = {
    "each": text("Steps, by a glob, whose values are gathered.", "train-*", literal=True),
    "value": text("Which of each step's values.", "model", literal=True),
}


def container_fields(api: str) -> dict[str, Field]:
    """Return the fields of a step's only container; ``api`` is its place in the request."""
    return {
        name: replace(field, api=f"{api}.{field.api}" if field.api else "")
        for name, field in CONTAINER_FIELDS.items()
    }


CONTAINER_FIELDS: dict[str, Field] = {
    "model": Field(
        s3(
            "The model's archive: an S3 URI, usually `${steps.NAME.model}`.", "${steps.train.model}"
        ),
        api="ModelDataUrl",
    ),
    "image": image("Image"),
    "code": CODE,
    "environment": environment(),
}

CONTAINER = block(
    "One container of a model.",
    {
        **{name: dict(field.schema) for name, field in CONTAINER_FIELDS.items()},
        "hostname": text(
            "The name it is called by; needed where callers choose the container.", "first"
        ),
    },
    {"model": "${steps.train.model}", "image": {"framework": "sklearn", "version": "1.4-2"}},
)

# --- Retry reasons -------------------------------------------------------------------------------

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
