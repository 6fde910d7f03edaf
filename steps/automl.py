"""AutoML: Autopilot looks for the best model of a table.

Request: CreateAutoMLJob (Amazon SageMaker API Reference), as the SDK's ``AutoMLStep`` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Problem, Short, Step
from steps._expressions import PropertyRef
from steps._jobs import Arguments, present, seconds, tag_list, vpc

MODES = ("ENSEMBLING", "AUTO", "HYPERPARAMETER_TUNING")
CHANNELS = ("training", "validation")
_BEST = ("BestCandidate", "InferenceContainers", 0)
_REPORTS = {
    "insights": "ModelInsightsJsonReportPath",
    "explainability": "ExplainabilityJsonReportPath",
}
"""Members of BestCandidateProperties, which only a pipeline's step has: the SDK's ``AutoMLStep``
adds them to the Describe response."""
_CRITERIA = "AutoMLJobConfig.CompletionCriteria"
_METRICS = (
    "Accuracy", "MSE", "F1", "F1macro", "AUC", "RMSE", "BalancedAccuracy", "R2", "Recall",
    "RecallMacro", "Precision", "PrecisionMacro", "MAE", "MAPE", "MASE", "WAPE",
    "AverageWeightedQuantileLoss",
)  # fmt: skip
SERVING_VARIABLES = (
    "MODEL_NAME",
    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
    "SAGEMAKER_SUBMIT_DIRECTORY",
    "SAGEMAKER_INFERENCE_SUPPORTED",
    "SAGEMAKER_INFERENCE_OUTPUT",
    "SAGEMAKER_PROGRAM",
)
"""What the best model's container needs of its environment: those that the SDK's
``get_best_auto_ml_model_builder`` takes over."""

_INPUT = f.block(
    "A channel.",
    {
        "source": f.s3("Where the table is.", "s3://bucket/train.csv"),
        "content_type": f.text(
            "Its MIME type, and whether it has a header.", "text/csv;header=present"
        ),
        "compression": f.choice("How it is packed.", "None", "Gzip"),
        "data_type": f.choice(
            "What the URI names.", "S3Prefix", "ManifestFile", "AugmentedManifestFile"
        ),
    },
    {"source": "s3://bucket/train.csv", "content_type": "text/csv;header=present"},
    required=["source"],
)
_CHANNEL = f.one_of(
    "A channel.",
    f.s3("Where the table is.", "s3://bucket/train.csv"),
    _INPUT,
    examples=["s3://bucket/train.csv"],
)


class AutoML(Kind):
    """Lets Autopilot train many models."""

    name = "AutoML"
    api_type = "AutoML"
    operation = "CreateAutoMLJob"
    known_as = ("CreateAutoMLJobV2",)
    describe = "DescribeAutoMLJobResponse"
    summary = "Let Autopilot try many models on a table and keep the best."
    about = (
        "Autopilot trains models on the table `inputs.training` that tell the column `target` from "
        "the others, and combines the best of them; the job chooses its machines itself. A table "
        "has a header, unless `content_type: text/csv;header=absent` says otherwise.\n\n"
        "`${steps.NAME.model}` is the best candidate's archive. RegisterModel and CreateModel "
        "steps whose `model` it is take its image and environment variables over as well. "
        "`${steps.NAME.insights}` and `${steps.NAME.explainability}` are the S3 URIs of its "
        "reports in JSON, for example for the `metrics` of RegisterModel.\n\n"
        "In a pipeline the service knows one mode, `ENSEMBLING`."
    )
    example = (
        "search:\n"
        "  type: AutoML\n"
        "  inputs: {training: s3://bucket/train.csv}\n"
        "  target: is_pulsar\n"
        "  problem_type: BinaryClassification\n"
        "  objective: F1\n"
        "  max_runtime: 2h\n"
    )
    required = ("inputs", "target")
    cacheable = True
    retries = shared.JOB_RETRIES
    refused = {
        "AutoMLJobName": "the service makes the name; to choose a prefix, turn on custom job "
        "prefixes for the pipeline",
        "ModelDeployConfig": "a pipeline deploys with steps of its own",
        "GenerateCandidateDefinitionsOnly": "a pipeline trains the candidates",
    }
    supplied = ("AutoMLJobName",)
    fields = {
        "inputs": Field(
            f.block(
                "The tables: `training`, and `validation` where it is not split off.",
                dict.fromkeys(CHANNELS, _CHANNEL),
                {"training": "s3://bucket/train.csv"},
                required=["training"],
            ),
            api="InputDataConfig",
            short=Short(each=Short("source")),
        ),
        "target": Field(
            f.text("The column to predict.", "is_pulsar"),
            api="InputDataConfig.TargetAttributeName",
        ),
        "sample_weight": Field(
            f.text("The column with the rows' weights.", "weight"),
            api="InputDataConfig.SampleWeightAttributeName",
        ),
        "problem_type": Field(
            f.choice(
                "What is predicted; found out from the data where it is left out.",
                "BinaryClassification",
                "MulticlassClassification",
                "Regression",
            ),
            api="ProblemType",
        ),
        "objective": Field(
            f.choice("The metric that the best candidate is best in.", *_METRICS),
            api="AutoMLJobObjective.MetricName",
            default="the service's for the problem type",
        ),
        "mode": Field(
            f.choice("How candidates are made.", *MODES, literal=True),
            api="AutoMLJobConfig.Mode",
            default="ENSEMBLING",
        ),
        "max_candidates": Field(
            f.integer("How many models it trains, at most.", 10, minimum=1, maximum=750),
            api=f"{_CRITERIA}.MaxCandidates",
        ),
        "max_runtime": Field(
            f.duration("How long the whole job may run.", "2h"),
            api=f"{_CRITERIA}.MaxAutoMLJobRuntimeInSeconds",
        ),
        "max_runtime_per_training_job": Field(
            f.duration("How long one model may be trained.", "20m"),
            api=f"{_CRITERIA}.MaxRuntimePerTrainingJobInSeconds",
        ),
        "validation_fraction": Field(
            f.number("The part of the training table to validate with.", 0.2, minimum=0, maximum=1),
            api="AutoMLJobConfig.DataSplitConfig.ValidationFraction",
        ),
        "feature_specification": Field(
            f.s3("A JSON file that chooses columns and their types.", "s3://bucket/features.json"),
            api="AutoMLJobConfig.CandidateGenerationConfig.FeatureSpecificationS3Uri",
        ),
        "algorithms": Field(
            f.listing(
                "The algorithms to choose from.",
                f.text("An algorithm.", "xgboost"),
                ["xgboost", "lightgbm"],
                minItems=1,
            ),
            api="AutoMLJobConfig.CandidateGenerationConfig.AlgorithmsConfig",
        ),
        "output": shared.output(
            "Where candidates and reports go.", "OutputDataConfig.S3OutputPath"
        ),
        "network": shared.network("AutoMLJobConfig.SecurityConfig.VpcConfig"),
        "kms_key": shared.kms_key("OutputDataConfig.KmsKeyId"),
        "volume_kms_key": Field(
            f.text("KMS key (ARN or ID) that encrypts the jobs' volumes.", "alias/volumes"),
            api="AutoMLJobConfig.SecurityConfig.VolumeKmsKeyId",
        ),
        "role": shared.ROLE,
        "tags": shared.TAGS,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the best model, its reports and the Describe response."""
        del step
        return {"model": [], "insights": [], "explainability": [], "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``model`` (the best candidate's archive) and the best candidate's reports."""
        if path[0] == "model":
            place = (*_BEST, "ModelDataUrl")
            return Attribute(PropertyRef(step.name, place, meaning="s3"), path[1:])
        if path[0] in _REPORTS:
            report = ("BestCandidateProperties", _REPORTS[str(path[0])])
            return Attribute(PropertyRef(step.name, report, meaning="s3"), path[1:])
        return super().attribute(step, path)

    def gives(self, step: str) -> Mapping[str, Any]:
        """Return the best candidate's image and environment variables."""
        best = f"steps['{step}'].properties.BestCandidate.InferenceContainers[0]"
        return {
            "image": f"${{{best}.Image}}",
            "environment": {
                name: f"${{{best}.Environment['{name}']}}" for name in SERVING_VARIABLES
            },
        }

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield modes that pipelines lack, an objective without its problem, and isolation."""
        mode = step.fields.get("mode", MODES[0])
        if mode in MODES[1:]:
            yield Problem(
                "bad-value",
                ("mode",),
                f"a pipeline does not run AutoML in the mode {mode}",
                "ENSEMBLING is the one it knows",
            )
        for one, other in (("objective", "problem_type"), ("problem_type", "objective")):
            if one in step.own and other not in step.fields:
                yield Problem(
                    "needs-another",
                    (one,),
                    f"`{one}` needs `{other}`",
                    "either both are said or the service finds out both",
                    at_key=True,
                )
        if (step.fields.get("network") or {}).get("isolation") and "network" in step.own:
            yield Problem(
                "bad-value",
                ("network", "isolation"),
                "AutoML knows no isolation of its containers",
                "leave it out here",
                at_key=True,
            )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateAutoMLJob arguments."""
        fields = step.fields
        objective = fields.get("objective")
        return present(
            InputDataConfig=[_channel(step, name) for name in _channels(step)],
            OutputDataConfig=present(
                S3OutputPath=(fields.get("output") or {}).get("destination")
                or context.destination(step),
                KmsKeyId=fields.get("kms_key"),
            ),
            AutoMLJobConfig=_job(step, context),
            RoleArn=fields.get("role") or context.environment.role,
            AutoMLJobObjective=None if objective is None else {"MetricName": objective},
            ProblemType=fields.get("problem_type"),
            Tags=tag_list(fields.get("tags")),
        )


def _channels(step: Step) -> list[str]:
    """Return the channels there are; the training data are always there."""
    return [name for name in CHANNELS if name in step.fields.get("inputs", {})] or [CHANNELS[0]]


def _channel(step: Step, name: str) -> Arguments:
    value = step.fields.get("inputs", {}).get(name, {})
    source = {"S3DataType": value.get("data_type", "S3Prefix"), "S3Uri": value.get("source")}
    return present(
        DataSource={"S3DataSource": source},
        TargetAttributeName=step.fields.get("target"),
        CompressionType=value.get("compression"),
        # A single channel is the training data: it needs no name.
        ChannelType=name if len(_channels(step)) > 1 else None,
        ContentType=value.get("content_type"),
        SampleWeightAttributeName=step.fields.get("sample_weight"),
    )


def _job(step: Step, context: Context) -> Arguments:
    fields = step.fields
    network = fields.get("network") or {}
    algorithms = fields.get("algorithms")
    fraction = fields.get("validation_fraction")
    # The SDK writes the criteria and the encryption in any case; leaving them out would show as a
    # change.
    job: Arguments = {
        "CompletionCriteria": present(
            MaxCandidates=fields.get("max_candidates"),
            MaxRuntimePerTrainingJobInSeconds=seconds(
                step, context, "max_runtime_per_training_job"
            ),
            MaxAutoMLJobRuntimeInSeconds=seconds(step, context, "max_runtime"),
        ),
        "SecurityConfig": {
            "EnableInterContainerTrafficEncryption": network.get("encryption", False),
            **present(VolumeKmsKeyId=fields.get("volume_kms_key"), VpcConfig=vpc(step)),
        },
    }
    job.update(
        present(
            CandidateGenerationConfig=present(
                FeatureSpecificationS3Uri=fields.get("feature_specification"),
                AlgorithmsConfig=algorithms and [{"AutoMLAlgorithms": algorithms}],
            ),
            DataSplitConfig=None if fraction is None else {"ValidationFraction": fraction},
            Mode=fields.get("mode", MODES[0]),
        )
    )
    return job


KIND = AutoML()
