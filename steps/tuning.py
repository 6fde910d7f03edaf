"""Tuning: search for the hyperparameters that fit a model best.

Request: CreateHyperParameterTuningJob (Amazon SageMaker API Reference). Ranges and warm start are
written as the SDK's ``HyperparameterTuner`` writes them; the jobs that a tuning job starts take no
entry point of their own (shape HyperParameterAlgorithmSpecification), so there is no ``command``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Code, Context, Field, Kind, NoAttribute, Problem, Step
from steps._estimators import (
    ESTIMATOR_FIELDS,
    channels,
    check_estimator,
    checkpoints,
    hyperparameters,
    limits,
    on_spot,
)
from steps._expressions import Expr, Join, PropertyRef
from steps._jobs import Arguments, cluster, present, tag_list, variables, vpc
from steps._ranges import RANGE, check_range, parameter_ranges

TOP_MODELS = 50
"""The SDK's ``TuningStep.get_top_model_s3_uri``: a step keeps its 50 best training jobs."""
MAX_PARENTS = 5
"""CreateHyperParameterTuningJob, ParentHyperParameterTuningJobs: at most 5 items."""

_DEFINITION = "TrainingJobDefinition"
_CONFIG = "HyperParameterTuningJobConfig"


def _estimator_fields() -> dict[str, Field]:
    """Return Training's fields that a tuning job's training jobs take, with their place there."""
    made = {}
    for name, field in ESTIMATOR_FIELDS.items():
        if name not in ("command", "arguments"):
            api = field.api if name == "tags" or not field.api else f"{_DEFINITION}.{field.api}"
            made[name] = replace(field, api=api)
    made["hyperparameters"] = Field(
        {
            **made["hyperparameters"].schema,
            "description": "What every job's training code is told; what `ranges` names is left "
            "out.",
        },
        api=f"{_DEFINITION}.StaticHyperParameters",
    )
    made["distribution"] = replace(made["distribution"], api=f"{_DEFINITION}.StaticHyperParameters")
    return made


class Tuning(Kind):
    """Runs training jobs with different hyperparameters."""

    name = "Tuning"
    api_type = "Tuning"
    operation = "CreateHyperParameterTuningJob"
    describe = "DescribeHyperParameterTuningJobResponse"
    describe_also = ("ListTrainingJobsForHyperParameterTuningJobResponse",)
    summary = "Search for the hyperparameters that fit a model best."
    about = (
        "A tuning job starts training jobs, each with other values for what `ranges` names, and "
        "compares them by `objective`. Everything else is said as for Training; a script must "
        "print the objective, and `metrics` must say how to read it.\n\n"
        "`${steps.NAME.model}` is the best job's model, `${steps.NAME.models[1]}` the next one's, "
        f"and so on; the service keeps the best {TOP_MODELS}."
    )
    example = (
        "tune:\n"
        "  type: Tuning\n"
        "  image: {framework: xgboost, version: 1.7-1}\n"
        "  instance: ml.m5.large\n"
        "  hyperparameters: {objective: 'binary:logistic', num_round: 100}\n"
        "  inputs: {train: s3://bucket/train, validation: s3://bucket/validation}\n"
        "  objective: {metric: 'validation:auc', goal: Maximize}\n"
        "  ranges: {max_depth: {min: 2, max: 12}, eta: {min: 0.01, max: 0.5}}\n"
        "  max_jobs: 20\n"
        "  max_parallel_jobs: 4\n"
    )
    required = ("image", "instance", "objective", "ranges")
    cacheable = True
    retries = shared.JOB_RETRIES
    refused = {
        "HyperParameterTuningJobName": "the service makes the name; to choose a prefix, turn on "
        "custom job prefixes for the pipeline",
    }
    supplied = ("HyperParameterTuningJobName",)
    fields = {
        **_estimator_fields(),
        "objective": Field(
            f.block(
                "What makes one training job better than another.",
                {
                    "metric": f.text("The metric's name.", "validation:auc"),
                    "goal": f.choice("What is better.", "Maximize", "Minimize"),
                },
                {"metric": "validation:auc", "goal": "Maximize"},
                required=["metric"],
            ),
            api=f"{_CONFIG}.HyperParameterTuningJobObjective",
        ),
        "ranges": Field(
            f.named(
                "The hyperparameters that are searched: two ends, or a list of values.",
                RANGE,
                {"max_depth": {"min": 2, "max": 12}, "criterion": ["gini", "entropy"]},
                minProperties=1,
            ),
            api=f"{_CONFIG}.ParameterRanges",
        ),
        "strategy": Field(
            f.choice("How it searches.", "Bayesian", "Random", "Hyperband", "Grid"),
            api=f"{_CONFIG}.Strategy",
            default="Bayesian",
        ),
        "max_jobs": Field(
            f.integer("Training jobs in all; not needed for `strategy: Grid`.", 20, minimum=1),
            api=f"{_CONFIG}.ResourceLimits.MaxNumberOfTrainingJobs",
        ),
        "max_parallel_jobs": Field(
            f.integer("Training jobs at the same time.", 4, minimum=1),
            api=f"{_CONFIG}.ResourceLimits.MaxParallelTrainingJobs",
            default="1",
        ),
        "early_stopping": Field(
            f.choice("End training jobs that promise nothing.", "Off", "Auto"),
            api=f"{_CONFIG}.TrainingJobEarlyStoppingType",
            default="Off",
        ),
        "warm_start": Field(
            f.block(
                "Begin with what earlier tuning jobs found.",
                {
                    "type": f.choice(
                        "What has stayed the same.", "IdenticalDataAndAlgorithm", "TransferLearning"
                    ),
                    "parents": f.listing(
                        "The earlier tuning jobs' names.",
                        f.text("A tuning job's name.", "pulsar-tuning-1"),
                        ["pulsar-tuning-1"],
                        minItems=1,
                        maxItems=MAX_PARENTS,
                    ),
                },
                {"type": "TransferLearning", "parents": ["pulsar-tuning-1"]},
                required=["type", "parents"],
            ),
            api="WarmStartConfig",
        ),
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the best models and the Describe and List responses."""
        del step
        return {"model": [], "models": None, "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``model``, the best job's archive, and ``models[k]``, that of the k-th best."""
        if path[0] == "model":
            return Attribute(_top_model(step, 0), path[1:])
        if path[0] != "models":
            return super().attribute(step, path)
        if len(path) < 2 or not isinstance(path[1], int):
            index = min(1, len(path) - 1)
            return NoAttribute(index, "say which model: `models[0]` is the best job's", ())
        if path[1] >= TOP_MODELS:
            return NoAttribute(1, f"a Tuning step keeps its {TOP_MODELS} best jobs, from 0 on")
        return Attribute(_top_model(step, path[1]), path[2:])

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield contradictions between fields, and what the strategy forbids."""
        yield from check_estimator(step)
        yield from _check_objective(step)
        yield from _check_strategy(step)
        for name, value in step.fields.get("ranges", {}).items():
            yield from check_range(name, value)

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateHyperParameterTuningJob arguments."""
        fields = step.fields
        warm_start = fields.get("warm_start") or {}
        return present(
            HyperParameterTuningJobConfig=_config(step),
            TrainingJobDefinition=_definition(step, context),
            WarmStartConfig=present(
                ParentHyperParameterTuningJobs=[
                    {"HyperParameterTuningJobName": name} for name in warm_start.get("parents", ())
                ],
                WarmStartType=warm_start.get("type"),
            ),
            Tags=tag_list(fields.get("tags")),
        )


def _top_model(step: Step, rank: int) -> Expr:
    """Return the archive of a training job by its rank.

    As the SDK's ``TuningStep.get_top_model_s3_uri``, but below the output path that the job itself
    tells: where the result comes from the step cache, its jobs lie below another execution's path.
    """
    output = PropertyRef(step.name, (_DEFINITION, "OutputDataConfig", "S3OutputPath"), meaning="s3")
    job = PropertyRef(step.name, ("TrainingJobSummaries", rank, "TrainingJobName"))
    return Join((output, job, "output/model.tar.gz"), on="/", meaning="s3")


def _config(step: Step) -> Arguments:
    fields = step.fields
    objective = fields.get("objective") or {}
    return present(
        Strategy=fields.get("strategy", "Bayesian"),
        HyperParameterTuningJobObjective=present(
            Type=objective.get("goal", "Maximize"), MetricName=objective.get("metric")
        ),
        ResourceLimits=present(
            MaxNumberOfTrainingJobs=fields.get("max_jobs"),
            MaxParallelTrainingJobs=fields.get("max_parallel_jobs", 1),
        ),
        ParameterRanges=parameter_ranges(step),
        TrainingJobEarlyStoppingType=fields.get("early_stopping", "Off"),
    )


def _definition(step: Step, context: Context) -> Arguments:
    fields = step.fields
    instance = fields.get("instance") or {}
    image = context.image(step, ("image",), fields.get("image"), "training", instance.get("type"))
    code = context.code(step, ("code",)) if "code" in fields else None
    network = fields.get("network") or {}
    metrics = fields.get("metrics", {})
    output = (fields.get("output") or {}).get("destination") or context.destination(step)
    return present(
        StaticHyperParameters=_static(step, context, code),
        AlgorithmSpecification=present(
            TrainingImage=image,
            TrainingInputMode="File",
            MetricDefinitions=[{"Name": name, "Regex": metrics[name]} for name in metrics],
        ),
        RoleArn=fields.get("role") or context.environment.role,
        InputDataConfig=channels(step, code),
        VpcConfig=vpc(step),
        OutputDataConfig=present(
            # References to the models put a slash behind it.
            S3OutputPath=output.rstrip("/") if isinstance(output, str) else output,
            KmsKeyId=fields.get("kms_key"),
        ),
        ResourceConfig=cluster(step, context),
        StoppingCondition=limits(step, context),
        EnableNetworkIsolation=network.get("isolation"),
        EnableInterContainerTrafficEncryption=network.get("encryption"),
        EnableManagedSpotTraining=True if on_spot(step) else None,
        CheckpointConfig=checkpoints(step, context),
        Environment=variables(step),
    )


def _static(step: Step, context: Context, code: Code | None) -> Arguments:
    """Return the hyperparameters that all jobs share; what is searched for is not among them."""
    made = hyperparameters(step, context, code)
    ranges = step.fields.get("ranges", {})
    return {name: value for name, value in made.items() if name not in ranges}


def _check_objective(step: Step) -> Iterator[Problem]:
    """Yield an objective that nobody reads from the script's log.

    API Reference, HyperParameterAlgorithmSpecification: a custom algorithm defines its metrics.
    """
    metric = (step.fields.get("objective") or {}).get("metric")
    if "code" not in step.fields or not isinstance(metric, str):
        return
    if metric not in step.fields.get("metrics", {}):
        yield Problem(
            "needs-another",
            ("objective", "metric"),
            f"`metrics` does not say how to read `{metric}`",
            f"such as `metrics: {{{metric}: '{metric}=([0-9.]+)'}}`",
        )


def _check_strategy(step: Step) -> Iterator[Problem]:
    """Yield what the strategy forbids.

    API Reference, HyperParameterTuningJobConfig and ResourceLimits; Developer Guide, "How
    hyperparameter tuning works": a grid has listed values alone and gives the number of jobs,
    Hyperband stops jobs by itself.
    """
    fields = step.fields
    strategy = fields.get("strategy", "Bayesian")
    if strategy != "Grid" and "max_jobs" not in fields:
        hint = "how many training jobs it may start in all"
        yield Problem("missing-key", (), "missing key `max_jobs`", hint, at_key=True)
    if strategy == "Grid":
        for name, value in fields.get("ranges", {}).items():
            if not isinstance(value, list):
                yield Problem(
                    "bad-value",
                    ("ranges", name),
                    "`strategy: Grid` takes lists of values alone",
                    "write the values that are tried, or choose another strategy",
                    at_key=True,
                )
    if strategy == "Hyperband" and fields.get("early_stopping", "Off") != "Off":
        yield Problem(
            "either-or",
            ("early_stopping",),
            "`early_stopping` stands beside `strategy: Hyperband`",
            "Hyperband stops training jobs by itself",
            at_key=True,
        )


KIND = Tuning()
