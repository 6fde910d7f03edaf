"""CloudFormation: AWS::SageMaker::Pipeline and AWS::Scheduler::Schedule.

Source: AWS CloudFormation template reference of both types.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipelines.cloud.exports.exported import KNOWN, Exported, identifiers

MOST_DESCRIPTION = 1024
"""Bytes of a template's description (AWS CloudFormation quotas)."""


def cloudformation(pipelines: Sequence[Exported]) -> str:
    """Return one template with all pipelines, as JSON."""
    resources: dict[str, Any] = {}
    ids = identifiers((each.wanted.name for each in pipelines), "")
    for each in pipelines:
        resources[f"{ids[each.wanted.name]}Pipeline"] = _pipeline(each)
    groups = identifiers({each.group: None for each in pipelines if each.wanted.schedules}, "")
    for group, logical in groups.items():
        resources[f"{logical}Group"] = {
            "Type": "AWS::Scheduler::ScheduleGroup",
            "Properties": {"Name": group},
        }
    for each in pipelines:
        own = ids[each.wanted.name]
        named = identifiers(each.wanted.schedules, "")
        for name, request in zip(each.wanted.schedules, each.schedules(_arn(each)), strict=True):
            resources[f"{own}{named[name]}Schedule"] = _schedule(
                request, f"{own}Pipeline", f"{groups[each.group]}Group"
            )
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": ("SageMaker pipelines: " + ", ".join(ids))[:MOST_DESCRIPTION],
        "Metadata": {"Assets": _assets(pipelines)},
        "Resources": resources,
    }
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def _pipeline(each: Exported) -> dict[str, Any]:
    wanted = each.wanted
    if each.stored is None:
        definition: dict[str, Any] = {"PipelineDefinitionBody": wanted.text}
    else:
        bucket, key = each.stored
        definition = {"PipelineDefinitionS3Location": {"Bucket": bucket, "Key": key}}
    settings = {name: wanted.settings[name] for name in KNOWN if wanted.settings.get(name)}
    return {
        "Type": "AWS::SageMaker::Pipeline",
        "Properties": {
            "PipelineName": wanted.name,
            **settings,
            "PipelineDefinition": definition,
        },
    }


def _arn(each: Exported) -> dict[str, str]:
    """Return the pipeline's ARN; the type has no attribute for it."""
    name = each.wanted.name.lower()
    text = f"arn:${{AWS::Partition}}:sagemaker:${{AWS::Region}}:${{AWS::AccountId}}:pipeline/{name}"
    return {"Fn::Sub": text}


def _schedule(request: dict[str, Any], pipeline: str, group: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Scheduler::Schedule",
        "DependsOn": pipeline,
        "Properties": {**request, "GroupName": {"Ref": group}},
    }


def _assets(pipelines: Sequence[Exported]) -> list[str]:
    return sorted({asset.uri for each in pipelines for asset in each.wanted.assets})
