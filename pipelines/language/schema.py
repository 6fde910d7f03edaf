"""The JSON Schema of definitions, assembled from the step kinds.

Editors read the same schema that the checks use; see :mod:`pipelines.language.conform` for what it
can't say and :mod:`pipelines.language.validation` for its errors in words.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pipelines.language.handlers_schema import SCHEMA as HANDLERS_SCHEMA
from steps import KINDS, all_fields
from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Field, Kind

SCHEMA_ID = "https://json-schema.org/draft-07/schema#"
MAX_STEPS = 1000
PARAMETER_TYPES = ("String", "Integer", "Float", "Boolean")

_PARAMETER = f.block(
    "A pipeline parameter.",
    {
        "type": f.choice("Its type; inferred from the default.", *PARAMETER_TYPES, literal=True),
        "default": f.scalar("The value where none is given at the start.", "s3://bucket/data"),
        "enum": f.listing(
            "The only values it takes.",
            f.scalar("A value.", "Approved"),
            ["Approved", "Rejected"],
            minItems=1,
            maxItems=16,
        ),
        "description": f.text("What it is for.", "Who to ask", literal=True),
    },
    {"type": "String", "default": "Approved", "enum": ["Approved", "Rejected"]},
)

_SCHEDULE = f.block(
    "When the pipeline starts by itself: one of `cron`, `rate` and `at`.",
    {
        "cron": f.text(
            "Six fields, as EventBridge Scheduler reads them.", "0 3 * * ? *", literal=True
        ),
        "rate": f.text("An interval.", "6 hours", literal=True),
        "at": f.text("One moment.", "2030-01-01T03:00:00", literal=True),
        "timezone": f.text("The time zone of `cron` and `at`.", "Europe/Berlin", literal=True),
        "enabled": f.boolean("false keeps it, switched off.", False, literal=True),
        "parameters": f.named(
            "Parameters of these starts.", f.scalar("The value.", 0.9), {"MinPrecision": 0.9}
        ),
    },
    {"cron": "0 3 * * ? *"},
)

TOP: dict[str, Field] = {
    "pipeline": Field(
        f.text("The SageMaker pipeline's name.", "pulsar", literal=True), api="PipelineName"
    ),
    "description": Field(
        f.text("What it does.", "Classify pulsar candidates", literal=True, maxLength=3072),
        api="PipelineDescription",
    ),
    "display_name": Field(
        f.text("The name the console shows.", "Pulsars", literal=True), api="PipelineDisplayName"
    ),
    "extends": Field(f.text("A file that this one builds on.", "../base.yaml", path=True)),
    "role": Field(
        f.text(
            "The IAM role of the pipeline and, by default, of its steps.",
            "arn:aws:iam::111122223333:role/pipelines",
            literal=True,
        ),
        api="RoleArn",
        default="the environment's role",
    ),
    "vars": Field(
        {
            "type": "object",
            "description": "Values for templates: `{{ vars.trees }}`; `--var trees=20` overrides.",
            "examples": [{"trees": 10}],
        }
    ),
    "parameters": Field(
        f.named(
            "What a start can choose: a default, or a map with type and enum.",
            f.one_of("A parameter.", f.scalar("Its default.", 0.9), _PARAMETER, examples=[0.9]),
            {"MinPrecision": 0.9},
            maxProperties=200,
            propertyNames={
                "pattern": "^[A-Za-z0-9\\-_]{1,256}$",
                "description": "Letters, digits, `-` and `_`, at most 256.",
            },
        ),
        api="Parameters",
    ),
    "defaults": Field({"$ref": "#/definitions/defaults"}),
    "steps": Field(
        {
            "type": "object",
            "additionalProperties": {"$ref": "#/definitions/step"},
            "description": "The steps by name, in the order of the definition JSON.",
            "examples": [{"stop": {"type": "Fail", "message": "not yet"}}],
        },
        api="Steps",
    ),
    "parallelism": Field(
        f.integer("How many steps run at once, at most.", 4, minimum=1, literal=True),
        api="ParallelismConfiguration.MaxParallelExecutionSteps",
    ),
    "schedules": Field(
        f.named(
            "When the pipeline starts by itself.", _SCHEDULE, {"nightly": {"cron": "0 3 * * ? *"}}
        )
    ),
    "experiment": Field(
        f.one_of(
            "The SageMaker experiment that executions belong to; false: none.",
            {"type": "boolean", "enum": [False], "description": "None.", "examples": [False]},
            f.block(
                "The experiment.",
                {
                    "name": f.text("The experiment's name.", "pulsar"),
                    "trial": f.text("The trial's name.", "${execution.id}"),
                },
                {"name": "pulsar", "trial": "${execution.id}"},
            ),
            examples=[False, {"name": "pulsar"}],
        ),
        api="PipelineExperimentConfig",
        default="the pipeline's name and the execution's id",
    ),
    "mlflow": Field(
        f.block(
            "The MLflow server that executions are tracked in.",
            {
                "arn": f.text(
                    "The tracking server's ARN.",
                    "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/main",
                    literal=True,
                ),
                "experiment": f.text("The MLflow experiment.", "pulsar", literal=True),
            },
            {"arn": "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/main"},
            required=["arn"],
        ),
        api="MlflowConfig",
    ),
    "tags": Field({**shared.TAGS.schema, "description": "Tags of the pipeline."}, api="Tags"),
    "pipeline_fields": Field(
        {
            "type": "object",
            "description": "Merged into the CreatePipeline request, in the API's own names.",
            "examples": [{"PipelineDisplayName": "Pulsars"}],
        }
    ),
    "environments": Field(
        f.named(
            "Overlays that hold in one environment only.",
            {"$ref": "#/definitions/overlay"},
            {"prod": {"defaults": {"instance": "ml.m5.4xlarge"}}},
        )
    ),
}
"""The keys of a definition in documented order."""

ENVIRONMENT: dict[str, f.Schema] = {
    "account": f.text(
        "The AWS account's 12 digits.", "111122223333", literal=True, pattern="^[0-9]{12}$"
    ),
    "region": f.text(
        "The AWS region.", "us-east-1", literal=True, pattern="^[a-z]{2,}(-[a-z]+)+-[0-9]$"
    ),
    "role": f.text(
        "The IAM role of pipelines and steps.",
        "arn:aws:iam::111122223333:role/pipelines",
        literal=True,
    ),
    "bucket": f.text(
        "The S3 bucket for code and outputs.",
        "dev-bucket",
        literal=True,
        pattern="^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    ),
    "prefix": f.text(
        "The prefix in the bucket.", "pipelines", literal=True, pattern="^[^/].*[^/]$|^[^/]?$"
    ),
    "profile": f.text("The AWS profile that commands use.", "dev", literal=True),
    "endpoint_url": f.text(
        "Another endpoint of AWS's APIs; loopback addresses only.",
        "http://127.0.0.1:5000",
        literal=True,
    ),
    "vars": TOP["vars"].schema,  # type: ignore[dict-item]  # a Mapping that is a dict
    "tags": {**shared.TAGS.schema, "description": "Tags of every pipeline."},
    "defaults": {"$ref": "#/definitions/defaults"},
    "handlers": HANDLERS_SCHEMA,
}
"""The keys of one environment in environments.yaml."""


def _kind_schema(kind: Kind) -> f.Schema:
    properties = {name: dict(field.schema) for name, field in all_fields(kind).items()}
    properties["type"] = {**properties["type"], "const": kind.name, "examples": [kind.name]}
    return {
        "type": "object",
        "description": kind.summary,
        "properties": properties,
        "additionalProperties": False,
    }


@lru_cache(maxsize=32)
def step_schema(name: str) -> f.Schema:
    """Return the schema of a complete step of the kind ``name``: what it must have is required.

    Editors see one file, where fields may still come from `defaults`, another file or another
    step; only a step with everything merged into it can be asked for them.
    """
    kind = next(kind for kind in KINDS if kind.name == name)
    required = ["type", *kind.required]
    return {**definition_schema()["definitions"][name], "required": required}


def _defaults_schema() -> f.Schema:
    properties: dict[str, Any] = {}
    for kind in KINDS:
        for name in all_fields(kind):
            if name not in ("type", "then", "else", "if", "steps"):
                properties.setdefault(
                    name, {"$ref": f"#/definitions/{kind.name}/properties/{name}"}
                )
    for kind in KINDS:
        fields = {
            name: {"$ref": f"#/definitions/{kind.name}/properties/{name}"}
            for name in all_fields(kind)
            if name != "type"
        }
        properties[kind.name] = {
            "type": "object",
            "description": f"Defaults of {kind.name} steps only.",
            "examples": [{}],
            "properties": fields,
            "additionalProperties": False,
        }
    return {
        "type": "object",
        "description": "Merged under every step that has the field; under a kind's name, under "
        "the steps of that kind.",
        "examples": [{"instance": "ml.m5.large"}],
        "properties": properties,
        "additionalProperties": False,
    }


_TYPE_IS_REQUIRED: f.Schema = {
    "if": {"required": ["extends"]},
    "else": {
        "properties": {"steps": {"additionalProperties": {"type": "object", "required": ["type"]}}}
    },
}
"""A step says its type; where a file is extended, that file may say it."""


@lru_cache(maxsize=1)
def top_schema() -> f.Schema:
    """Return the schema of a definition's top level; its steps are judged one by one."""
    return {k: v for k, v in definition_schema().items() if k not in _TYPE_IS_REQUIRED}


@lru_cache(maxsize=1)
def definition_schema() -> f.Schema:
    """Return the JSON Schema (draft-07) of a definition, as editors use it."""
    names = [kind.name for kind in KINDS]
    step = {
        "type": ["object", "null"],
        "description": "A step of the pipeline; null leaves out one of the file that is extended.",
        "properties": {
            "type": {"enum": names, "description": "The step's kind.", "examples": names}
        },
        "allOf": [
            {
                "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                "then": {"$ref": f"#/definitions/{name}"},
            }
            for name in names
        ],
    }
    top = {name: dict(field.schema) for name, field in TOP.items()}
    overlay: dict[str, Any] = {
        name: {"$ref": f"#/properties/{name}"}
        for name in top
        if name not in ("extends", "environments", "pipeline")
    }
    overlay["steps"] = {
        "type": "object",
        "additionalProperties": {"type": ["object", "null"]},
        "description": "Changes to steps; null leaves a step out.",
        "examples": [{"train": {"instance": "ml.m5.4xlarge"}}],
    }
    return {
        "$schema": SCHEMA_ID,
        "title": "sagedag pipeline definition",
        "description": "A SageMaker pipeline in YAML.",
        "type": "object",
        "properties": top,
        "patternProperties": {"^x-": {"description": "Ignored: a place for anchors."}},
        "additionalProperties": False,
        **_TYPE_IS_REQUIRED,
        "definitions": {
            **f.LATER,
            "defaults": _defaults_schema(),
            "overlay": {
                "type": "object",
                "description": "What differs in this environment.",
                "examples": [{"defaults": {"instance": "ml.m5.4xlarge"}}],
                "properties": overlay,
                "patternProperties": {"^x-": {}},
                "additionalProperties": False,
            },
            "step": step,
            **{kind.name: _kind_schema(kind) for kind in KINDS},
        },
    }


@lru_cache(maxsize=1)
def environments_schema() -> f.Schema:
    """Return the JSON Schema of environments.yaml."""
    return {
        "$schema": SCHEMA_ID,
        "type": "object",
        "properties": {
            "environments": f.named(
                "The environments by name.",
                {
                    "type": ["object", "null"],
                    "properties": ENVIRONMENT,
                    "additionalProperties": False,
                },
                {"dev": {"account": "111122223333", "region": "us-east-1"}},
            )
        },
        "required": ["environments"],
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
        "definitions": definition_schema()["definitions"],
    }


def resolve_ref(schema: Any) -> Any:
    """Return the schema behind a ``$ref`` into the definition's schema."""
    while isinstance(schema, dict) and "$ref" in schema:
        schema = at_pointer(definition_schema(), schema["$ref"])
    return schema


def at_pointer(root: Any, reference: str) -> Any:
    """Return what a reference such as ``#/definitions/step`` names in a schema."""
    found = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
