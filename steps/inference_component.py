"""InferenceComponent: a model on an endpoint that it shares with others.

Request: CreateInferenceComponent (Amazon SageMaker API Reference). The SDK's
``InferenceComponentStep`` neither caches nor retries it; the service updates one that exists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._containers import REPACK, check_code, serving_environment, unfold_repack
from steps._contract import (
    Attribute,
    Changed,
    Context,
    Field,
    Kind,
    NoAttribute,
    Part,
    Problem,
    Step,
)
from steps._expressions import PropertyRef
from steps._jobs import Arguments, present, tag_list

_CONTAINER = f.block(
    "The component's own container.",
    {name: dict(field.schema) for name, field in shared.CONTAINER_FIELDS.items()},
    {"model": "${steps.train.model}", "image": {"framework": "sklearn", "version": "1.4-2"}},
    required=["image"],
)


class InferenceComponent(Kind):
    """Puts a model on an endpoint."""

    name = "InferenceComponent"
    api_type = "InferenceComponent"
    operation = "CreateInferenceComponent"
    describe = "DescribeInferenceComponentOutput"
    summary = "Put a model, with the resources it needs, on an endpoint."
    example = (
        "component:\n"
        "  type: InferenceComponent\n"
        "  name: pulsar\n"
        '  endpoint: "${steps.endpoint.name}"\n'
        "  variant: main\n"
        '  model: "${steps.create-model.model}"\n'
        "  memory_mb: 1024\n"
    )
    about = (
        "Several components share the machines of one endpoint, each with what it needs of them. "
        "The endpoint's configuration has a variant without a `model`. A component has either "
        "the name of a `model` or a `container` of its own."
    )
    required = ("name", "endpoint", "variant", "memory_mb")
    fields = {
        "name": Field(
            f.text("The component's name; one that exists is updated.", "pulsar"),
            api="InferenceComponentName",
        ),
        "endpoint": Field(
            f.text("The endpoint's name.", "${steps.endpoint.name}", meaning="endpoint"),
            api="EndpointName",
        ),
        "variant": Field(
            f.text("The variant whose machines it runs on.", "main"), api="VariantName"
        ),
        "model": Field(
            f.text("The model's name.", "${steps.create-model.model}", meaning="model-name"),
            api="Specification.ModelName",
        ),
        "container": Field(_CONTAINER, api="Specification.Container"),
        "repack": REPACK,
        "copies": Field(
            f.integer("How many copies at first.", 1, minimum=0),
            api="RuntimeConfig.CopyCount",
            default="1",
        ),
        "cpus": Field(
            f.number("CPU cores of each copy.", 1, minimum=0.25),
            api="Specification.ComputeResourceRequirements.NumberOfCpuCoresRequired",
        ),
        "accelerators": Field(
            f.number("Accelerators of each copy.", 1, minimum=1),
            api="Specification.ComputeResourceRequirements.NumberOfAcceleratorDevicesRequired",
        ),
        "memory_mb": Field(
            f.integer("Memory of each copy in MB, at least.", 1024, minimum=128),
            api="Specification.ComputeResourceRequirements.MinMemoryRequiredInMb",
        ),
        "tags": shared.TAGS,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the component's name and the Describe response."""
        del step
        return {"name": [], "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``name``."""
        if path[0] == "name":
            return Attribute(PropertyRef(step.name, ("InferenceComponentName",)), path[1:])
        return super().attribute(step, path)

    def unfold(self, step: Step) -> Sequence[Part | Changed]:
        """Put the code into the archive first where the image looks for it there."""
        return unfold_repack(step)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield a component without a model, or with two, and code that is not found."""
        yield from check_code(step)
        if ("model" in step.fields) == ("container" in step.fields):
            yield Problem(
                "needs-one-of",
                ("container",) if "container" in step.fields else (),
                "an inference component has either a `model` or a `container`",
                at_key=True,
            )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateInferenceComponent arguments."""
        fields = step.fields
        return present(
            InferenceComponentName=fields.get("name"),
            EndpointName=fields.get("endpoint"),
            VariantName=fields.get("variant"),
            Specification=present(
                ModelName=fields.get("model"),
                Container=_container(step, context),
                ComputeResourceRequirements=present(
                    NumberOfCpuCoresRequired=fields.get("cpus"),
                    NumberOfAcceleratorDevicesRequired=fields.get("accelerators"),
                    MinMemoryRequiredInMb=fields.get("memory_mb"),
                ),
            ),
            RuntimeConfig={"CopyCount": fields.get("copies", 1)},
            Tags=tag_list(fields.get("tags")),
        )


def _container(step: Step, context: Context) -> Arguments:
    given = step.fields.get("container")
    if given is None:
        return {}
    image = context.image(
        step, ("container", "image"), given.get("image"), "inference", "ml.m5.large"
    )
    return present(
        Image=image,
        ArtifactUrl=given.get("model"),
        Environment=serving_environment(step, context, ("container",), given),
    )


KIND = InferenceComponent()
