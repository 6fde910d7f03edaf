"""The request of a Processing job, for every kind that becomes one; standard library only.

Request: CreateProcessingJob (Amazon SageMaker API Reference).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steps._contract import Context, Step
from steps._jobs import (
    Arguments,
    cluster,
    command_line,
    entry_point,
    present,
    seconds,
    tag_list,
    variables,
    vpc,
)

ROOT = "/opt/ml/processing"
CODE_PATH = f"{ROOT}/input/code"

REFUSED = {
    "ProcessingJobName": "the service makes the name; to choose a prefix, turn on custom job "
    "prefixes for the pipeline",
    "ExperimentConfig.ExperimentName": "the pipeline's `experiment` says it",
    "ExperimentConfig.TrialName": "the pipeline's `experiment` says it",
    "ExperimentConfig.RunName": "the pipeline's `experiment` says it",
}
"""Members that the service refuses in a pipeline, with the reason."""


def processing_request(step: Step, context: Context) -> Arguments:
    """Return the CreateProcessingJob arguments."""
    fields = step.fields
    instance = fields.get("instance") or {}
    image = context.image(step, ("image",), fields.get("image"), "training", instance.get("type"))
    code = context.code(step, ("code",)) if "code" in fields else None
    command = command_line(fields.get("command"))
    entry = None
    if code is not None:
        entry = entry_point(command, CODE_PATH, code.entry, code.has_requirements)
    elif command:
        entry = command
    inputs = [_input(step, context, name) for name in fields.get("inputs", {})]
    if code is not None:
        inputs.append(_s3_input("code", code.files, CODE_PATH))
    outputs = [_output(step, context, name) for name in fields.get("outputs", {})]
    network = fields.get("network") or {}
    return present(
        ProcessingResources={"ClusterConfig": cluster(step, context)},
        AppSpecification=present(
            ImageUri=image,
            ContainerArguments=command_line(fields.get("arguments")),
            ContainerEntrypoint=entry,
        ),
        RoleArn=fields.get("role") or context.environment.role,
        ProcessingInputs=inputs,
        ProcessingOutputConfig=present(Outputs=outputs, KmsKeyId=fields.get("kms_key"))
        if outputs
        else None,
        Environment=variables(step),
        StoppingCondition=present(MaxRuntimeInSeconds=seconds(step, context, "max_runtime")),
        NetworkConfig=present(
            EnableNetworkIsolation=network.get("isolation"),
            EnableInterContainerTrafficEncryption=network.get("encryption"),
            VpcConfig=vpc(step),
        ),
        Tags=tag_list(fields.get("tags")),
    )


def _input(step: Step, context: Context, name: str) -> Arguments:
    value = step.fields["inputs"][name]
    source = value.get("source")
    if "asset" in value:
        source = context.asset(step, ("inputs", name, "asset"))
    made = _s3_input(name, source, container_path(value, name))
    made["S3Input"].update(
        present(
            S3DataType=value.get("data_type"),
            S3InputMode=value.get("mode"),
            S3DataDistributionType=value.get("distribution"),
            S3CompressionType=value.get("compression"),
        )
    )
    return made


def _output(step: Step, context: Context, name: str) -> Arguments:
    value = step.fields["outputs"][name] or {}
    if "feature_group" in value:
        group = {"FeatureGroupName": value["feature_group"]}
        return {"OutputName": name, "AppManaged": True, "FeatureStoreOutput": group}
    target = {
        "S3Uri": value.get("destination") or context.destination(step, name),
        "LocalPath": container_path(value, name),
        "S3UploadMode": value.get("mode", "EndOfJob"),
    }
    return {"OutputName": name, "S3Output": target}


def container_path(value: Mapping[str, Any] | None, name: str) -> Any:
    return (value or {}).get("path") or f"{ROOT}/{name}"


def _s3_input(name: str, source: Any, path: Any) -> Arguments:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": source,
            "LocalPath": path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }
