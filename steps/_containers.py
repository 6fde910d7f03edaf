"""Containers of models, as RegisterModel and CreateModel describe them; standard library only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Changed, Context, Field, Part, Problem, Short, Step, Taken
from steps._expressions import UNKNOWN, Path, as_text
from steps._jobs import Arguments, present

MAX_CONTAINERS = 15
"""CreateModel and CreateModelPackage, Containers: at most 15 items."""

SINGLE = "SingleModel"
"""The service's own Mode of a container: one model in it."""

CODE_BESIDE_THE_MODEL = ("sklearn", "xgboost")
"""Frameworks whose serving images fetch the code named by SAGEMAKER_SUBMIT_DIRECTORY."""

CODE_INSIDE_THE_MODEL = (
    "pytorch",
    "tensorflow",
    "huggingface",
    "huggingface-neuron",
    "huggingface-neuronx",
    "mxnet",
)
"""Frameworks whose serving images look for the code inside the model's archive only; for them the
SDK's model classes (``repack_model``) put it there."""

CODE_IN_CONTAINER = "/opt/ml/model/code"
"""Where the serving container finds the code that is in the archive (the SDK's
``Model._script_mode_env_vars``)."""

TENSORFLOW_ENTRY = "inference.py"
"""TensorFlow's serving image knows its script by this name (AWS's open
``sagemaker-tensorflow-serving-container``)."""

_REPACK_FIELDS = ("instance", "output", "kms_key", "max_runtime")
REPACK = Field(
    f.one_of(
        "Put `code` into the model's archive, by a step `KEY-repack` before this one: by default "
        "where the image wants it there; true always, false never, a map for what the step has.",
        f.boolean("Whether to.", False, literal=True),
        f.block(
            "What the repack step has; see `sagedag explain Repack`.",
            {
                "instance": dict(shared.instance("").schema),
                "output": dict(shared.output("Where the new archive goes.", "").schema),
                "kms_key": dict(shared.kms_key("").schema),
                "max_runtime": dict(shared.MAX_RUNTIME.schema),
            },
            {"instance": "ml.m5.4xlarge"},
        ),
        examples=[False, {"instance": {"type": "ml.m5.4xlarge", "volume_gb": 200}}],
    ),
    short=Short(members={"instance": Short("type"), "output": Short("destination")}),
    default="for PyTorch, TensorFlow, HuggingFace and MXNet",
)


def containers_field(**more: f.Schema) -> f.Schema:
    """Return the schema of ``containers``; ``more``: what each has beyond the common fields."""
    container = {**shared.CONTAINER, "properties": {**shared.CONTAINER["properties"], **more}}
    return f.listing(
        "Several containers, called one after the other.",
        container,
        [{"model": "${steps.train.model}", "image": {"framework": "sklearn", "version": "1.4-2"}}],
        minItems=1,
        maxItems=MAX_CONTAINERS,
    )


CONTAINERS = containers_field()


def container_paths(step: Step) -> list[Path]:
    """Return where the step's containers stand: items of ``containers``, or the step itself."""
    if "container" in step.fields:
        return [("container",)]
    if "containers" in step.fields:
        return [("containers", index) for index in range(len(step.fields["containers"]))]
    return [()]


def container_at(step: Step, path: Path) -> Mapping[str, Any]:
    """Return the container fields at a path of :func:`container_paths`."""
    found: Any = step.fields
    for segment in path:
        found = found[segment]
    container: Mapping[str, Any] = found
    return container


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
    yield from check_code(step)


def check_code(step: Step) -> Iterator[Problem]:
    """Yield why the containers' code would not be found."""
    for path in container_paths(step):
        container = container_at(step, path)
        if "code" in container:
            yield from _check_code(step, path, container)


def _check_code(step: Step, path: Path, container: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield why a container's code would not be found."""
    framework = _framework(container)
    if is_inside(step, container):
        entry = container["code"]
        entry = entry.get("entry") if isinstance(entry, Mapping) else entry
        if framework == "tensorflow" and str(entry).rsplit("/", 1)[-1] != TENSORFLOW_ENTRY:
            inner = ("entry",) if isinstance(container["code"], Mapping) else ()
            yield Problem(
                "bad-value",
                (*path, "code", *inner),
                f"TensorFlow's serving image runs `{TENSORFLOW_ENTRY}` only",
                "call the file so",
            )
        if "model" not in container:
            yield Problem(
                "needs-another",
                (*path, "code"),
                "there is no `model` to put the code into",
                "name the model's archive",
                at_key=True,
            )
        elif container.get("mode", SINGLE) != SINGLE:
            yield Problem(
                "either-or",
                (*path, "code"),
                "`code` stands beside `mode: MultiModel`, whose archives are not known yet",
                "put the code into every archive with a Repack step where it is made",
                at_key=True,
            )
    elif framework in CODE_INSIDE_THE_MODEL:
        yield Problem(
            "code-not-served",
            (*path, "code"),
            f"{framework}'s serving image takes code from inside the model's archive only",
            "take `repack: false` away, or save the code into the archive in the training script "
            "(`$SM_MODEL_DIR/code/`) and leave `code` out",
            at_key=True,
        )
    elif framework and framework not in CODE_BESIDE_THE_MODEL:
        yield Problem(
            "code-not-served",
            (*path, "code"),
            f"{framework}'s serving image takes no code",
            "leave `code` out, or give the URI of an image that serves it",
            at_key=True,
        )


def _framework(container: Mapping[str, Any]) -> str:
    image = container.get("image")
    return str(image.get("framework", "")) if isinstance(image, Mapping) else ""


def is_inside(step: Step, container: Mapping[str, Any]) -> bool:
    """Whether a container's code lies inside its model's archive."""
    wanted = step.fields.get("repack")
    if "code" not in container or wanted is False:
        return False
    unknown = container.get("image") is UNKNOWN  # with a mistake, which was told
    return wanted is not None or unknown or _framework(container) in CODE_INSIDE_THE_MODEL


def unfold_repack(step: Step) -> Sequence[Part | Changed]:
    """Return the steps that put code into archives, and the step that takes the new ones."""
    places = [path for path in container_paths(step) if _takes_code(step, container_at(step, path))]
    if not places:
        return ()
    wanted = step.fields.get("repack")
    extra = wanted if isinstance(wanted, Mapping) else {}
    parts: list[Part] = []
    changes: dict[Path, Any] = {}
    for path in places:
        number = path[1:] and len(step.fields["containers"]) > 1 and f"-{int(path[1]) + 1}"
        name = f"{step.name}-repack{number or ''}"
        fields = {
            "model": Taken((*path, "model")),
            "code": Taken((*path, "code")),
            **{key: Taken(("repack", key)) for key in _REPACK_FIELDS if key in extra},
            **_waits(step),
        }
        parts.append(Part(name, "Repack", fields))
        changes[(*path, "model")] = f"${{steps['{name}'].model}}"
    return [*parts, Changed(changes)]


def _takes_code(step: Step, container: Mapping[str, Any]) -> bool:
    """Whether a container's code can be put into its archive; what it lacks is told by checks."""
    single = container.get("mode", SINGLE) == SINGLE
    return is_inside(step, container) and "model" in container and single


def _waits(step: Step) -> dict[str, Any]:
    """Return ``depends_on`` for the first step: nothing of the two may start earlier.

    A glob is left to the step itself: it could mean that one, which waits for the first.
    """
    given = step.fields.get("depends_on", [])
    if isinstance(given, str):
        return {} if any(c in given for c in "*?[") else {"depends_on": Taken(("depends_on",))}
    if isinstance(given, Mapping):
        return {"depends_on": Taken(("depends_on",))}
    plain = [
        Taken(("depends_on", index))
        for index, item in enumerate(given)
        if not any(c in str(item) for c in "*?[") or isinstance(item, Mapping)
    ]
    return {"depends_on": plain} if plain else {}


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
    inside = is_inside(step, fields)
    return {
        "SAGEMAKER_PROGRAM": code.entry,
        "SAGEMAKER_SUBMIT_DIRECTORY": CODE_IN_CONTAINER if inside else code.archive,
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
        mode = fields.get("mode", SINGLE)
        container.update(
            present(
                ModelDataUrl=fields.get("model"),
                ContainerHostname=hostname,
                Mode=None if mode == SINGLE else mode,
            )
        )
        made.append(container)
    return made
