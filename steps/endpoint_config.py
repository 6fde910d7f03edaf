"""EndpointConfig: what an endpoint serves, on which machines.

Request: CreateEndpointConfig (Amazon SageMaker API Reference); the SDK's ``EndpointConfigStep``
caches and retries it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Problem, Short, Step
from steps._expressions import PropertyRef
from steps._jobs import Arguments, present, tag_list, vpc

_INSTANCE = f.block(
    "The machines of a variant.",
    {
        "type": f.text("The instance type.", "ml.m5.large", marks={"x-instance": True}),
        "count": f.integer("How many instances at first.", 1, minimum=1),
        "volume_gb": f.integer("Size of the storage volume in GB.", 64, minimum=1, maximum=512),
    },
    {"type": "ml.m5.large", "count": 2},
)
_SERVERLESS = f.block(
    "Serve without machines of its own.",
    {
        "memory_mb": f.integer("Memory in MB.", 2048, minimum=1024, maximum=6144),
        "max_concurrency": f.integer("Requests at once, at most.", 5, minimum=1, maximum=200),
        "provisioned_concurrency": f.integer("Kept ready.", 1, minimum=1, maximum=200),
    },
    {"memory_mb": 2048, "max_concurrency": 5},
    required=["memory_mb", "max_concurrency"],
)
_SCALING = f.block(
    "Let the service add and release instances of the variant.",
    {
        "min": f.integer("Instances, at least.", 1, minimum=0),
        "max": f.integer("Instances, at most.", 4, minimum=1),
    },
    {"min": 1, "max": 4},
)
_VARIANT = f.block(
    "A model and what it runs on.",
    {
        "model": f.text(
            "The model's name; left out where inference components bring the models.",
            "${steps.create-model.model}",
            meaning="model-name",
        ),
        "instance": f.one_of(
            "The machines: a type, or a map with the count as well.",
            f.text("The instance type.", "ml.m5.large", marks={"x-instance": True}),
            _INSTANCE,
            examples=["ml.m5.large", {"type": "ml.m5.large", "count": 2}],
        ),
        "weight": f.number("Its share of the traffic, against the others'.", 1, minimum=0),
        "serverless": _SERVERLESS,
        "scaling": _SCALING,
    },
    {"model": "${steps.create-model.model}", "instance": "ml.m5.large"},
)
_MEMBERS = {
    "VariantName": "",
    "ModelName": "model",
    "InstanceType": "instance.type",
    "InitialInstanceCount": "instance.count",
    "VolumeSizeInGB": "instance.volume_gb",
    "InitialVariantWeight": "weight",
    "ServerlessConfig": "serverless",
    "ManagedInstanceScaling": "scaling",
}
_CAPTURE = f.block(
    "What to keep of requests and responses.",
    {
        "destination": f.s3("Where it goes.", "s3://bucket/captured"),
        "percent": f.integer("How many of them.", 100, minimum=0, maximum=100),
        "modes": f.listing(
            "What is kept of each.",
            f.choice("A side.", "Input", "Output", "InputAndOutput"),
            ["Input", "Output"],
            minItems=1,
        ),
        "csv_content_types": f.listing(
            "MIME types kept as CSV text.", f.text("A type.", "text/csv"), ["text/csv"]
        ),
        "json_content_types": f.listing(
            "MIME types kept as JSON.", f.text("A type.", "application/json"), ["application/json"]
        ),
        "kms_key": f.text("KMS key (ARN or ID) that encrypts them.", "alias/captured"),
    },
    {"destination": "s3://bucket/captured", "percent": 10},
    required=["destination"],
)
_ASYNC = f.block(
    "Answer later: responses go to S3.",
    {
        "destination": f.s3("Where responses go.", "s3://bucket/responses"),
        "failures": f.s3("Where failures go.", "s3://bucket/failures"),
        "max_concurrent": f.integer("Requests at once per instance.", 4, minimum=1, maximum=1000),
        "success_topic": f.text(
            "SNS topic told of responses.", "arn:aws:sns:us-east-1:111122223333:done", meaning="arn"
        ),
        "error_topic": f.text(
            "SNS topic told of failures.", "arn:aws:sns:us-east-1:111122223333:bad", meaning="arn"
        ),
        "kms_key": f.text("KMS key (ARN or ID) that encrypts responses.", "alias/responses"),
    },
    {"destination": "s3://bucket/responses", "failures": "s3://bucket/failures"},
    required=["destination"],
)


def _variants(description: str, api: str) -> Field:
    return Field(
        f.named(
            description,
            _VARIANT,
            {"main": {"model": "${steps.create-model.model}", "instance": "ml.m5.large"}},
            minProperties=1,
            maxProperties=10,
        ),
        api=api,
        short=Short(each=Short(members={"instance": Short("type")})),
        members=_MEMBERS,
    )


class EndpointConfig(Kind):
    """Describes an endpoint."""

    name = "EndpointConfig"
    api_type = "EndpointConfig"
    operation = "CreateEndpointConfig"
    describe = "DescribeEndpointConfigOutput"
    summary = "Describe what an endpoint serves, and on which machines."
    example = (
        "config:\n"
        "  type: EndpointConfig\n"
        "  name: pulsar-${execution.id}\n"
        "  variants:\n"
        '    main: {model: "${steps.create-model.model}", instance: ml.m5.large}\n'
    )
    about = (
        "Give every execution a name of its own, such as `pulsar-${execution.id}`: a "
        "configuration that exists can't be changed, and making it again fails. Each variant has "
        "either an `instance` or is `serverless`. Where inference components bring the models, a "
        "variant has no `model`, and the role is written into the configuration."
    )
    required = ("name", "variants")
    cacheable = True
    retries = shared.STEP_RETRIES
    fields = {
        "name": Field(
            f.text(
                "The configuration's name. A configuration is never changed, so every execution "
                "needs another name.",
                "pulsar-${execution.id}",
            ),
            api="EndpointConfigName",
        ),
        "variants": _variants(
            "The models that answer, by the variant's name.", "ProductionVariants[]"
        ),
        "shadow_variants": _variants(
            "Models that get a copy of the requests and whose answers nobody sees.",
            "ShadowProductionVariants[]",
        ),
        "data_capture": Field(
            f.one_of(
                "Keep requests and responses, for monitoring: an S3 URI, or a map.",
                f.s3("Where they go.", "s3://bucket/captured"),
                _CAPTURE,
                examples=["s3://bucket/captured"],
            ),
            api="DataCaptureConfig",
            short=Short("destination"),
        ),
        "async_inference": Field(
            f.one_of(
                "Answer asynchronously: the S3 URI of the responses, or a map.",
                f.s3("Where responses go.", "s3://bucket/responses"),
                _ASYNC,
                examples=["s3://bucket/responses"],
            ),
            api="AsyncInferenceConfig",
            short=Short("destination"),
        ),
        "kms_key": Field(
            f.text("KMS key (ARN or ID) that encrypts the instances' volumes.", "alias/volumes"),
            api="KmsKeyId",
        ),
        "network": shared.network("VpcConfig"),
        "role": Field(
            shared.ROLE.schema,
            api="ExecutionRoleArn",
            default="the environment's, where no variant names a model",
        ),
        "tags": shared.TAGS,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the configuration's name and the Describe response."""
        del step
        return {"name": [], "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``name``, what an Endpoint step wants for its ``config``."""
        if path[0] == "name":
            made = PropertyRef(step.name, ("EndpointConfigName",), meaning="endpoint-config")
            return Attribute(made, path[1:])
        return super().attribute(step, path)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield variants without machines or with two kinds of them, and what no config takes."""
        for field in ("variants", "shadow_variants"):
            for name, variant in step.fields.get(field, {}).items():
                if ("serverless" in variant) == ("instance" in variant):
                    yield Problem(
                        "needs-one-of",
                        (field, name),
                        f"the variant `{name}` has either an `instance` or `serverless`",
                        at_key=True,
                    )
        network = step.fields.get("network") or {}
        if "encryption" in network and "network" in step.own:
            yield Problem(
                "bad-value",
                ("network", "encryption"),
                "CreateEndpointConfig knows no encryption of traffic between instances",
                "it is for jobs; leave it out here",
                at_key=True,
            )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateEndpointConfig arguments."""
        fields = step.fields
        variants = fields.get("variants") or {}
        shadows = fields.get("shadow_variants") or {}
        # Inference components bring their models; then the configuration must have the role.
        has_model = any("model" in variant for variant in variants.values())
        role = fields.get("role") or ("" if has_model else context.environment.role)
        network = fields.get("network") or {}
        return present(
            EndpointConfigName=fields.get("name"),
            ProductionVariants=[_variant(name, value) for name, value in variants.items()],
            ShadowProductionVariants=[_variant(name, value) for name, value in shadows.items()],
            Tags=tag_list(fields.get("tags")),
            KmsKeyId=fields.get("kms_key"),
            DataCaptureConfig=_capture(fields.get("data_capture")),
            AsyncInferenceConfig=_later(fields.get("async_inference")),
            VpcConfig=vpc(step),
            EnableNetworkIsolation=network.get("isolation"),
            ExecutionRoleArn=role,
        )


def _variant(name: str, given: Mapping[str, Any]) -> Arguments:
    """Return a ProductionVariant as the SDK's ``production_variant`` writes it."""
    instance = given.get("instance") or {}
    serverless = given.get("serverless") or {}
    scaling = given.get("scaling")
    weight = given.get("weight", 1 if "model" in given else None)
    return present(
        VariantName=name,
        ModelName=given.get("model"),
        InitialVariantWeight=weight,
        ManagedInstanceScaling=None
        if scaling is None
        else present(
            Status="ENABLED",
            MinInstanceCount=scaling.get("min"),
            MaxInstanceCount=scaling.get("max"),
        ),
        ServerlessConfig=present(
            MemorySizeInMB=serverless.get("memory_mb"),
            MaxConcurrency=serverless.get("max_concurrency"),
            ProvisionedConcurrency=serverless.get("provisioned_concurrency"),
        ),
        InitialInstanceCount=instance.get("count", 1) if instance else None,
        InstanceType=instance.get("type"),
        VolumeSizeInGB=instance.get("volume_gb"),
    )


def _capture(given: Mapping[str, Any] | None) -> Arguments:
    """Return the DataCaptureConfig, with the SDK's defaults."""
    if given is None:
        return {}
    modes = given.get("modes", ["Input", "Output"])
    return present(
        EnableCapture=True,
        InitialSamplingPercentage=given.get("percent", 100),
        DestinationS3Uri=given.get("destination"),
        CaptureOptions=[{"CaptureMode": mode} for mode in modes],
        KmsKeyId=given.get("kms_key"),
        CaptureContentTypeHeader={
            "CsvContentTypes": given.get("csv_content_types", ["text/csv"]),
            "JsonContentTypes": given.get("json_content_types", ["application/json"]),
        },
    )


def _later(given: Mapping[str, Any] | None) -> Arguments:
    if given is None:
        return {}
    return present(
        OutputConfig=present(
            S3OutputPath=given.get("destination"),
            S3FailurePath=given.get("failures"),
            KmsKeyId=given.get("kms_key"),
            NotificationConfig=present(
                SuccessTopic=given.get("success_topic"), ErrorTopic=given.get("error_topic")
            ),
        ),
        ClientConfig=present(MaxConcurrentInvocationsPerInstance=given.get("max_concurrent")),
    )


KIND = EndpointConfig()
