"""Job: a job of one of SageMaker's newer categories, configured by a JSON document.

Request: CreateJob (Amazon SageMaker API Reference). The SDK's ``JobStep`` caches and retries it,
and writes the document as text, with a join where it holds values of the execution
(``sagemaker.core.workflow.job_config_document``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Step
from steps._expressions import ExecutionRef, Join, PropertyRef
from steps._jobs import Arguments, present, tag_list
from steps._json_text import json_text


class Job(Kind):
    """Runs a job of a category."""

    name = "Job"
    api_type = "Job"
    operation = "CreateJob"
    describe = "DescribeJobResponse"
    summary = "Run a job of one of SageMaker's job categories."
    about = (
        "`config` is the category's own configuration, checked by the service alone; references "
        "may stand in it. An `OutputDataConfig.S3OutputPath` in it gets a folder for the "
        "execution, because the service adds none. `${steps.NAME.config.KEY}` is a value of the "
        "finished job's document."
    )
    example = (
        "judge:\n"
        "  type: Job\n"
        "  category: DataQualityEvaluation\n"
        "  schema_version: 1.0.0\n"
        "  config: {OutputDataConfig: {S3OutputPath: s3://bucket/quality}}\n"
    )
    required = ("category", "schema_version", "config")
    cacheable = True
    retries = shared.JOB_RETRIES
    supplied = ("JobName",)
    refused = {
        "JobName": "the service makes the name; to choose a prefix, turn on custom job prefixes "
        "for the pipeline",
    }
    fields = {
        "category": Field(
            f.text("The job's category.", "DataQualityEvaluation"), api="JobCategory"
        ),
        "schema_version": Field(
            f.text("The version of the configuration's form.", "1.0.0"),
            api="JobConfigSchemaVersion",
        ),
        "config": Field(
            {
                "type": "object",
                "description": "The category's configuration, in its own names.",
                "examples": [{"OutputDataConfig": {"S3OutputPath": "s3://bucket/quality"}}],
            },
            api="JobConfigDocument",
        ),
        "role": shared.ROLE,
        "tags": shared.TAGS,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the finished job's document and the Describe response."""
        del step
        return {"config": None, "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``config.KEY``: the service looks into the document's JSON."""
        if path[0] != "config":
            return super().attribute(step, path)
        if len(path) == 1:
            return NoAttribute(0, "say which value of the document is meant: `config.KEY`")
        return Attribute(PropertyRef(step.name, ("JobConfigDocument", *path[1:])))

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateJob arguments."""
        fields = step.fields
        return present(
            RoleArn=fields.get("role") or context.environment.role,
            JobCategory=fields.get("category"),
            JobConfigSchemaVersion=fields.get("schema_version"),
            JobConfigDocument=_document(fields.get("config", {})),
            Tags=tag_list(fields.get("tags")),
        )


def _document(config: Mapping[str, Any]) -> Any:
    """Return the configuration as JSON text; with expressions in it, as a join."""
    output = config.get("OutputDataConfig")
    place = output.get("S3OutputPath") if isinstance(output, Mapping) else None
    if isinstance(output, Mapping) and isinstance(place, str):
        # As the SDK: nothing in CreateJob keeps the outputs of two executions apart.
        path = Join((place.rstrip("/"), ExecutionRef("PipelineExecutionId"), ""), on="/")
        config = {**config, "OutputDataConfig": {**output, "S3OutputPath": path}}
    return json_text(config)


KIND = Job()
