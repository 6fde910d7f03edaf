"""What the published schema lacks of batch transform, tuning, AutoML and EMR.

The shapes named are those of botocore's service models.
"""

from __future__ import annotations

from errata_arguments import INTEGER, OBJECT, STRING, STRING_MAP
from schema_patch import DEFINITIONS, Erratum, Operation, Witness, additions, step

TRANSFORM = f"{DEFINITIONS}/TransformStep/properties/Arguments/properties"
TUNING = f"{DEFINITIONS}/TuningStep/properties/Arguments/properties"
CONFIG = f"{TUNING}/HyperParameterTuningJobConfig/properties"
JOB = f"{DEFINITIONS}/HyperParameterTrainingJobDefinition/properties"
EMR = f"{DEFINITIONS}/EMRStep/properties/Arguments"
EMR_SERVERLESS = {
    "type": "object",
    "properties": {
        "Name": {"$ref": "#/definitions/StepName"},
        "Type": {"type": "string", "enum": ["EMRServerless"]},
        "DependsOn": {"type": "array", "items": {"$ref": "#/definitions/StepName"}},
        "DisplayName": {"$ref": "#/definitions/StepName"},
        "Description": {"$ref": "#/definitions/ParameterDescription"},
        "RetryPolicies": {"type": "array", "items": {"$ref": "#/definitions/RetryPolicy"}},
        "CacheConfig": {"$ref": "#/definitions/CacheConfig"},
        "Arguments": {
            "type": "object",
            "properties": {
                "ExecutionRoleArn": STRING,
                "JobConfig": OBJECT,
                "ApplicationId": STRING,
                "ApplicationConfig": OBJECT,
            },
            "required": ["ExecutionRoleArn", "JobConfig"],
            "additionalProperties": False,
        },
    },
    "required": ["Name", "Type", "Arguments"],
    "additionalProperties": False,
}
LIMITS = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}}

AUTOML = f"{DEFINITIONS}/AutoMLStep/properties/Arguments/properties/AutoMLJobConfig/properties"

JOB_KIND_ERRATA: tuple[Erratum, ...] = (
    Erratum(
        "An AutoML job may choose its algorithms (shape AutoMLCandidateGenerationConfig).",
        additions(
            f"{AUTOML}/CandidateGenerationConfig/properties",
            {"AlgorithmsConfig": {"type": "array", "items": OBJECT}},
        ),
        Witness(
            "AutoMLStep",
            step(
                "AutoML",
                {
                    "InputDataConfig": [
                        {
                            "DataSource": {
                                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://a/b"}
                            },
                            "TargetAttributeName": "a",
                        }
                    ],
                    "OutputDataConfig": {"S3OutputPath": "s3://a"},
                    "RoleArn": "arn",
                    "AutoMLJobConfig": {
                        "CandidateGenerationConfig": {"AlgorithmsConfig": []},
                        "Mode": "ENSEMBLING",
                    },
                },
            ),
        ),
    ),
    Erratum(
        "A transform job has more members by now (shape CreateTransformJobRequest).",
        additions(
            TRANSFORM,
            {
                "DataCaptureConfig": OBJECT,
                "ExperimentConfig": {
                    "type": "object",
                    "properties": {"TrialComponentDisplayName": STRING},
                    "additionalProperties": False,
                },
            },
        ),
        Witness(
            "TransformStep",
            step("Transform", {"ExperimentConfig": {"TrialComponentDisplayName": "a"}}),
        ),
    ),
    Erratum(
        "A warm start requires its own members, not that of the completion criteria (shape "
        "HyperParameterTuningJobWarmStartConfig).",
        (
            Operation(
                "replace",
                f"{TUNING}/WarmStartConfig/required",
                ["ParentHyperParameterTuningJobs", "WarmStartType"],
            ),
        ),
        Witness(
            "TuningStep",
            step(
                "Tuning",
                {
                    "HyperParameterTuningJobConfig": {**LIMITS, "Strategy": "Random"},
                    "WarmStartConfig": {
                        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "a"}],
                        "WarmStartType": "TransferLearning",
                    },
                },
            ),
        ),
    ),
    Erratum(
        "There are four strategies (shape HyperParameterTuningJobStrategyType).",
        (
            Operation(
                "replace",
                f"{CONFIG}/Strategy/enum",
                ["Bayesian", "Random", "Hyperband", "Grid"],
            ),
        ),
        Witness(
            "TuningStep",
            step("Tuning", {"HyperParameterTuningJobConfig": {**LIMITS, "Strategy": "Grid"}}),
        ),
    ),
    Erratum(
        "A grid gives the number of its jobs itself (shape ResourceLimits requires the parallel "
        "ones alone), and the SDK takes parameters for both numbers.",
        (
            Operation(
                "replace",
                f"{CONFIG}/ResourceLimits",
                {
                    "type": "object",
                    "properties": {
                        "MaxNumberOfTrainingJobs": INTEGER,
                        "MaxParallelTrainingJobs": INTEGER,
                        "MaxRuntimeInSeconds": INTEGER,
                    },
                    "required": ["MaxParallelTrainingJobs"],
                    "additionalProperties": False,
                },
            ),
        ),
        Witness(
            "TuningStep",
            step(
                "Tuning",
                {
                    "HyperParameterTuningJobConfig": {
                        "ResourceLimits": {"MaxParallelTrainingJobs": 1},
                        "Strategy": "Random",
                    }
                },
            ),
        ),
    ),
    Erratum(
        "A tuning job has more members by now (shapes HyperParameterTuningJobConfig and "
        "CreateHyperParameterTuningJobRequest).",
        (
            *additions(CONFIG, {"RandomSeed": INTEGER, "StrategyConfig": OBJECT}),
            *additions(TUNING, {"Autotune": OBJECT}),
        ),
        Witness(
            "TuningStep",
            step(
                "Tuning",
                {
                    "HyperParameterTuningJobConfig": {
                        **LIMITS,
                        "Strategy": "Random",
                        "RandomSeed": 7,
                    },
                    "Autotune": {"Mode": "Enabled"},
                },
            ),
        ),
    ),
    Erratum(
        "The jobs of a tuning job have more members by now (shape "
        "HyperParameterTrainingJobDefinition).",
        (
            *additions(
                JOB, {"Environment": STRING_MAP, "HyperParameterTuningResourceConfig": OBJECT}
            ),
            *additions(f"{JOB}/ResourceConfig/properties", {"KeepAlivePeriodInSeconds": INTEGER}),
        ),
        Witness(
            "HyperParameterTrainingJobDefinition",
            {
                "AlgorithmSpecification": {},
                "OutputDataConfig": {},
                "ResourceConfig": {"KeepAlivePeriodInSeconds": 600},
                "RoleArn": "a",
                "StoppingCondition": {},
                "Environment": {"A": "a"},
            },
        ),
    ),
    Erratum(
        "An EMR step is named by the service, and may run on a cluster of its own or with a role "
        "of its own (the SDK's EMRStep).",
        (
            Operation("replace", f"{EMR}/properties/StepConfig/required", ["HadoopJarStep"]),
            Operation("replace", f"{EMR}/required", ["StepConfig"]),
            *additions(f"{EMR}/properties", {"ClusterConfig": OBJECT, "ExecutionRoleArn": STRING}),
        ),
        Witness(
            "EMRStep",
            step(
                "EMR",
                {
                    "StepConfig": {"HadoopJarStep": {"Jar": "a"}},
                    "ClusterConfig": {},
                    "ExecutionRoleArn": "a",
                },
            ),
        ),
    ),
    Erratum(
        "EMRServerless steps came later (the SDK's EMRServerlessStep).",
        (
            Operation("add", f"{DEFINITIONS}/EMRServerlessStep", EMR_SERVERLESS),
            Operation(
                "add",
                "/properties/Steps/items/oneOf/-",
                {"$ref": "#/definitions/EMRServerlessStep"},
            ),
        ),
        Witness(
            "",
            {
                "Version": "2020-12-01",
                "Steps": [
                    step(
                        "EMRServerless",
                        {"ExecutionRoleArn": "a", "ApplicationId": "a", "JobConfig": {}},
                    )
                ],
            },
        ),
    ),
    *(
        Erratum(
            f"A {kind} may end well although it found violations (the SDK's {kind}Step writes "
            "fail_on_violation).",
            additions(
                f"{DEFINITIONS}/{kind}Step/properties",
                {"FailOnViolation": {"type": ["boolean", "object"]}},
            ),
            Witness(
                f"{kind}Step",
                step(kind, {}, CheckType=check, FailOnViolation=False),
            ),
        )
        for kind, check in (("QualityCheck", "DATA_QUALITY"), ("ClarifyCheck", "DATA_BIAS"))
    ),
)
