"""RegisterModel: a new version of a model in the model registry.

Request: CreateModelPackage (Amazon SageMaker API Reference).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps import _reports
from steps import _shared_fields as shared
from steps._containers import (
    CONTAINERS,
    REPACK,
    check_containers,
    containers,
    unfold_repack,
)
from steps._contract import (
    Attribute,
    Changed,
    Context,
    Field,
    Fill,
    Kind,
    NoAttribute,
    Part,
    Problem,
    Step,
)
from steps._expressions import PropertyRef, as_text
from steps._jobs import Arguments, present
from steps._json_text import json_text


class RegisterModel(Kind):
    """Registers a model version."""

    name = "RegisterModel"
    api_type = "RegisterModel"
    operation = "CreateModelPackage"
    describe = "DescribeModelPackageOutput"
    summary = "Register a new version of a model, with its metrics and approval status."
    about = (
        "Every execution adds a version to the model package group `group`. `model` is the "
        "archive, usually that of a Training step, whose image is taken unless `image` says "
        "otherwise; several containers in a row go under `containers`. `code` is the serving "
        "script; images of PyTorch, TensorFlow, HuggingFace and MXNet look for it inside the "
        "archive, where a step `KEY-repack` puts it.\n\n"
        "`metrics` ties the version to the reports of its evaluation, for example "
        '`{model_quality: {statistics: "${steps.evaluate.outputs.report}/metrics.json"}}`. '
        "`checks: [data-quality, explain]` fills in what QualityCheck and ClarifyCheck steps "
        "calculated, and under `drift_check_baselines` what they compared it with. With "
        "`approval: PendingManualApproval` somebody has to approve it before it is used."
    )
    example = (
        "register:\n"
        "  type: RegisterModel\n"
        '  model: "${steps.train.model}"\n'
        "  code: {dir: code, entry: inference.py}\n"
        "  group: pulsar\n"
        "  content_types: [text/csv]\n"
        "  response_types: [application/json]\n"
    )
    required = ("group",)
    retries = shared.STEP_RETRIES
    refused = {
        "ModelPackageName": "a pipeline registers versions in a group",
        "CertifyForMarketplace": "the service overrides it when the pipeline runs",
    }
    fills_from = "checks"
    inherits = {"image": ("Training", "Tuning", "AutoML"), "environment": ("AutoML",)}
    fields = {
        **shared.container_fields("InferenceSpecification.Containers"),
        "repack": REPACK,
        "containers": Field(CONTAINERS, api="InferenceSpecification.Containers"),
        "group": Field(
            f.text("The model package group; made where it does not exist.", "pulsar"),
            api="ModelPackageGroupName",
        ),
        "approval": Field(
            f.choice(
                "The new version's approval status.",
                "PendingManualApproval",
                "Approved",
                "Rejected",
            ),
            api="ModelApprovalStatus",
            default="PendingManualApproval",
        ),
        "content_types": Field(
            f.listing("MIME types it takes.", f.text("A MIME type.", "text/csv"), ["text/csv"]),
            api="InferenceSpecification.SupportedContentTypes",
        ),
        "response_types": Field(
            f.listing(
                "MIME types it gives.",
                f.text("A MIME type.", "application/json"),
                ["application/json"],
            ),
            api="InferenceSpecification.SupportedResponseMIMETypes",
        ),
        "inference_instances": Field(
            f.listing(
                "Instance types it may be served on.",
                f.text("An instance type.", "ml.m5.large", marks={"x-instance": True}),
                ["ml.m5.large"],
            ),
            api="InferenceSpecification.SupportedRealtimeInferenceInstanceTypes",
        ),
        "transform_instances": Field(
            f.listing(
                "Instance types it may transform batches on.",
                f.text("An instance type.", "ml.m5.large", marks={"x-instance": True}),
                ["ml.m5.large"],
            ),
            api="InferenceSpecification.SupportedTransformInstanceTypes",
        ),
        "metrics": _reports.reports_field(
            "Metrics of this version.", "ModelMetrics", _reports.SOURCES
        ),
        "drift_check_baselines": _reports.reports_field(
            "What monitors compare with.", "DriftCheckBaselines", _reports.BASELINES
        ),
        "checks": _reports.CHECKS,
        "customer_metadata": Field(
            f.named(
                "Your own properties of the version.",
                f.scalar("The value.", "a1b2c3"),
                {"commit": "{{ git.sha }}"},
                maxProperties=50,
            ),
            api="CustomerMetadataProperties",
        ),
        "domain": Field(f.text("The machine-learning domain.", "MACHINE_LEARNING"), api="Domain"),
        "task": Field(f.text("The machine-learning task.", "CLASSIFICATION"), api="Task"),
        "sample_payload_url": Field(
            f.s3("An archive of sample requests.", "s3://bucket/payload.tar.gz"),
            api="SamplePayloadUrl",
        ),
        "model_card": Field(
            f.block(
                "The version's model card.",
                {
                    "content": f.one_of(
                        "The card: a map, or JSON text.",
                        f.text("The card as JSON text.", "{}"),
                        {
                            "type": "object",
                            "description": "The card; references may stand in it.",
                            "examples": [{"model_overview": {"model_creator": "astro"}}],
                        },
                        examples=[{"model_overview": {"model_creator": "astro"}}, "{}"],
                    ),
                    "status": f.choice(
                        "Its status.", "Draft", "PendingReview", "Approved", "Archived"
                    ),
                },
                {"content": "{}", "status": "Draft"},
                required=["content", "status"],
            ),
            api="ModelCard",
        ),
        "model_life_cycle": Field(
            f.block(
                "Where the version is in its life.",
                {
                    "stage": f.text("The stage.", "Development"),
                    "status": f.text("The stage's status.", "PendingApproval"),
                    "description": f.text("More about it.", "first look"),
                },
                {"stage": "Development", "status": "PendingApproval"},
                required=["stage", "status"],
            ),
            api="ModelLifeCycle",
        ),
        "skip_model_validation": Field(
            f.choice("Do not validate the model.", "None", "All"), api="SkipModelValidation"
        ),
        "tags": shared.TAGS,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the model package and the Describe response."""
        del step
        return {"model_package": [], "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``model_package``, the new version's ARN."""
        if path[0] == "model_package":
            arn = PropertyRef(step.name, ("ModelPackageArn",), meaning="model-package")
            return Attribute(arn, path[1:])
        return super().attribute(step, path)

    def filled(self, others: Sequence[Step]) -> Iterator[Fill | Problem]:
        """Yield the metrics and baselines that checks fill in."""
        yield from _reports.fills("checks", others)

    def unfold(self, step: Step) -> Sequence[Part | Changed]:
        """Put the code into the archive first where the image looks for it there."""
        return unfold_repack(step)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield what is wrong with containers, and tags, which the service takes from the group."""
        yield from check_containers(step)
        if "tags" in step.own:
            yield Problem(
                "bad-value",
                ("tags",),
                "a version in a group takes no tags",
                "tag the group; `customer_metadata` describes a version",
                at_key=True,
            )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateModelPackage arguments."""
        fields = step.fields
        instances = fields.get("inference_instances") or ["ml.m5.large"]
        cards = fields.get("model_card") or {}
        cycle = fields.get("model_life_cycle") or {}
        return present(
            ModelPackageGroupName=fields.get("group"),
            ModelMetrics=_reports.reports(fields.get("metrics"), _reports.SOURCES),
            DriftCheckBaselines=_reports.reports(
                fields.get("drift_check_baselines"), _reports.BASELINES
            ),
            InferenceSpecification=present(
                Containers=containers(step, context, instances[0]),
                SupportedContentTypes=fields.get("content_types"),
                SupportedResponseMIMETypes=fields.get("response_types"),
                SupportedRealtimeInferenceInstanceTypes=fields.get("inference_instances"),
                SupportedTransformInstanceTypes=fields.get("transform_instances"),
            ),
            ModelApprovalStatus=fields.get("approval", "PendingManualApproval"),
            ModelPackageDescription=fields.get("description"),
            CustomerMetadataProperties={
                k: as_text(v) for k, v in fields.get("customer_metadata", {}).items()
            },
            Domain=fields.get("domain"),
            Task=fields.get("task"),
            SamplePayloadUrl=fields.get("sample_payload_url"),
            SkipModelValidation=fields.get("skip_model_validation"),
            ModelCard=present(
                ModelCardContent=_card(cards.get("content")), ModelCardStatus=cards.get("status")
            ),
            ModelLifeCycle=present(
                Stage=cycle.get("stage"),
                StageStatus=cycle.get("status"),
                StageDescription=cycle.get("description"),
            ),
        )


def _card(content: Any) -> Any:
    """Return a model card as JSON text."""
    return json_text(content) if isinstance(content, Mapping) else content


KIND = RegisterModel()
