"""Processing: a container that reads inputs and writes outputs.

Request: CreateProcessingJob (Amazon SageMaker API Reference).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import (
    Attribute,
    Context,
    Field,
    Kind,
    NoAttribute,
    Problem,
    PropertyFile,
    Short,
    Step,
)
from steps._expressions import JsonGet, PropertyRef
from steps._jobs import Arguments, check_unique_paths
from steps._paths import json_path
from steps._processing import CODE_PATH, REFUSED, ROOT, container_path, processing_request

MAX_INPUTS = 10
"""CreateProcessingJob, ProcessingInputs: at most 10 items."""

_INPUT = f.block(
    "An input.",
    {
        "source": f.s3("Where the data are.", "s3://bucket/data"),
        "asset": f.text("A file or folder beside the definition.", "reference.csv", path=True),
        "path": f.text("Where the container finds it.", f"{ROOT}/data"),
        "mode": f.choice("How it comes in.", "File", "Pipe"),
        "distribution": f.choice("What every instance gets.", "FullyReplicated", "ShardedByS3Key"),
        "compression": f.choice("Unpack it on the way.", "None", "Gzip"),
        "data_type": f.choice("What the URI names.", "S3Prefix", "ManifestFile"),
        **shared.FAN_IN,
    },
    {"source": "s3://bucket/data", "distribution": "ShardedByS3Key"},
)
_OUTPUT = f.block(
    "An output.",
    {
        "path": f.text("Where the container leaves it.", f"{ROOT}/train"),
        "destination": f.s3("Where it goes.", "s3://bucket/train"),
        "mode": f.choice("When it is uploaded.", "EndOfJob", "Continuous"),
        "feature_group": f.text("A Feature Store group that takes it instead.", "candidates"),
    },
    {"path": f"{ROOT}/train", "destination": "s3://bucket/train"},
)


class Processing(Kind):
    """Runs a container over data."""

    name = "Processing"
    api_type = "Processing"
    operation = "CreateProcessingJob"
    describe = "DescribeProcessingJobResponse"
    summary = "Run a script or container over data: prepare, evaluate, convert."
    about = (
        "The job starts `instance.count` machines with the container `image`, brings the "
        "`inputs` in, runs the code and takes the `outputs` away. An input or output `NAME` lies "
        "at `/opt/ml/processing/NAME`, unless its `path` says otherwise.\n\n"
        "The file that `code` names is run with `python3` (`.sh` and `.R` files by their own "
        "interpreters) and gets `arguments` as its command line; `command` takes the "
        "interpreter's place. A `requirements.txt` in the code's folder is installed first. An "
        "image of your own with an entry point needs no `code`.\n\n"
        "A JSON file that the job leaves in an output can be read by references and conditions: "
        "`files: {metrics: report/metrics.json}` makes the file `metrics.json` of the output "
        "`report` known as `metrics`."
    )
    example = (
        "preprocess:\n"
        "  type: Processing\n"
        "  image: {framework: sklearn, version: 1.4-2}\n"
        "  instance: ml.m5.large\n"
        "  code: code/preprocess.py\n"
        "  inputs: {candidates: s3://bucket/candidates.csv}\n"
        "  outputs: [train, test]\n"
    )
    required = ("image", "instance")
    cacheable = True
    retries = shared.JOB_RETRIES
    refused = REFUSED
    supplied = ("ProcessingJobName",)
    fields = {
        "image": shared.image("AppSpecification.ImageUri"),
        "instance": shared.instance("ProcessingResources.ClusterConfig"),
        "code": shared.CODE,
        "command": Field(shared.COMMAND_SCHEMA, api="AppSpecification.ContainerEntrypoint"),
        "arguments": shared.arguments("AppSpecification.ContainerArguments"),
        "inputs": Field(
            f.named(
                f"Data that come in, by name; the container finds each at `{ROOT}/NAME`.",
                f.one_of(
                    "An input.",
                    f.s3("Where the data are.", "s3://bucket/data"),
                    _INPUT,
                    examples=["s3://bucket/data"],
                ),
                {"candidates": "s3://bucket/candidates.csv"},
            ),
            api="ProcessingInputs[]",
            short=Short(each=Short("source")),
        ),
        "outputs": Field(
            f.one_of(
                "Data that go out: names, or a map of names to a container path or S3 URI.",
                f.listing("Names.", f.text("A name.", "train", literal=True), ["train", "test"]),
                f.named(
                    "Outputs by name.",
                    f.one_of(
                        "An output.",
                        {"type": "null", "description": "Default places.", "examples": [None]},
                        f.s3("A container path or an S3 URI.", "s3://bucket/train"),
                        _OUTPUT,
                        examples=["s3://bucket/train"],
                    ),
                    {"train": "s3://bucket/train"},
                ),
                examples=[["train", "test"]],
            ),
            api="ProcessingOutputConfig.Outputs[]",
            short=Short(names=True, each=Short("destination", paths="path")),
        ),
        "files": Field(
            f.named(
                "JSON files in outputs that references and conditions can read: `OUTPUT/PATH`.",
                f.text("The output and the path in it.", "report/metrics.json", literal=True),
                {"metrics": "report/metrics.json"},
            ),
            api="PropertyFiles[]",
        ),
        "environment": shared.environment(),
        "network": shared.network(),
        "kms_key": shared.kms_key("ProcessingOutputConfig.KmsKeyId"),
        "role": shared.ROLE,
        "tags": shared.TAGS,
        "max_runtime": shared.MAX_RUNTIME,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the outputs, the property files and the Describe response."""
        return {
            "outputs": list(step.fields.get("outputs", {})),
            "files": list(step.fields.get("files", {})),
            "properties": None,
        }

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``outputs.NAME`` and ``files.NAME.a.b[0]``."""
        word, *rest = path
        names = list(step.fields.get(str(word), {})) if word in ("outputs", "files") else []
        if word not in ("outputs", "files"):
            return super().attribute(step, path)
        singular = "output" if word == "outputs" else "property file"
        if not rest:
            return NoAttribute(0, f"name the {singular}: `{word}.NAME`", names)
        if rest[0] not in names:
            return NoAttribute(1, f"`{step.name}` has no {singular} `{rest[0]}`", names)
        if word == "outputs":
            place = ("ProcessingOutputConfig", "Outputs", str(rest[0]), "S3Output", "S3Uri")
            uri = PropertyRef(step.name, place, frozenset({2}), meaning="s3")
            return Attribute(uri, tuple(rest[1:]))
        if len(rest) == 1:
            return NoAttribute(
                1, f"say which value of the file `{rest[0]}` is meant: `files.{rest[0]}.VALUE`"
            )
        return Attribute(JsonGet(step.name, str(rest[0]), json_path(rest[1:])))

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield collisions of container paths, too many inputs, and files of no output."""
        inputs, outputs = step.fields.get("inputs", {}), step.fields.get("outputs", {})
        count = len(inputs) + ("code" in step.fields)
        if count > MAX_INPUTS:
            yield Problem(
                "too-many",
                ("inputs",),
                f"{count} inputs, the code's own included; a Processing job takes {MAX_INPUTS}",
                at_key=True,
            )
        places: list[tuple[tuple[str, ...], Any]] = [
            (("inputs", name), container_path(value, name)) for name, value in inputs.items()
        ]
        places += [
            (("outputs", name), container_path(value, name)) for name, value in outputs.items()
        ]
        if "code" in step.fields:
            places.insert(0, (("code",), CODE_PATH))
        yield from check_unique_paths(places)
        for name, value in inputs.items():
            ways = [way for way in ("source", "asset") if way in value]
            if len(ways) != 1:
                yield Problem(
                    "needs-one-of",
                    ("inputs", name),
                    "an input has either a `source` or an `asset`",
                    at_key=True,
                )
        yield from self._check_files(step)
        if "code" not in step.fields and "command" not in step.fields and not _is_custom(step):
            yield Problem(
                "missing-key",
                (),
                "nothing to run: `code` and `command` are both missing",
                "a framework's image needs `code`",
                at_key=True,
            )

    def _check_files(self, step: Step) -> Iterator[Problem]:
        outputs = step.fields.get("outputs", {})
        for name, place in step.fields.get("files", {}).items():
            output, slash, path = str(place).partition("/")
            if not slash or not path:
                yield Problem(
                    "bad-value",
                    ("files", name),
                    f"`{place}` is not `OUTPUT/PATH`",
                    "such as `report/metrics.json`",
                )
            elif ".." in path.split("/") or path.startswith("/"):
                yield Problem(
                    "bad-value",
                    ("files", name),
                    f"`{place}` leads out of the output `{output}`",
                    "a property file lies in an output or below it",
                )
            elif output not in outputs:
                yield Problem(
                    "unknown-output",
                    ("files", name),
                    f"there is no output `{output}`",
                    f"the outputs are {', '.join(outputs) or 'none'}",
                )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateProcessingJob arguments."""
        return processing_request(step, context)

    def property_files(self, step: Step) -> tuple[PropertyFile, ...]:
        """Return the files that references can read."""
        found = []
        for name, place in step.fields.get("files", {}).items():
            output, _, path = str(place).partition("/")
            found.append(PropertyFile(name, output, path))
        return tuple(found)


def _is_custom(step: Step) -> bool:
    """Whether the image is the user's own, with an entry point of its own."""
    return not isinstance(step.fields.get("image"), Mapping)


KIND = Processing()
