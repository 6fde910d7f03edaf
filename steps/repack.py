"""Repack: a new archive of a model with its serving code inside.

Request: CreateTrainingJob (Amazon SageMaker API Reference). AWS's SDK does the same with its
``_RepackModelStep``, a training job of the scikit-learn image; the script here is our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Step
from steps._expressions import PropertyRef
from steps._jobs import Arguments, cluster, present, seconds, tag_list, vpc

INSTANCE = "ml.m5.large"
"""The instance type of the SDK's repack step (``workflow/_utils.py``, INSTANCE_TYPE)."""
IMAGE = {"framework": "sklearn", "version": "1.2-1"}
"""The image of the SDK's repack step (FRAMEWORK_VERSION). All that the script needs is Python."""
DEFAULT_RUNTIME = 60 * 60
"""Ours: unpacking takes minutes, and an hour is enough for an archive of hundreds of GB."""

_SCRIPT = FilePath(__file__).with_name("_repack_script.py")
_DATA = "/opt/ml/input/data"
_TARGET = "/opt/ml/model"


class Repack(Kind):
    """Puts code into a model's archive."""

    name = "Repack"
    api_type = "Training"
    operation = "CreateTrainingJob"
    describe = "DescribeTrainingJobResponse"
    summary = "Put serving code into a model's archive, for images that look for it there."
    about = (
        "The serving images of PyTorch, TensorFlow, HuggingFace and MXNet look for their code in "
        "the folder `code` of the model's archive. RegisterModel and CreateModel steps with `code` "
        "and such an image bring this step along, as `KEY-repack`; nothing need be written. Its "
        "machine, network and so on are chosen under `defaults: {Repack: {…}}`, or at the step by "
        "`repack: {…}`.\n\n"
        "Written as a step of its own it makes one archive for several uses. It is a training job "
        "that unpacks `model`, puts the files of `code` into the folder `code`, in place of what "
        "was there, and leaves the rest to SageMaker, which packs it again: "
        "`${steps.NAME.model}`. Archives with members that lead out of them are refused."
    )
    example = (
        "pack:\n"
        "  type: Repack\n"
        '  model: "${steps.train.model}"\n'
        "  code: {dir: code, entry: inference.py}\n"
    )
    required = ("model", "code")
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
    fields = {
        "model": Field(
            f.s3("The archive: usually `${steps.NAME.model}`.", "${steps.train.model}"),
            api="InputDataConfig",
        ),
        "code": shared.CODE,
        "instance": Field(
            shared.instance("").schema,
            "ResourceConfig",
            shared.instance("").short,
            default=INSTANCE,
        ),
        "output": shared.output("Where the new archive goes.", "OutputDataConfig.S3OutputPath"),
        "network": shared.network("VpcConfig"),
        "kms_key": shared.kms_key("OutputDataConfig.KmsKeyId"),
        "role": shared.ROLE,
        "tags": shared.TAGS,
        "max_runtime": Field(
            shared.MAX_RUNTIME.schema, "StoppingCondition.MaxRuntimeInSeconds", default="1h"
        ),
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the new archive, the output and the Describe response."""
        del step
        return {"model": [], "output": [], "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``model`` (the new archive) and ``output`` (the S3 URI above it)."""
        places = {
            "model": ("ModelArtifacts", "S3ModelArtifacts"),
            "output": ("OutputDataConfig", "S3OutputPath"),
        }
        if path[0] in places:
            return Attribute(PropertyRef(step.name, places[str(path[0])], meaning="s3"), path[1:])
        return super().attribute(step, path)

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateTrainingJob arguments."""
        fields = step.fields
        instance = {"type": INSTANCE, **(fields.get("instance") or {})}
        machine = Step(step.name, step.kind, {**fields, "instance": instance}, step.own)
        code = context.code(step, ("code",))
        channels = {
            "model": fields.get("model"),
            "code": code.files if code is not None else "s3://missing",
            "repack": context.shipped(_SCRIPT),
        }
        network = fields.get("network") or {}
        return present(
            AlgorithmSpecification={
                "TrainingInputMode": "File",
                "TrainingImage": context.image(step, (), IMAGE, "training", instance["type"]),
                "ContainerEntrypoint": [
                    "python3",
                    f"{_DATA}/repack/{_SCRIPT.name}",
                    f"{_DATA}/model",
                    f"{_DATA}/code",
                    _TARGET,
                ],
            },
            InputDataConfig=[_channel(name, uri) for name, uri in channels.items()],
            ResourceConfig=cluster(machine, context),
            RoleArn=fields.get("role") or context.environment.role,
            StoppingCondition={
                "MaxRuntimeInSeconds": seconds(step, context, "max_runtime") or DEFAULT_RUNTIME
            },
            OutputDataConfig=present(
                S3OutputPath=(fields.get("output") or {}).get("destination")
                or context.destination(step),
                KmsKeyId=fields.get("kms_key"),
            ),
            EnableNetworkIsolation=network.get("isolation"),
            EnableInterContainerTrafficEncryption=network.get("encryption"),
            VpcConfig=vpc(step),
            Tags=tag_list(fields.get("tags")),
        )


def _channel(name: str, uri: object) -> Arguments:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": uri,
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


KIND = Repack()
