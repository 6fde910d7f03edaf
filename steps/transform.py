"""Transform: predictions for a whole data set (batch transform).

Request: CreateTransformJob (Amazon SageMaker API Reference), in the order in which the SDK's
``Transformer`` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Short, Step
from steps._expressions import PropertyRef
from steps._jobs import Arguments, present, tag_list, variables

MAX_PAYLOAD_MB = 100
"""CreateTransformJob, MaxPayloadInMB: "The value cannot be greater than 100"."""

_INPUT = f.block(
    "The data that predictions are wanted for.",
    {
        "source": f.s3("Where the data are.", "s3://bucket/candidates"),
        "content_type": f.text("The data's MIME type.", "text/csv"),
        "split_type": f.choice(
            "What ends a record; None: each file is one.", "None", "Line", "RecordIO", "TFRecord"
        ),
        "compression": f.choice("How it is packed.", "None", "Gzip"),
        "data_type": f.choice(
            "What the URI names.", "S3Prefix", "ManifestFile", "AugmentedManifestFile"
        ),
    },
    {"source": "s3://bucket/candidates", "content_type": "text/csv", "split_type": "Line"},
    required=["source"],
)
_OUTPUT = f.block(
    "Where the predictions go, and how they are written.",
    {
        "destination": f.s3("The S3 URI.", "s3://bucket/predictions"),
        "accept": f.text("The MIME type that the model is asked for.", "text/csv"),
        "assemble_with": f.choice("What stands between predictions.", "None", "Line"),
    },
    {"accept": "text/csv", "assemble_with": "Line"},
)


class Transform(Kind):
    """Runs a model over a data set."""

    name = "Transform"
    api_type = "Transform"
    operation = "CreateTransformJob"
    describe = "DescribeTransformJobResponse"
    summary = "Run a model over a whole data set (batch transform)."
    about = (
        "The model is one that exists: a `CreateModel` step's, or one made elsewhere, by its name. "
        "The service starts its container, sends it each file of the input, whole or record by "
        "record (`input.split_type`), and writes the answers as `FILE.out` below the output's "
        "place.\n\n"
        "With `join_source: Input` each answer stands behind its own record; `output_filter` then "
        "chooses what of both is kept."
    )
    example = (
        "predict:\n"
        "  type: Transform\n"
        '  model: "${steps.create-model.model}"\n'
        "  instance: ml.m5.large\n"
        "  input: {source: s3://bucket/candidates, content_type: text/csv, split_type: Line}\n"
        "  output: {accept: text/csv, assemble_with: Line}\n"
    )
    required = ("model", "instance", "input")
    cacheable = True
    retries = shared.JOB_RETRIES
    refused = {
        "TransformJobName": "the service makes the name; to choose a prefix, turn on custom job "
        "prefixes for the pipeline",
        "ExperimentConfig.ExperimentName": "the pipeline's `experiment` says it",
        "ExperimentConfig.TrialName": "the pipeline's `experiment` says it",
        "ExperimentConfig.RunName": "the pipeline's `experiment` says it",
    }
    supplied = ("TransformJobName",)
    fields = {
        "model": Field(
            f.text(
                "The model's name, usually `${steps.NAME.model}` of a CreateModel step.",
                "${steps.create-model.model}",
                meaning="model-name",
            ),
            api="ModelName",
        ),
        "instance": replace(shared.instance("TransformResources"), default="1 instance"),
        "input": Field(
            f.one_of(
                "The data that predictions are wanted for.",
                f.s3("Where the data are.", "s3://bucket/candidates"),
                _INPUT,
                examples=[
                    "s3://bucket/candidates",
                    {"source": "s3://bucket/candidates", "content_type": "text/csv"},
                ],
            ),
            api="TransformInput",
            short=Short("source"),
        ),
        "output": Field(
            f.one_of(
                "Where the predictions go, and how they are written.",
                f.s3("The S3 URI.", "s3://bucket/predictions"),
                _OUTPUT,
                examples=["s3://bucket/predictions", {"accept": "text/csv"}],
            ),
            api="TransformOutput",
            short=Short("destination"),
            default="a folder of the execution and step",
        ),
        "input_filter": Field(
            f.text("What of a record the model gets: a JSONPath.", "$[1:]"),
            api="DataProcessing.InputFilter",
            default="$, the whole record",
        ),
        "output_filter": Field(
            f.text("What of the result is kept: a JSONPath.", "$[0,-1]"),
            api="DataProcessing.OutputFilter",
            default="$, the whole result",
        ),
        "join_source": Field(
            f.choice("Join each prediction to its record.", "None", "Input"),
            api="DataProcessing.JoinSource",
            default="None",
        ),
        "strategy": Field(
            f.choice("Records of a request to the model.", "MultiRecord", "SingleRecord"),
            api="BatchStrategy",
        ),
        "max_payload_mb": Field(
            f.integer("Size of a request, in MB, at most.", 6, minimum=0, maximum=MAX_PAYLOAD_MB),
            api="MaxPayloadInMB",
            default="6",
        ),
        "max_concurrent": Field(
            f.integer("Requests at the same time, per instance.", 4, minimum=0),
            api="MaxConcurrentTransforms",
        ),
        "environment": shared.environment(),
        "kms_key": shared.kms_key("TransformOutput.KmsKeyId"),
        "tags": shared.TAGS,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the output and the Describe response."""
        del step
        return {"output": [], "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``output``, the S3 URI of the predictions."""
        if path[0] == "output":
            place = ("TransformOutput", "S3OutputPath")
            return Attribute(PropertyRef(step.name, place, meaning="s3"), path[1:])
        return super().attribute(step, path)

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateTransformJob arguments."""
        fields = step.fields
        # A transform job's volume has no size to choose; `volume_gb` of a general default is not
        # for it.
        instance = fields.get("instance") or {}
        return present(
            ModelName=fields.get("model"),
            TransformInput=_input(step),
            TransformOutput=_output(step, context),
            TransformResources=present(
                InstanceCount=instance.get("count", 1),
                InstanceType=instance.get("type"),
                VolumeKmsKeyId=instance.get("kms_key"),
            ),
            BatchStrategy=fields.get("strategy"),
            MaxConcurrentTransforms=fields.get("max_concurrent"),
            MaxPayloadInMB=fields.get("max_payload_mb"),
            Environment=variables(step),
            Tags=tag_list(fields.get("tags")),
            DataProcessing=present(
                InputFilter=fields.get("input_filter"),
                OutputFilter=fields.get("output_filter"),
                JoinSource=fields.get("join_source"),
            ),
        )


def _input(step: Step) -> Arguments:
    value = step.fields.get("input") or {}
    return present(
        DataSource={
            "S3DataSource": {
                "S3DataType": value.get("data_type", "S3Prefix"),
                "S3Uri": value.get("source"),
            }
        },
        ContentType=value.get("content_type"),
        CompressionType=value.get("compression"),
        SplitType=value.get("split_type"),
    )


def _output(step: Step, context: Context) -> Arguments:
    value = step.fields.get("output") or {}
    return present(
        S3OutputPath=value.get("destination") or context.destination(step),
        Accept=value.get("accept"),
        AssembleWith=value.get("assemble_with"),
        KmsKeyId=step.fields.get("kms_key"),
    )


KIND = Transform()
