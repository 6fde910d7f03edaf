"""Training: fit a model.

Request: CreateTrainingJob (Amazon SageMaker API Reference). Code runs by the script-mode contract
of AWS's open ``sagemaker-training`` toolkit: the archive and entry are hyperparameters, and every
hyperparameter is JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _shared_fields as shared
from steps._contract import Attribute, Code, Context, Kind, NoAttribute, Problem, Step
from steps._estimators import (
    CODE_PATH,
    ESTIMATOR_FIELDS,
    channels,
    check_estimator,
    checkpoints,
    hyperparameters,
    limits,
    on_spot,
)
from steps._expressions import PropertyRef
from steps._jobs import (
    Arguments,
    cluster,
    command_line,
    entry_point,
    present,
    tag_list,
    variables,
    vpc,
)


class Training(Kind):
    """Runs a training container."""

    name = "Training"
    api_type = "Training"
    operation = "CreateTrainingJob"
    describe = "DescribeTrainingJobResponse"
    summary = "Fit a model with a script or a built-in algorithm."
    about = (
        "With `code` and a framework's image the script runs in SageMaker's script mode: it gets "
        "`hyperparameters` as command-line options, finds each channel of `inputs` at "
        "`/opt/ml/input/data/CHANNEL` (also in the variable `SM_CHANNEL_CHANNEL`), and saves the "
        "model to `/opt/ml/model` (`SM_MODEL_DIR`). What it leaves there is packed as "
        "`model.tar.gz`, and `${steps.NAME.model}` is its S3 URI.\n\n"
        "A built-in algorithm such as `xgboost` needs no code. With `command` the container runs "
        "that command instead; the code's folder then comes in as the channel `code`.\n\n"
        "`metrics` reads numbers from the log. `spot: true` takes spare capacity, which may be "
        "taken away again: with `checkpoints: true` what the script saves to "
        "`/opt/ml/checkpoints` is kept, and the job goes on from there. `instance: {keep_alive: "
        "30m}` keeps the machines for the next job; `distribution` starts the script on all of "
        "them together."
    )
    example = (
        "train:\n"
        "  type: Training\n"
        "  image: {framework: sklearn, version: 1.4-2}\n"
        "  instance: ml.m5.large\n"
        "  code: {dir: code, entry: train.py}\n"
        "  hyperparameters: {n-estimators: 10}\n"
        '  inputs: {train: "${steps.preprocess.outputs.train}"}\n'
    )
    required = ("image", "instance")
    cacheable = True
    retries = shared.JOB_RETRIES
    refused = {
        "TrainingJobName": "the service makes the name; to choose a prefix, turn on custom job "
        "prefixes for the pipeline",
        "ExperimentConfig.ExperimentName": "the pipeline's `experiment` says it",
        "ExperimentConfig.TrialName": "the pipeline's `experiment` says it",
        "ExperimentConfig.RunName": "the pipeline's `experiment` says it",
    }
    supplied = ("TrainingJobName",)
    fields = ESTIMATOR_FIELDS

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the model, the output and the Describe response."""
        del step
        return {"model": [], "output": [], "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``model`` (its archive) and ``output`` (the S3 URI above it)."""
        if path[0] == "model":
            place = ("ModelArtifacts", "S3ModelArtifacts")
            return Attribute(PropertyRef(step.name, place, meaning="s3"), path[1:])
        if path[0] == "output":
            place = ("OutputDataConfig", "S3OutputPath")
            return Attribute(PropertyRef(step.name, place, meaning="s3"), path[1:])
        return super().attribute(step, path)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield contradictions between fields."""
        if "arguments" in step.fields and "command" not in step.fields:
            yield Problem(
                "needs-another",
                ("arguments",),
                "`arguments` need a `command`",
                "in script mode, what the script is told are `hyperparameters`",
                at_key=True,
            )
        yield from check_estimator(step)

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateTrainingJob arguments."""
        fields = step.fields
        instance = fields.get("instance") or {}
        image = context.image(
            step, ("image",), fields.get("image"), "training", instance.get("type")
        )
        code = context.code(step, ("code",)) if "code" in fields else None
        network = fields.get("network") or {}
        return present(
            AlgorithmSpecification=self._algorithm(step, image, code),
            HyperParameters=hyperparameters(step, context, code),
            InputDataConfig=channels(step, code),
            ResourceConfig=cluster(step, context),
            RoleArn=fields.get("role") or context.environment.role,
            StoppingCondition=limits(step, context),
            OutputDataConfig=present(
                S3OutputPath=(fields.get("output") or {}).get("destination")
                or context.destination(step),
                KmsKeyId=fields.get("kms_key"),
            ),
            Environment=variables(step),
            CheckpointConfig=checkpoints(step, context),
            EnableManagedSpotTraining=True if on_spot(step) else None,
            EnableNetworkIsolation=network.get("isolation"),
            EnableInterContainerTrafficEncryption=network.get("encryption"),
            VpcConfig=vpc(step),
            Tags=tag_list(fields.get("tags")),
        )

    def _algorithm(self, step: Step, image: Any, code: Code | None) -> Arguments:
        fields = step.fields
        entry = command_line(fields.get("command")) or None
        if entry and code is not None:
            entry = entry_point(entry, CODE_PATH, code.entry, code.has_requirements)
        metrics = fields.get("metrics", {})
        return present(
            TrainingInputMode="File",
            TrainingImage=image,
            ContainerEntrypoint=entry,
            ContainerArguments=command_line(fields.get("arguments")),
            MetricDefinitions=[{"Name": name, "Regex": metrics[name]} for name in metrics],
        )


KIND = Training()
