"""Members of the requests that the service has and the published schema lacks.

The shapes named are those of botocore's service model of SageMaker.
"""

from __future__ import annotations

from schema_patch import DEFINITIONS, Erratum, Operation, Witness, additions, step

STRING = {"$ref": "#/definitions/StringArgumentValue"}
INTEGER = {"$ref": "#/definitions/IntegerArgumentValue"}
BOOLEAN = {"$ref": "#/definitions/BooleanArgumentValue"}
STRINGS = {"type": "array", "items": STRING}
STRING_MAP = {"type": "object", "additionalProperties": STRING}
OBJECT = {"type": "object"}
METRICS = {
    "type": "object",
    "properties": {"ContentType": STRING, "ContentDigest": STRING, "S3Uri": STRING},
    "additionalProperties": False,
}

PROCESSING = f"{DEFINITIONS}/ProcessingArgs/properties"
TRAINING = f"{DEFINITIONS}/TrainingStep/properties/Arguments/properties"
REGISTER = f"{DEFINITIONS}/RegisterModelStep/properties/Arguments"


_GET = {"Get": "Parameters.A"}

ARGUMENT_ERRATA: tuple[Erratum, ...] = (
    Erratum(
        "A processing input may be app-managed or a data set (shape ProcessingInput).",
        additions(
            f"{PROCESSING}/ProcessingInputs/items/properties",
            {"AppManaged": BOOLEAN, "DatasetDefinition": OBJECT},
        ),
        Witness("ProcessingArgs", {"ProcessingInputs": [{"InputName": "a", "AppManaged": False}]}),
    ),
    Erratum(
        "A processing output may go to a feature group (shape ProcessingOutput).",
        additions(
            f"{PROCESSING}/ProcessingOutputConfig/properties/Outputs/items/properties",
            {
                "AppManaged": BOOLEAN,
                "FeatureStoreOutput": {
                    "type": "object",
                    "properties": {"FeatureGroupName": STRING},
                    "additionalProperties": False,
                },
            },
        ),
        Witness(
            "ProcessingArgs",
            {
                "ProcessingOutputConfig": {
                    "Outputs": [
                        {"AppManaged": True, "FeatureStoreOutput": {"FeatureGroupName": "a"}}
                    ]
                }
            },
        ),
    ),
    Erratum(
        "A training container may have its own entry point (shape AlgorithmSpecification).",
        additions(
            f"{TRAINING}/AlgorithmSpecification/properties",
            {
                "ContainerEntrypoint": STRINGS,
                "ContainerArguments": STRINGS,
                "TrainingImageConfig": OBJECT,
            },
        ),
        Witness(
            "TrainingStep",
            step("Training", {"AlgorithmSpecification": {"ContainerEntrypoint": ["sh"]}}),
        ),
    ),
    Erratum(
        "A training job has more members by now (shape CreateTrainingJobRequest).",
        additions(
            TRAINING,
            {
                "Environment": STRING_MAP,
                "ProfilerConfig": OBJECT,
                "ProfilerRuleConfigurations": {"type": "array", "items": OBJECT},
                "RetryStrategy": OBJECT,
                "RemoteDebugConfig": OBJECT,
                "InfraCheckConfig": OBJECT,
                "SessionChainingConfig": OBJECT,
            },
        ),
        Witness("TrainingStep", step("Training", {"Environment": {"A": _GET}})),
    ),
    Erratum(
        "A training job may limit how long it waits for capacity (shape StoppingCondition).",
        additions(f"{TRAINING}/StoppingCondition/properties", {"MaxPendingTimeInSeconds": INTEGER}),
        Witness(
            "TrainingStep",
            step("Training", {"StoppingCondition": {"MaxPendingTimeInSeconds": 7200}}),
        ),
    ),
    Erratum(
        "A job may name its trial component (shape ExperimentConfig).",
        (
            *additions(PROCESSING, {"ExperimentConfig": OBJECT}),
            *additions(TRAINING, {"ExperimentConfig": OBJECT}),
        ),
        Witness("ProcessingArgs", {"ExperimentConfig": {"TrialComponentDisplayName": "clean"}}),
    ),
    Erratum(
        "A training job's archive may stay unpacked (shape OutputDataConfig).",
        additions(f"{TRAINING}/OutputDataConfig/properties", {"CompressionType": STRING}),
        Witness(
            "TrainingStep", step("Training", {"OutputDataConfig": {"CompressionType": "GZIP"}})
        ),
    ),
    Erratum(
        "A training cluster may be kept warm or be of several groups (shape ResourceConfig).",
        additions(
            f"{TRAINING}/ResourceConfig/properties",
            {
                "KeepAlivePeriodInSeconds": INTEGER,
                "InstanceGroups": {"type": "array", "items": OBJECT},
                "TrainingPlanArn": STRING,
            },
        ),
        Witness(
            "TrainingStep",
            step("Training", {"ResourceConfig": {"KeepAlivePeriodInSeconds": 60}}),
        ),
    ),
    Erratum(
        "A model's archive is where its training step left it: an expression, not only a URL.",
        (
            Operation(
                "replace", f"{DEFINITIONS}/ContainerDefinition/properties/ModelDataUrl", STRING
            ),
        ),
        Witness("ContainerDefinition", {"ModelDataUrl": _GET}),
    ),
    Erratum(
        "A registered container has an environment and more "
        "(shape ModelPackageContainerDefinition).",
        additions(
            f"{REGISTER}/properties/InferenceSpecification/properties/Containers/items/properties",
            {
                "Environment": STRING_MAP,
                "ModelDataSource": OBJECT,
                "ModelInput": OBJECT,
                "Framework": STRING,
                "FrameworkVersion": STRING,
                "NearestModelName": STRING,
                "AdditionalS3DataSource": OBJECT,
            },
        ),
        Witness(
            "RegisterModelStep",
            step(
                "RegisterModel",
                {"InferenceSpecification": {"Containers": [{"Environment": {"A": "b"}}]}},
            ),
        ),
    ),
    Erratum(
        "ModelPackageName stands beside the members of RegisterModel's arguments, not among them.",
        (
            Operation("remove", f"{REGISTER}/ModelPackageName"),
            *additions(f"{REGISTER}/properties", {"ModelPackageName": STRING}),
        ),
        Witness("RegisterModelStep", step("RegisterModel", {"ModelPackageName": "a"})),
    ),
    Erratum(
        "A registered model has an approval status and more (shape CreateModelPackageInput).",
        additions(
            f"{REGISTER}/properties",
            {
                "ModelApprovalStatus": STRING,
                "CustomerMetadataProperties": STRING_MAP,
                "Domain": STRING,
                "Task": STRING,
                "SamplePayloadUrl": STRING,
                "SkipModelValidation": STRING,
                "DriftCheckBaselines": OBJECT,
                "MetadataProperties": OBJECT,
                "ModelCard": OBJECT,
                "ModelLifeCycle": OBJECT,
                "SecurityConfig": OBJECT,
                "SourceUri": STRING,
                "ValidationSpecification": OBJECT,
            },
        ),
        Witness("RegisterModelStep", step("RegisterModel", {"ModelApprovalStatus": _GET})),
    ),
    Erratum(
        "A model's bias is reported before and after training as well (shape Bias).",
        additions(
            f"{REGISTER}/properties/ModelMetrics/properties/Bias/properties",
            {"PreTrainingReport": METRICS, "PostTrainingReport": METRICS},
        ),
        Witness(
            "RegisterModelStep",
            step(
                "RegisterModel",
                {"ModelMetrics": {"Bias": {"PreTrainingReport": {"S3Uri": _GET}}}},
            ),
        ),
    ),
)
