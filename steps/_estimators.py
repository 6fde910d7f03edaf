"""What jobs that train have in common: Training's own, and those that Tuning starts.

Requests: CreateTrainingJob and the TrainingJobDefinition of CreateHyperParameterTuningJob (Amazon
SageMaker API Reference). Code runs by the script-mode contract of AWS's open
``sagemaker-training`` toolkit: the archive and entry are hyperparameters, and every hyperparameter
is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Code, Context, Field, Problem, Short, Step
from steps._distribution import (
    DISTRIBUTION,
    check_distribution,
    distribution_hyperparameters,
)
from steps._expressions import Join, as_text, expressions_in, is_expression
from steps._jobs import Arguments, present, seconds

CODE_CHANNEL = "code"
CODE_PATH = f"/opt/ml/input/data/{CODE_CHANNEL}"
CHECKPOINT_PATH = "/opt/ml/checkpoints"
DEFAULT_RUNTIME = 24 * 60 * 60
"""CreateTrainingJob, StoppingCondition: the service's own default is one day; said openly, so that
a plan can show it and spot training can build on it."""
MAX_CHANNELS = 20
"""CreateTrainingJob, InputDataConfig: at most 20 items."""

_FILE_SYSTEM = f.block(
    "A file system instead of S3.",
    {
        "id": f.text("The file system.", "fs-0123456789abcdef0"),
        "type": f.choice("Its kind.", "EFS", "FSxLustre"),
        "path": f.text("The folder in it.", "/data/train"),
        "access": f.choice("How it is mounted.", "ro", "rw"),
    },
    {"id": "fs-0123456789abcdef0", "type": "FSxLustre", "path": "/fsx/train"},
    required=["id", "type", "path"],
)

CHANNEL = f.block(
    "A channel.",
    {
        "source": f.s3("Where the data are.", "s3://bucket/train"),
        "content_type": f.text("The data's MIME type.", "text/csv"),
        "mode": f.choice("How it comes in.", "File", "Pipe", "FastFile"),
        "distribution": f.choice("What every instance gets.", "FullyReplicated", "ShardedByS3Key"),
        "compression": f.choice("How it is packed.", "None", "Gzip"),
        "data_type": f.choice(
            "What the URI names.",
            "S3Prefix",
            "ManifestFile",
            "AugmentedManifestFile",
            "Converse",
        ),
        "record_wrapping": f.choice("How records are wrapped.", "None", "RecordIO"),
        "attribute_names": f.listing(
            "Attributes of an augmented manifest.", f.text("A name.", "source-ref"), ["source-ref"]
        ),
        "shuffle_seed": f.integer("Shuffle the order with this seed.", 7, minimum=0),
        "file_system": _FILE_SYSTEM,
    },
    {"source": "s3://bucket/train", "content_type": "text/csv"},
)

ESTIMATOR_FIELDS: dict[str, Field] = {
    "image": shared.image("AlgorithmSpecification.TrainingImage"),
    "instance": shared.instance("ResourceConfig", keep_alive=True),
    "code": shared.CODE,
    "command": Field(shared.COMMAND_SCHEMA, api="AlgorithmSpecification.ContainerEntrypoint"),
    "arguments": shared.arguments("AlgorithmSpecification.ContainerArguments"),
    "hyperparameters": Field(
        f.named(
            "What the training code is told; JSON in script mode, text for built-in algorithms.",
            f.anything("The hyperparameter's value.", 6),
            {"max_depth": 6, "eta": 0.2},
            maxProperties=100,
        ),
        api="HyperParameters",
    ),
    "inputs": Field(
        f.named(
            "Channels of data; the container finds each at `/opt/ml/input/data/CHANNEL`.",
            f.one_of(
                "A channel.",
                f.s3("Where the data are.", "s3://bucket/train"),
                CHANNEL,
                examples=["s3://bucket/train"],
            ),
            {"train": "s3://bucket/train"},
            propertyNames={
                "pattern": "^[A-Za-z0-9._-]{1,64}$",
                "description": "Letters, digits, `.`, `-` and `_`, at most 64.",
            },
        ),
        api="InputDataConfig[]",
        short=Short(each=Short("source")),
    ),
    "output": shared.output(
        "Where the model and other results go.", "OutputDataConfig.S3OutputPath"
    ),
    "metrics": Field(
        f.named(
            "Metrics read from the job's log: a regular expression whose group is the number.",
            f.text("The expression.", "accuracy=([0-9.]+)", literal=True),
            {"train:accuracy": "accuracy=([0-9.]+)"},
            maxProperties=40,
        ),
        api="AlgorithmSpecification.MetricDefinitions[]",
    ),
    "spot": Field(
        f.one_of(
            "Use spot capacity: true, or how long to wait for it in all.",
            f.boolean("Use it.", True),
            f.block(
                "Use it.",
                {"max_wait": f.duration("Waiting and running, at most.", "4h")},
                {"max_wait": "4h"},
            ),
            examples=[True, {"max_wait": "4h"}],
        ),
        api="EnableManagedSpotTraining",
        replace=True,
    ),
    "checkpoints": Field(
        f.one_of(
            "Keep checkpoints, so that an interrupted job goes on: true, an S3 URI, or both paths.",
            f.boolean("Keep them in a default place.", True),
            f.s3("Where they go.", "s3://bucket/checkpoints"),
            f.block(
                "Both places.",
                {
                    "destination": f.s3("Where they go.", "s3://bucket/checkpoints"),
                    "path": f.text("Where the container writes them.", CHECKPOINT_PATH),
                },
                {"destination": "s3://bucket/checkpoints", "path": CHECKPOINT_PATH},
            ),
            examples=[True, "s3://bucket/checkpoints"],
        ),
        api="CheckpointConfig",
        replace=True,
    ),
    "distribution": Field(DISTRIBUTION, api="HyperParameters", replace=True),
    "environment": shared.environment(),
    "network": shared.network("VpcConfig"),
    "kms_key": shared.kms_key("OutputDataConfig.KmsKeyId"),
    "role": shared.ROLE,
    "tags": shared.TAGS,
    "max_runtime": shared.MAX_RUNTIME,
}


def check_estimator(step: Step) -> Iterator[Problem]:
    """Yield what is wrong with the channels and with distributed training."""
    fields = step.fields
    if len(fields.get("inputs", {})) + code_as_channel(step) > MAX_CHANNELS:
        yield Problem(
            "too-many",
            ("inputs",),
            f"a Training job takes {MAX_CHANNELS} channels, the code's own included",
            at_key=True,
        )
    for name, value in fields.get("inputs", {}).items():
        ways = [way for way in ("source", "file_system") if way in value]
        if len(ways) != 1:
            yield Problem(
                "needs-one-of",
                ("inputs", name),
                "a channel has either a `source` or a `file_system`",
                at_key=True,
            )
        if name == CODE_CHANNEL and code_as_channel(step):
            yield Problem(
                "path-collision",
                ("inputs", name),
                f"the channel `{name}` is the code's own",
                at_key=True,
            )
    if "distribution" in fields and ("code" not in fields or code_as_channel(step)):
        yield Problem(
            "needs-another",
            ("distribution",),
            "`distribution` needs script mode: `code` without `command`",
            "with a `command`, start the processes there",
            at_key=True,
        )
    yield from check_distribution(step)


def limits(step: Step, context: Context) -> Arguments:
    """Return the StoppingCondition: how long to run, and on spot capacity to wait as well."""
    runtime = seconds(step, context, "max_runtime") or DEFAULT_RUNTIME
    wait = None
    if on_spot(step):
        wait = seconds(step, context, "spot", "max_wait") or runtime
        if wait < runtime:
            problem = Problem(
                "bad-value",
                ("spot", "max_wait"),
                f"{wait} s of waiting and running is less than the {runtime} s of running alone",
                "raise `max_wait` or lower `max_runtime`",
            )
            context.report(step, problem)
    return present(MaxRuntimeInSeconds=runtime, MaxWaitTimeInSeconds=wait)


def channels(step: Step, code: Code | None) -> list[Arguments]:
    """Return the InputDataConfig; the code's own channel stands last."""
    made = [_channel(name, value) for name, value in step.fields.get("inputs", {}).items()]
    if code is not None and code_as_channel(step):
        made.append(_channel(CODE_CHANNEL, {"source": code.files}))
    return made


def hyperparameters(step: Step, context: Context, code: Code | None) -> Arguments:
    """Return the hyperparameters: JSON in script mode, text for built-in algorithms."""
    given = step.fields.get("hyperparameters", {})
    if code is None or code_as_channel(step):
        return {
            name: as_json(value) if isinstance(value, (list, dict)) else as_text(value)
            for name, value in given.items()
        }
    made = {name: _encoded(value) for name, value in given.items()}
    made.update(distribution_hyperparameters(step))
    made["sagemaker_submit_directory"] = _encoded(code.archive)
    made["sagemaker_program"] = _encoded(code.entry)
    made["sagemaker_container_log_level"] = "20"
    made["sagemaker_region"] = _encoded(context.environment.region)
    return made


def code_as_channel(step: Step) -> bool:
    """Whether the code comes in as a channel: the container's own entry point runs it."""
    return "code" in step.fields and "command" in step.fields


def on_spot(step: Step) -> bool:
    """Whether spot capacity is wanted; a map says so too, even an empty one."""
    return step.fields.get("spot", False) is not False


def _encoded(value: Any) -> Any:
    """Return a script-mode hyperparameter: JSON, but an expression as the SDK leaves it."""
    return as_text(value) if is_expression(value) else as_json(value)


def as_json(value: Any) -> Any:
    """Return a value as JSON text; expressions in it become parts of a join."""
    if not any(True for _ in expressions_in(value)):
        return json.dumps(value)
    parts: list[Any] = []
    for part in _json_parts(value):
        if parts and isinstance(part, str) and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return Join(tuple(parts))


def _json_parts(value: Any) -> Iterator[Any]:
    """Yield the texts and expressions that make up a value's JSON."""
    if is_expression(value):
        # The service puts the value in as it is. A text needs quotes around it; a value of a
        # property file, whose type is not known, is taken for a number.
        quote = '"' if value.type == "string" else ""
        yield from (quote, *(value.values if isinstance(value, Join) else (value,)), quote)
    elif isinstance(value, Mapping):
        for index, (name, part) in enumerate(value.items()):
            yield f"{', ' if index else '{'}{json.dumps(name)}: "
            yield from _json_parts(part)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield ", " if index else "["
            yield from _json_parts(part)
        yield "]" if value else "[]"
    else:
        yield json.dumps(value)


def _channel(name: str, value: Mapping[str, Any]) -> Arguments:
    if "file_system" in value:
        system = value["file_system"]
        source: Arguments = {
            "FileSystemDataSource": {
                "FileSystemId": system.get("id"),
                "FileSystemAccessMode": system.get("access", "ro"),
                "FileSystemType": system.get("type"),
                "DirectoryPath": system.get("path"),
            }
        }
    else:
        source = {
            "S3DataSource": present(
                S3DataType=value.get("data_type", "S3Prefix"),
                S3Uri=value.get("source"),
                S3DataDistributionType=value.get("distribution", "FullyReplicated"),
                AttributeNames=value.get("attribute_names"),
            )
        }
    seed = value.get("shuffle_seed")
    return present(
        ChannelName=name,
        DataSource=source,
        ContentType=value.get("content_type"),
        CompressionType=value.get("compression"),
        RecordWrapperType=value.get("record_wrapping"),
        InputMode=value.get("mode"),
        ShuffleConfig=None if seed is None else {"Seed": seed},
    )


def checkpoints(step: Step, context: Context) -> Arguments | None:
    """Return the CheckpointConfig; its default place outlives the execution."""
    value = step.fields.get("checkpoints")
    if value is None or value is False:
        return None
    default = context.stable_destination(step, "checkpoints")
    if isinstance(value, Mapping):
        return present(S3Uri=value.get("destination") or default, LocalPath=value.get("path"))
    return {"S3Uri": default if value is True else value}
