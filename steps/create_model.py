"""CreateModel: a model that endpoints and transform jobs can use.

Request: CreateModel (Amazon SageMaker API Reference). The definition JSON calls the type ``Model``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._containers import (
    REPACK,
    SINGLE,
    check_containers,
    containers,
    containers_field,
    unfold_repack,
)
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
from steps._jobs import Arguments, present, tag_list, vpc

_MODE = f.choice(
    "How many models the container serves: with MultiModel, `model` is a folder of archives.",
    SINGLE,
    "MultiModel",
)


class CreateModel(Kind):
    """Makes a model of an image and an archive."""

    name = "CreateModel"
    api_type = "Model"
    operation = "CreateModel"
    describe = "DescribeModelOutput"
    summary = "Make a model that endpoints and transform jobs can use."
    about = (
        "A model is an image and an archive that endpoints and transform jobs can use; it serves "
        "nothing yet. `model` is the archive, usually that of a Training step, whose image is "
        "taken unless `image` says otherwise. `code` is the serving script; images of PyTorch, "
        "TensorFlow, HuggingFace and MXNet look for it inside the archive, where a step "
        "`KEY-repack` puts it.\n\n"
        "Several containers go under `containers`: one after the other, or with `execution: "
        "Direct` each by its `hostname`. A container with `mode: MultiModel` serves whatever "
        "archives lie below the S3 prefix `model`. A registered version is given by "
        "`model_package` instead."
    )
    example = (
        "create-model:\n"
        "  type: CreateModel\n"
        '  model: "${steps.train.model}"\n'
        "  code: {dir: code, entry: inference.py}\n"
    )
    retries = shared.STEP_RETRIES
    supplied = ("ModelName",)
    inherits = {"image": ("Training", "Tuning", "AutoML"), "environment": ("AutoML",)}
    fields = {
        **shared.container_fields("PrimaryContainer"),
        "repack": REPACK,
        "containers": Field(containers_field(mode=_MODE), api="Containers"),
        "model_package": Field(
            f.text(
                "A model package instead of containers.",
                "${steps.register.model_package}",
                meaning="model-package",
            ),
            api="PrimaryContainer.ModelPackageName",
        ),
        "name": Field(
            f.text("The model's name; made by the service where it is left out.", "pulsar-model"),
            api="ModelName",
        ),
        "mode": Field(
            _MODE,
            api="PrimaryContainer.Mode",
            default="SingleModel",
        ),
        "execution": Field(
            f.choice("How several containers are called.", "Serial", "Direct"),
            api="InferenceExecutionConfig.Mode",
            default="Serial",
        ),
        "network": shared.network("VpcConfig"),
        "role": Field(shared.ROLE.schema, api="ExecutionRoleArn", default=shared.ROLE.default),
        "tags": shared.TAGS,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the model's name and the Describe response."""
        del step
        return {"model": [], "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``model``, the model's name."""
        if path[0] == "model":
            name = PropertyRef(step.name, ("ModelName",), meaning="model-name")
            return Attribute(name, path[1:])
        return super().attribute(step, path)

    def unfold(self, step: Step) -> Sequence[Part | Changed]:
        """Put the code into the archive first where the image looks for it there."""
        return unfold_repack(step)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield what is wrong with containers, a model package, and what goes with each."""
        if "model_package" in step.fields:
            yield from _beside_package(step)
        else:
            yield from check_containers(step)
        yield from _check_execution(step)
        network = step.fields.get("network") or {}
        if "encryption" in network and "network" in step.own:
            yield Problem(
                "bad-value",
                ("network", "encryption"),
                "CreateModel knows no encryption of traffic between instances",
                "it is for jobs; leave it out here",
                at_key=True,
            )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateModel arguments."""
        fields = step.fields
        network = fields.get("network") or {}
        made: Arguments = present(ExecutionRoleArn=fields.get("role") or context.environment.role)
        if "model_package" in fields:
            made["PrimaryContainer"] = {"ModelPackageName": fields["model_package"]}
        else:
            found = containers(step, context, instance="ml.m5.large")
            if "containers" in fields:
                made["Containers"] = found
                if "execution" in fields:
                    made["InferenceExecutionConfig"] = {"Mode": fields["execution"]}
            else:
                made["PrimaryContainer"] = found[0]
        made.update(
            present(
                ModelName=fields.get("name"),
                VpcConfig=vpc(step),
                EnableNetworkIsolation=network.get("isolation"),
                Tags=tag_list(fields.get("tags")),
            )
        )
        return made


def _beside_package(step: Step) -> Iterator[Problem]:
    for name in sorted(step.own & {"model", "image", "code", "environment", "containers", "mode"}):
        yield Problem(
            "either-or",
            (name,),
            f"`{name}` stands beside `model_package`",
            "the package says it",
            at_key=True,
        )


def _check_execution(step: Step) -> Iterator[Problem]:
    """Yield containers that can't be called as ``execution`` and ``mode`` say.

    Developer Guide, "Create a multi-container endpoint": direct invocation wants more than one
    container, each with a ContainerHostname.
    """
    containers = step.fields.get("containers")
    if "execution" in step.own and containers is None:
        yield Problem(
            "needs-another",
            ("execution",),
            "`execution` needs `containers`",
            "a single container is called as it is",
            at_key=True,
        )
    if "mode" in step.own and containers is not None:
        yield Problem(
            "either-or",
            ("mode",),
            "`mode` stands beside `containers`, and says nothing about which one",
            "write it in the container that it is for",
            at_key=True,
        )
    if step.fields.get("execution") != "Direct":
        return
    for index, container in enumerate(containers or ()):
        if "hostname" not in container:
            yield Problem(
                "missing-key",
                ("containers", index),
                "missing key `hostname`",
                "with `execution: Direct` callers name the container that they want",
                at_key=True,
            )


KIND = CreateModel()
