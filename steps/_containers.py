"""Containers of models, as RegisterModel and CreateModel describe them; standard library only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from steps import _fragments as f
from steps._contract import Context, Problem, Step
from steps._expressions import Path, as_text
from steps._jobs import Arguments, present

MAX_CONTAINERS = 15
"""CreateModel and CreateModelPackage, Containers: at most 15 items."""

CODE_BESIDE_THE_MODEL = ("sklearn", "xgboost")
"""Frameworks whose serving images fetch the code named by SAGEMAKER_SUBMIT_DIRECTORY; the others'
images look for it inside the model's archive only."""

CONTAINERS = f.listing(
    "Several containers, called one after the other.",
    f.CONTAINER,
    [
        {
            "model": "${steps.train.model}",
            "image": {"framework": "sklearn", "version": "1.4-2"},
        }
    ],
    minItems=1,
    maxItems=MAX_CONTAINERS,
)


def container_paths(step: Step) -> list[Path]:
    """Return where the step's containers stand: the step itself, or the items of ``containers``."""
    if "containers" in step.fields:
        return [("containers", index) for index in range(len(step.fields["containers"]))]
    return [()]


def container_at(step: Step, path: Path) -> Mapping[str, Any]:
    """Return the container fields at a path of :func:`container_paths`."""
    if not path:
        return step.fields
    found: Mapping[str, Any] = step.fields["containers"][path[1]]
    return found


def check_containers(step: Step) -> Iterator[Problem]:
    """Yield what is wrong with the containers: none, two ways at once, code without a home."""
    if "containers" in step.fields:
        for name in sorted(step.own & {"model", "image", "code", "environment"}):
            yield Problem(
                "either-or",
                (name,),
                f"`{name}` stands beside `containers`",
                "move it into one of the containers",
                at_key=True,
            )
    for path in container_paths(step):
        container = container_at(step, path)
        if "image" not in container:
            yield Problem(
                "missing-key",
                path,
                "missing key `image`",
                "a container needs its image; that of the training step is taken where "
                "`model` refers to one",
                at_key=True,
            )
        image = container.get("image")
        framework = image.get("framework") if isinstance(image, Mapping) else ""
        if "code" in container and framework and framework not in CODE_BESIDE_THE_MODEL:
            yield Problem(
                "code-not-served",
                (*path, "code"),
                f"{framework}'s serving image takes code from inside the model's archive only",
                "save the code into the archive in the training script "
                "(`$SM_MODEL_DIR/code/`) and leave `code` out",
                at_key=True,
            )


def serving_environment(
    step: Step, context: Context, path: Path, fields: Mapping[str, Any]
) -> Arguments:
    """Return a container's environment variables, those that name its code included.

    Args:
        path: where the container's ``fields`` stand in the step.
    """
    environment = {k: as_text(v) for k, v in (fields.get("environment") or {}).items()}
    code = context.code(step, (*path, "code")) if "code" in fields else None
    if code is None:
        return environment
    return {
        "SAGEMAKER_PROGRAM": code.entry,
        "SAGEMAKER_SUBMIT_DIRECTORY": code.archive,
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": context.environment.region,
        **environment,
    }


def containers(step: Step, context: Context, instance: Any) -> list[Arguments]:
    """Return the ContainerDefinitions of the step.

    Args:
        instance: the instance type that serving images are chosen for.
    """
    made = []
    for path in container_paths(step):
        fields = container_at(step, path)
        image = context.image(step, (*path, "image"), fields.get("image"), "inference", instance)
        environment = serving_environment(step, context, path, fields)
        # The SDK writes an empty environment too; leaving it out would show as a change.
        container: Arguments = {"Image": image, "Environment": environment}
        hostname = fields.get("hostname") if path else None
        container.update(present(ModelDataUrl=fields.get("model"), ContainerHostname=hostname))
        made.append(container)
    return made
