"""What QualityCheck and ClarifyCheck share: fields, references, members; standard library only.

A check is a Processing job with one of the service's own images. The service compares what the job
calculated with a baseline, and both are the step's properties (SDK ``quality_check_step.py``,
``clarify_check_step.py``; Developer Guide, "Baseline calculation, drift detection and lifecycle").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Context, Field, NoAttribute, Problem, Short, Step
from steps._expressions import PropertyRef, is_expression
from steps._jobs import Arguments, present
from steps._processing import ROOT, processing_request

PROPERTIES = {
    ("calculated", "statistics"): "CalculatedBaselineStatistics",
    ("calculated", "constraints"): "CalculatedBaselineConstraints",
    ("baseline", "statistics"): "BaselineUsedForDriftCheckStatistics",
    ("baseline", "constraints"): "BaselineUsedForDriftCheckConstraints",
}
"""The properties of a check step, by what references call them; Clarify has no statistics."""

_JOB = ("instance", "environment", "network", "kms_key", "role", "tags", "max_runtime")

JOB_FIELDS: dict[str, Field] = {
    "instance": shared.instance("ProcessingResources.ClusterConfig"),
    "output": replace(
        shared.output("Where the reports go.", "ProcessingOutputConfig.Outputs"),
        default="a folder of the execution and step",
    ),
    "environment": shared.environment(),
    "network": shared.network(),
    "kms_key": shared.kms_key("ProcessingOutputConfig.KmsKeyId"),
    "role": shared.ROLE,
    "tags": shared.TAGS,
    "max_runtime": shared.MAX_RUNTIME,
}


def choice_of_check(checks: Mapping[str, str]) -> Field:
    """Return the field ``check``; ``checks`` are the service's names by ours."""
    return Field(f.choice("What is checked.", *checks, literal=True), api="CheckType")


def dataset(description: str, parts: Mapping[str, f.Schema]) -> Field:
    """Return the field ``dataset``: a URI, or a map with the parts that the kind knows as well."""
    source = f.s3("Where the data are.", "s3://bucket/train.csv")
    return Field(
        f.one_of(
            description,
            source,
            f.block(
                description,
                {"source": source, **parts},
                {"source": "${steps.preprocess.outputs.train}"},
                required=["source"],
            ),
            examples=["${steps.preprocess.outputs.train}", {"source": "s3://bucket/train.csv"}],
        ),
        api="ProcessingInputs",
        short=Short("source"),
    )


def comparing_fields(*files: str) -> dict[str, Field]:
    """Return the fields that say what the result is compared with, and what follows.

    Args:
        files: the files of a baseline, ``statistics`` and ``constraints``.
    """
    uris = {name: f.s3(f"S3 URI of the {name} file.", f"s3://bucket/{name}.json") for name in files}
    return {
        "group": Field(
            f.text(
                "The model package group whose latest approved version has the baseline.", "pulsar"
            ),
            api="ModelPackageGroupName",
        ),
        "baseline": Field(
            f.block(
                "A baseline to compare with, in place of the one that the registry has.",
                uris,
                {files[-1]: f"s3://bucket/{files[-1]}.json"},
            ),
            api="SuppliedBaselineConstraints",
        ),
        "skip_check": Field(
            f.boolean("Calculate only, and compare with nothing.", True),
            api="SkipCheck",
            default="false",
        ),
        "fail_on_violation": Field(
            f.boolean("Whether a violation fails the step.", False),
            api="FailOnViolation",
            default="true",
        ),
        "register_new_baseline": Field(
            f.boolean("Whether the calculated baseline takes the place of the old one.", True),
            api="RegisterNewBaseline",
            default="false",
        ),
    }


def offered(*files: str) -> dict[str, Sequence[str] | None]:
    """Return what references find below a check step, whose baselines have these files."""
    properties = [api for (_, file), api in PROPERTIES.items() if file in files]
    return {"calculated": list(files), "baseline": list(files), "properties": properties}


def resolve(step: Step, path: tuple[str | int, ...], *files: str) -> Attribute | NoAttribute:
    """Resolve ``calculated.FILE``, ``baseline.FILE`` and ``properties.NAME``."""
    word, names = path[0], offered(*files).get(str(path[0])) or []
    if len(path) == 1:
        return NoAttribute(0, f"say which value is meant: `{word}.{names[0]}`", names)
    if path[1] not in names:
        message = f"a {step.kind} has no `{path[1]}` below `{word}`"
        return NoAttribute(1, message, names)
    name = str(path[1])
    if word != "properties":
        name = PROPERTIES[str(word), name]
    return Attribute(PropertyRef(step.name, (name,), meaning="s3"), path[2:])


def check_job(
    step: Step,
    context: Context,
    *,
    framework: str,
    environment: Mapping[str, Any],
    inputs: Mapping[str, Any],
    output: tuple[str, str],
) -> Arguments:
    """Return the CreateProcessingJob arguments of a check.

    Args:
        framework: the image's name in the SDK's tables.
        inputs: as the field ``inputs`` of Processing has them.
        output: the output's name and upload mode.
    """
    fields = step.fields
    place = (fields.get("output") or {}).get("destination") or context.destination(step)
    instance = (fields.get("instance") or {}).get("type")
    # Always an image of the service's own; where the region has none, `check` says which.
    image = context.image(step, ("check",), {"framework": framework}, "", instance)
    name, mode = output
    job = {
        **{field: fields[field] for field in _JOB if field in fields},
        "image": image,
        "environment": environment,
        "inputs": inputs,
        "outputs": {name: {"destination": place, "path": f"{ROOT}/output", "mode": mode}},
    }
    return processing_request(Step(step.name, "Processing", job, step.own), context)


def check_members(step: Step, check_type: str) -> Arguments:
    """Return what stands beside the arguments of a check step.

    The SDK writes what is not given as null; here it is left out.
    """
    fields = step.fields
    baseline = fields.get("baseline") or {}
    return present(
        CheckType=check_type,
        ModelPackageGroupName=fields.get("group"),
        SkipCheck=fields.get("skip_check", False),
        FailOnViolation=fields.get("fail_on_violation", True),
        RegisterNewBaseline=fields.get("register_new_baseline", False),
        SuppliedBaselineStatistics=baseline.get("statistics"),
        SuppliedBaselineConstraints=baseline.get("constraints"),
    )


def wanted_elsewhere(step: Step, names: Sequence[str], check: str) -> Iterator[Problem]:
    """Yield the fields among ``names`` that are written here and belong to another check."""
    for name in names:
        if name in step.own:
            yield Problem(
                "needs-another",
                (name,),
                f"`{name}` needs `check: {check}`",
                f"`{step.fields.get('check')}` knows no `{name}`",
                at_key=True,
            )


def is_remote(value: Any) -> bool:
    """Whether a field names an object in S3 instead of a file beside the definition."""
    return is_expression(value) or str(value).startswith("s3://")
