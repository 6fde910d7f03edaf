"""What the published schema lacks of endpoint configurations, endpoints and inference components.

The shapes named are those of botocore's service model of SageMaker.
"""

from __future__ import annotations

from typing import Any

from errata_arguments import BOOLEAN, INTEGER, OBJECT, STRING, STRING_MAP, STRINGS
from schema_patch import DEFINITIONS, Erratum, Operation, Witness, additions, step

FLOAT = {"$ref": "#/definitions/FloatArgumentValue"}
TAGS = {"type": "array", "items": {"$ref": "#/definitions/Tag"}}
CACHE = {"$ref": "#/definitions/CacheConfig"}
RETRY = {"type": "array", "items": {"$ref": "#/definitions/RetryPolicy"}}

ENDPOINT = f"{DEFINITIONS}/EndpointStep/properties"
CONFIG = f"{DEFINITIONS}/EndpointConfigStep/properties"
ASYNC = f"{CONFIG}/Arguments/properties/AsyncInferenceConfig"
VARIANT = f"{DEFINITIONS}/ProductionVariants/items/properties"


def _structure(members: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": list(required),
        "additionalProperties": False,
    }


def _one_of(*values: str) -> dict[str, Any]:
    # What an expression yields is known only when it runs: it may stand for any of the values.
    return {"allOf": [STRING, {"anyOf": [{"not": {"type": "string"}}, {"enum": list(values)}]}]}


ASYNC_OUTPUT = _structure(
    {
        "KmsKeyId": STRING,
        "NotificationConfig": _structure(
            {"ErrorTopic": STRING, "IncludeInferenceResponseIn": STRINGS, "SuccessTopic": STRING}
        ),
        "S3FailurePath": STRING,
        "S3OutputPath": STRING,
    }
)
DATA_CAPTURE = _structure(
    {
        "EnableCapture": BOOLEAN,
        "InitialSamplingPercentage": INTEGER,
        "DestinationS3Uri": STRING,
        "KmsKeyId": STRING,
        "CaptureOptions": {
            "type": "array",
            "items": _structure(
                {"CaptureMode": _one_of("Input", "Output", "InputAndOutput")}, "CaptureMode"
            ),
        },
        "CaptureContentTypeHeader": _structure(
            {"CsvContentTypes": STRINGS, "JsonContentTypes": STRINGS}
        ),
    },
    "InitialSamplingPercentage",
    "DestinationS3Uri",
    "CaptureOptions",
)
CAPACITY = _structure(
    {"Type": _one_of("INSTANCE_COUNT", "CAPACITY_PERCENT"), "Value": INTEGER}, "Type", "Value"
)
DEPLOYMENT = _structure(
    {
        "BlueGreenUpdatePolicy": _structure(
            {
                "TrafficRoutingConfiguration": _structure(
                    {
                        "Type": _one_of("ALL_AT_ONCE", "CANARY", "LINEAR"),
                        "WaitIntervalInSeconds": INTEGER,
                        "CanarySize": CAPACITY,
                        "LinearStepSize": CAPACITY,
                    },
                    "Type",
                    "WaitIntervalInSeconds",
                ),
                "TerminationWaitInSeconds": INTEGER,
                "MaximumExecutionTimeoutInSeconds": INTEGER,
            },
            "TrafficRoutingConfiguration",
        ),
        "RollingUpdatePolicy": _structure(
            {
                "MaximumBatchSize": CAPACITY,
                "WaitIntervalInSeconds": INTEGER,
                "MaximumExecutionTimeoutInSeconds": INTEGER,
                "RollbackMaximumBatchSize": CAPACITY,
            },
            "MaximumBatchSize",
            "WaitIntervalInSeconds",
        ),
        "AutoRollbackConfiguration": _structure(
            {"Alarms": {"type": "array", "items": _structure({"AlarmName": STRING})}}
        ),
    }
)
SPECIFICATION = _structure(
    {
        "InstanceType": STRING,
        "ModelName": STRING,
        "Container": _structure(
            {
                "Image": STRING,
                "ArtifactUrl": STRING,
                "Environment": STRING_MAP,
                "ContainerMetricsConfig": OBJECT,
            }
        ),
        "StartupParameters": _structure(
            {
                "ModelDataDownloadTimeoutInSeconds": INTEGER,
                "ContainerStartupHealthCheckTimeoutInSeconds": INTEGER,
            }
        ),
        "ComputeResourceRequirements": _structure(
            {
                "NumberOfCpuCoresRequired": FLOAT,
                "NumberOfAcceleratorDevicesRequired": FLOAT,
                "MinMemoryRequiredInMb": INTEGER,
                "MaxMemoryRequiredInMb": INTEGER,
                "AcceleratorPartitionType": STRING,
            },
            "MinMemoryRequiredInMb",
        ),
        "BaseInferenceComponentName": STRING,
        "DataCacheConfig": _structure({"EnableCaching": BOOLEAN}, "EnableCaching"),
        "SchedulingConfig": OBJECT,
    }
)
# What all steps have is that of the endpoint's, so that it follows the errata of all steps.
COMPONENT = _structure(
    {
        "Name": {"$ref": "#/definitions/StepName"},
        "Type": {"type": "string", "enum": ["InferenceComponent"]},
        **{
            name: {"$ref": f"#/definitions/EndpointStep/properties/{name}"}
            for name in ("DependsOn", "DisplayName", "Description")
        },
        "Arguments": _structure(
            {
                "InferenceComponentName": STRING,
                "EndpointName": STRING,
                "VariantName": STRING,
                "Specification": SPECIFICATION,
                "Specifications": {"type": "array", "items": SPECIFICATION},
                "RuntimeConfig": _structure({"CopyCount": INTEGER}, "CopyCount"),
                "Tags": TAGS,
            },
            "InferenceComponentName",
            "EndpointName",
        ),
    },
    "Name",
    "Type",
    "Arguments",
)
_VARIANTS = {"ProductionVariants": [{"VariantName": "a"}]}

ENDPOINT_KIND_ERRATA: tuple[Erratum, ...] = (
    Erratum(
        "Where asynchronous responses go stands beside the client's settings, not among them, and "
        "is required (shape AsyncInferenceConfig).",
        (
            Operation("remove", f"{ASYNC}/properties/ClientConfig/properties/OutputConfig"),
            *additions(f"{ASYNC}/properties", {"OutputConfig": ASYNC_OUTPUT}),
            *additions(ASYNC, {"required": ["OutputConfig"]}),
        ),
        Witness(
            "EndpointConfigStep",
            step(
                "EndpointConfig",
                {
                    **_VARIANTS,
                    "AsyncInferenceConfig": {
                        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
                        "OutputConfig": {
                            "S3OutputPath": "s3://a/b",
                            "NotificationConfig": {"ErrorTopic": "a"},
                        },
                    },
                },
            ),
        ),
    ),
    Erratum(
        "An endpoint may capture what goes in and out (shape DataCaptureConfig).",
        additions(f"{CONFIG}/Arguments/properties", {"DataCaptureConfig": DATA_CAPTURE}),
        Witness(
            "EndpointConfigStep",
            step(
                "EndpointConfig",
                {
                    **_VARIANTS,
                    "DataCaptureConfig": {
                        "InitialSamplingPercentage": 10,
                        "DestinationS3Uri": "s3://a/b",
                        "CaptureOptions": [{"CaptureMode": "Input"}],
                    },
                },
            ),
        ),
    ),
    Erratum(
        "A variant's weight is any number, not only a whole one (shape VariantWeight).",
        (Operation("replace", f"{VARIANT}/InitialVariantWeight", FLOAT),),
        Witness("ProductionVariants", [{"VariantName": "a", "InitialVariantWeight": 0.1}]),
    ),
    Erratum(
        "An endpoint configuration may be cached and tried again (the SDK's EndpointConfigStep).",
        additions(CONFIG, {"CacheConfig": CACHE, "RetryPolicies": RETRY}),
        Witness(
            "EndpointConfigStep",
            step(
                "EndpointConfig",
                _VARIANTS,
                CacheConfig={"Enabled": True, "ExpireAfter": "7d"},
                RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3}],
            ),
        ),
    ),
    Erratum(
        "An endpoint may be cached; it is not tried again (the SDK's EndpointStep).",
        additions(ENDPOINT, {"CacheConfig": CACHE}),
        Witness(
            "EndpointStep",
            step(
                "Endpoint",
                {"EndpointConfigName": "a"},
                CacheConfig={"Enabled": True, "ExpireAfter": "1d"},
            ),
        ),
    ),
    Erratum(
        "An endpoint may say how it is updated and rolled back (shape DeploymentConfig).",
        additions(f"{ENDPOINT}/Arguments/properties", {"DeploymentConfig": DEPLOYMENT}),
        Witness(
            "EndpointStep",
            step(
                "Endpoint",
                {
                    "EndpointConfigName": "a",
                    "DeploymentConfig": {
                        "RollingUpdatePolicy": {
                            "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                            "WaitIntervalInSeconds": 60,
                        },
                        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]},
                    },
                },
            ),
        ),
    ),
    Erratum(
        "InferenceComponent steps came later; they are neither cached nor tried again (the SDK's "
        "InferenceComponentStep, shape CreateInferenceComponentInput).",
        (
            *additions(DEFINITIONS, {"InferenceComponentStep": COMPONENT}),
            Operation(
                "add",
                "/properties/Steps/items/oneOf/-",
                {"$ref": "#/definitions/InferenceComponentStep"},
            ),
        ),
        Witness(
            "",
            {
                "Version": "2020-12-01",
                "Steps": [
                    step(
                        "InferenceComponent",
                        {
                            "InferenceComponentName": "a",
                            "EndpointName": "a",
                            "VariantName": "a",
                            "Specification": {
                                "ModelName": "a",
                                "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 128},
                            },
                            "RuntimeConfig": {"CopyCount": 1},
                        },
                    )
                ],
            },
        ),
    ),
)
