"""Terraform's JSON syntax: aws_sagemaker_pipeline and aws_scheduler_schedule.

Source: the AWS provider's documentation of both resources, and "JSON Configuration Syntax".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.cloud.exports.exported import Exported, identifiers, parallelism


def terraform(pipelines: Sequence[Exported]) -> str:
    """Return one configuration (``.tf.json``) with all pipelines."""
    ids = identifiers((each.wanted.name for each in pipelines), "_")
    groups = identifiers({each.group: None for each in pipelines if each.wanted.schedules}, "_")
    resources: dict[str, dict[str, Any]] = {"aws_sagemaker_pipeline": {}}
    for each in pipelines:
        own = ids[each.wanted.name]
        resources["aws_sagemaker_pipeline"][own] = _pipeline(each)
        named = identifiers(each.wanted.schedules, "_")
        reference = f"${{aws_sagemaker_pipeline.{own}.arn}}"
        for name, request in zip(each.wanted.schedules, each.schedules(reference), strict=True):
            group = f"${{aws_scheduler_schedule_group.{groups[each.group]}.name}}"
            schedule = _schedule(request, group, reference)
            resources.setdefault("aws_scheduler_schedule", {})[f"{own}_{named[name]}"] = schedule
    for group, label in groups.items():
        made = resources.setdefault("aws_scheduler_schedule_group", {})
        made[label] = {"name": literal(group)}
    assets = sorted({asset.uri for each in pipelines for asset in each.wanted.assets})
    document = {
        # Terraform ignores what a comment key says.
        "//": {"assets": assets},
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "resource": resources,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _pipeline(each: Exported) -> dict[str, Any]:
    wanted, settings = each.wanted, each.wanted.settings
    made: dict[str, Any] = {
        "pipeline_name": literal(wanted.name),
        # The provider requires a display name.
        "pipeline_display_name": literal(str(settings.get("PipelineDisplayName") or wanted.name)),
    }
    if each.stored is None:
        made["pipeline_definition"] = literal(wanted.text)
    else:
        bucket, key = map(literal, each.stored)
        made["pipeline_definition_s3_location"] = [{"bucket": bucket, "object_key": key}]
    if settings.get("PipelineDescription"):
        made["pipeline_description"] = literal(str(settings["PipelineDescription"]))
    if settings.get("RoleArn"):
        made["role_arn"] = literal(str(settings["RoleArn"]))
    most = parallelism(settings)
    if most is not None:
        made["parallelism_configuration"] = [{"max_parallel_execution_steps": most}]
    if wanted.tags:
        made["tags"] = {key: literal(value) for key, value in wanted.tags.items()}
    return made


def _schedule(request: Mapping[str, Any], group: str, arn: str) -> dict[str, Any]:
    target: dict[str, Any] = {"arn": arn, "role_arn": literal(request["Target"]["RoleArn"])}
    given = request["Target"].get("SageMakerPipelineParameters")
    if given:
        target["sagemaker_pipeline_parameters"] = [
            {
                "pipeline_parameter": [
                    {"name": literal(each["Name"]), "value": literal(each["Value"])}
                    for each in given["PipelineParameterList"]
                ]
            }
        ]
    return {
        "name": literal(request["Name"]),
        "group_name": group,
        "description": literal(request["Description"]),
        "schedule_expression": literal(request["ScheduleExpression"]),
        "schedule_expression_timezone": literal(request["ScheduleExpressionTimezone"]),
        "state": request["State"],
        "flexible_time_window": [{"mode": request["FlexibleTimeWindow"]["Mode"]}],
        "target": [target],
    }


def literal(text: str) -> str:
    """Return text that Terraform takes as it is: in JSON, too, strings are templates."""
    return text.replace("${", "$${").replace("%{", "%%{")
