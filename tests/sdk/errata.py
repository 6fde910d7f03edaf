"""Where the published schema of pipeline definitions is older than the service, entry by entry."""

from __future__ import annotations

from errata_arguments import ARGUMENT_ERRATA
from errata_endpoint_kinds import ENDPOINT_KIND_ERRATA
from errata_job_kinds import JOB_KIND_ERRATA
from schema_patch import DEFINITIONS, Erratum, Operation, Schema, Witness, additions, step

STRING = {"$ref": "#/definitions/StringArgumentValue"}
STEPS = (
    "ConditionStep",
    "TrainingStep",
    "ProcessingStep",
    "TransformStep",
    "CreateModelStep",
    "RegisterModelStep",
    "LambdaStep",
    "CallbackStep",
    "TuningStep",
    "ClarifyCheckStep",
    "QualityCheckStep",
    "EMRStep",
    "FailStep",
    "AutoMLStep",
    "EndpointStep",
    "EndpointConfigStep",
)
CONDITION = f"{DEFINITIONS}/ConditionStep/properties/Arguments/properties"


def _any_of(*names: str) -> Schema:
    return {"anyOf": [{"$ref": f"#/definitions/{name}"} for name in names]}


_VALUE = _any_of(
    "StringArgumentValue", "BooleanArgumentValue", "IntegerArgumentValue", "FloatArgumentValue"
)
_GET = {"Get": "Parameters.A"}
_JOIN = {"Std:Join": {"On": "/", "Values": ["a", _GET, 1]}}
_JSON_GET = {
    "Std:JsonGet": {"PropertyFile": {"Get": "Steps.a.PropertyFiles.m"}, "Path": "binary.f1"}
}
_COMPARISON = {"Type": "Equals", "LeftValue": _GET, "RightValue": 1}

ERRATA: tuple[Erratum, ...] = (
    Erratum(
        "`Std:Join` lacks the word `properties` around its members, so that it refuses every join; "
        "its `On` is unknown; the values may be numbers and other functions as well.",
        (
            Operation(
                "replace",
                f"{DEFINITIONS}/JoinFunction/properties/Std:Join",
                {
                    "type": "object",
                    "properties": {
                        "On": {"type": "string"},
                        "Values": {
                            "type": "array",
                            "items": {"$ref": "#/definitions/JoinedValue"},
                        },
                    },
                    "required": ["Values"],
                    "additionalProperties": False,
                },
            ),
            Operation(
                "add",
                f"{DEFINITIONS}/JoinedValue",
                {
                    "anyOf": [
                        {"type": ["string", "number", "boolean"]},
                        {"$ref": "#/definitions/GetFunction"},
                        {"$ref": "#/definitions/JoinFunction"},
                        {"$ref": "#/definitions/JsonGetFunction"},
                    ]
                },
            ),
            # JoinedValue names it; the next erratum lets it stand where a value stands.
            Operation(
                "add",
                f"{DEFINITIONS}/JsonGetFunction",
                {
                    "type": "object",
                    "properties": {
                        "Std:JsonGet": {
                            "type": "object",
                            "properties": {
                                "PropertyFile": {"$ref": "#/definitions/GetFunction"},
                                "S3Uri": {
                                    "anyOf": [
                                        {"type": "string"},
                                        {"$ref": "#/definitions/JoinFunction"},
                                    ]
                                },
                                "Path": {"type": "string"},
                            },
                            "required": ["Path"],
                            "oneOf": [{"required": ["PropertyFile"]}, {"required": ["S3Uri"]}],
                            "additionalProperties": False,
                        }
                    },
                    "required": ["Std:JsonGet"],
                    "additionalProperties": False,
                },
            ),
        ),
        Witness("JoinFunction", _JOIN),
    ),
    Erratum(
        "A string argument may be a `Std:Join` or a `Std:JsonGet`, not only a `Get`.",
        (
            *additions(
                f"{DEFINITIONS}/StringArgumentValue/oneOf",
                {"-": {"$ref": "#/definitions/JoinFunction"}},
            ),
            *additions(
                f"{DEFINITIONS}/StringArgumentValue/oneOf",
                {"-": {"$ref": "#/definitions/JsonGetFunction"}},
            ),
        ),
        Witness("FailStep", step("Fail", {"ErrorMessage": _JOIN})),
    ),
    Erratum(
        "Numbers and truth values may be read from a property file by `Std:JsonGet`.",
        tuple(
            Operation(
                "add",
                f"{DEFINITIONS}/{kind}ArgumentValue/oneOf/-",
                {"$ref": "#/definitions/JsonGetFunction"},
            )
            for kind in ("Integer", "Float", "Boolean")
        ),
        Witness("IntegerArgumentValue", _JSON_GET),
    ),
    Erratum(
        "The definition's experiment settings (PipelineExperimentConfig) are unknown.",
        additions(
            "/properties",
            {
                "PipelineExperimentConfig": {
                    "type": ["object", "null"],
                    "properties": {"ExperimentName": STRING, "TrialName": STRING},
                    "additionalProperties": False,
                }
            },
        ),
        Witness("", {"Steps": [], "PipelineExperimentConfig": {"ExperimentName": _GET}}),
    ),
    Erratum(
        "The definition's MLflow settings (MlflowConfig) are unknown; SDK 3 writes null for none.",
        additions(
            "/properties",
            {
                "MlflowConfig": {
                    "type": ["object", "null"],
                    "properties": {
                        "MlflowResourceArn": STRING,
                        "MlflowExperimentName": STRING,
                        "MlflowRunName": STRING,
                    },
                    "additionalProperties": False,
                }
            },
        ),
        Witness("", {"Steps": [], "MlflowConfig": None}),
    ),
    Erratum(
        "A string parameter may list the values it takes (EnumValues).",
        additions(
            f"{DEFINITIONS}/StringParameter/properties",
            {"EnumValues": {"type": "array", "items": {"type": "string"}, "maxItems": 16}},
        ),
        Witness("StringParameter", {"Name": "A", "Type": "String", "EnumValues": ["a", "b"]}),
    ),
    Erratum(
        "A display name is any text of up to 256 characters (shape StepDisplayName).",
        tuple(
            Operation(
                "replace",
                f"{DEFINITIONS}/{step}/properties/DisplayName",
                {"type": "string", "maxLength": 256},
            )
            for step in STEPS
        ),
        Witness("FailStep", step("Fail", {}, DisplayName="Too bad: no model")),
    ),
    Erratum(
        "A step may wait for another's failure or stop: a dependency with a trigger (the SDK's "
        "StepDependency).",
        tuple(
            Operation(
                "replace",
                f"{DEFINITIONS}/{step}/properties/DependsOn/items",
                {
                    "anyOf": [
                        {"$ref": "#/definitions/StepName"},
                        {
                            "type": "object",
                            "properties": {
                                "Step": {"$ref": "#/definitions/StepName"},
                                "Trigger": {
                                    "type": "string",
                                    "enum": ["Completed", "Failed", "Stopped", "Any"],
                                },
                            },
                            "required": ["Step", "Trigger"],
                            "additionalProperties": False,
                        },
                    ]
                },
            )
            for step in STEPS
        ),
        Witness("FailStep", step("Fail", {}, DependsOn=[{"Step": "b", "Trigger": "Failed"}])),
    ),
    Erratum(
        "A retry policy takes a list of exception types; the SDK writes nothing else.",
        (
            Operation(
                "replace",
                f"{DEFINITIONS}/RetryPolicy/properties/ExceptionType",
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "string",
                        "enum": [
                            "Step.SERVICE_FAULT",
                            "Step.THROTTLING",
                            "SageMaker.JOB_INTERNAL_ERROR",
                            "SageMaker.CAPACITY_ERROR",
                            "SageMaker.RESOURCE_LIMIT",
                        ],
                    },
                },
            ),
        ),
        Witness("RetryPolicy", {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3}),
    ),
    Erratum(
        "`In` has the members QueryValue and Values. `NotIn` is not written any more: `Not` is.",
        (
            Operation(
                "replace", f"{DEFINITIONS}/InCondition/required", ["Type", "QueryValue", "Values"]
            ),
            Operation(
                "replace",
                f"{DEFINITIONS}/InCondition/properties",
                {
                    "Type": {"type": "string", "enum": ["In"]},
                    "QueryValue": _VALUE,
                    "Values": {"type": "array", "items": _VALUE},
                },
            ),
        ),
        Witness("InCondition", {"Type": "In", "QueryValue": _GET, "Values": ["a", 1, 0.5]}),
    ),
    Erratum(
        "There is a condition `Not`, and conditions nest: `Not` and `Or` hold any of them.",
        (
            Operation(
                "add",
                f"{DEFINITIONS}/NotCondition",
                {
                    "type": "object",
                    "properties": {
                        "Type": {"type": "string", "enum": ["Not"]},
                        "Condition": {"$ref": "#/definitions/AnyCondition"},
                    },
                    "required": ["Type", "Condition"],
                    "additionalProperties": False,
                },
            ),
            Operation(
                "add",
                f"{DEFINITIONS}/AnyCondition",
                _any_of("BinaryCondition", "InCondition", "OrCondition", "NotCondition"),
            ),
            Operation(
                "replace",
                f"{DEFINITIONS}/OrCondition/properties/Conditions/items",
                {"$ref": "#/definitions/AnyCondition"},
            ),
            Operation(
                "replace",
                f"{CONDITION}/Conditions/items",
                {"$ref": "#/definitions/AnyCondition"},
            ),
        ),
        Witness(
            "ConditionStep",
            step(
                "Condition",
                {"Conditions": [{"Type": "Not", "Condition": _COMPARISON}]},
            ),
        ),
    ),
    Erratum(
        "A branch holds any kind of step, Model and Condition included.",
        (
            Operation("add", f"{DEFINITIONS}/AnyStep", _any_of(*STEPS)),
            *(
                Operation(
                    "replace", f"{CONDITION}/{branch}/items", {"$ref": "#/definitions/AnyStep"}
                )
                for branch in ("IfSteps", "ElseSteps")
            ),
        ),
        Witness(
            "ConditionStep",
            step(
                "Condition",
                {
                    "Conditions": [_COMPARISON],
                    "IfSteps": [step("Model", {"ExecutionRoleArn": "arn"})],
                },
            ),
        ),
    ),
    Erratum(
        "A Processing step may name property files.",
        additions(
            f"{DEFINITIONS}/ProcessingStep/properties",
            {
                "PropertyFiles": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "PropertyFileName": {"type": "string"},
                            "OutputName": {"type": "string"},
                            "FilePath": {"type": "string"},
                        },
                        "required": ["PropertyFileName", "OutputName", "FilePath"],
                        "additionalProperties": False,
                    },
                }
            },
        ),
        Witness(
            "ProcessingStep",
            step(
                "Processing",
                {},
                PropertyFiles=[
                    {"PropertyFileName": "m", "OutputName": "report", "FilePath": "m.json"}
                ],
            ),
        ),
    ),
    Erratum(
        "The type of an endpoint configuration is EndpointConfig, not Endpoint.",
        (
            Operation(
                "replace",
                f"{DEFINITIONS}/EndpointConfigStep/properties/Type/enum",
                ["EndpointConfig"],
            ),
        ),
        Witness(
            "EndpointConfigStep",
            step("EndpointConfig", {"ProductionVariants": [{"VariantName": "a"}]}),
        ),
    ),
    Erratum(
        "`$schema` names no metaschema that a validator knows; the schema is written in draft-07.",
        (Operation("replace", "/$schema", "http://json-schema.org/draft-07/schema#"),),
        Witness("$schema", "http://json-schema.org/draft-07/schema#"),
    ),
    *ARGUMENT_ERRATA,
    *JOB_KIND_ERRATA,
    *ENDPOINT_KIND_ERRATA,
)
