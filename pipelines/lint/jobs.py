"""Where the requests of jobs and models say what rules ask for.

Source: the request shapes of CreateProcessingJob, CreateTrainingJob,
CreateHyperParameterTuningJob, CreateTransformJob, CreateAutoMLJob and CreateModel (Amazon SageMaker
API Reference).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.language.diagnostics import in_words
from pipelines.language.nodes import Span, locate
from pipelines.lint.ignores import read_ignores
from pipelines.lint.model import Finding, Part, Subject
from steps._expressions import Path


@dataclass(frozen=True)
class JobShape:
    """Paths in a step's arguments; empty where the API has no such thing.

    Args:
        output: the structure with the outputs' ``KmsKeyId``.
        cluster: the structure with ``InstanceType``, ``InstanceCount`` and ``VolumeKmsKeyId``.
        network: the structure with ``VpcConfig`` and the two switches of the network.
        runtime: how long it may run, in seconds.
        job: whether it is a job; a model is none.
    """

    output: Path = ()
    cluster: Path = ()
    network: Path | None = None
    runtime: Path = ()
    job: bool = True


_PROCESSING = JobShape(
    ("ProcessingOutputConfig",),
    ("ProcessingResources", "ClusterConfig"),
    ("NetworkConfig",),
    ("StoppingCondition", "MaxRuntimeInSeconds"),
)
SHAPES = {
    "Processing": _PROCESSING,
    "QualityCheck": _PROCESSING,
    "ClarifyCheck": _PROCESSING,
    "Training": JobShape(
        ("OutputDataConfig",), ("ResourceConfig",), (), ("StoppingCondition", "MaxRuntimeInSeconds")
    ),
    "Tuning": JobShape(
        ("TrainingJobDefinition", "OutputDataConfig"),
        ("TrainingJobDefinition", "ResourceConfig"),
        ("TrainingJobDefinition",),
        ("TrainingJobDefinition", "StoppingCondition", "MaxRuntimeInSeconds"),
    ),
    "Transform": JobShape(("TransformOutput",), ("TransformResources",)),
    "AutoML": JobShape(("OutputDataConfig",), network=("AutoMLJobConfig", "SecurityConfig")),
    "Model": JobShape(network=(), job=False),
}
"""By the step's type in the definition JSON."""


def shaped(subject: Subject) -> Iterator[tuple[Part, JobShape]]:
    """Yield the steps that are jobs or models; what was not built for its mistakes is left out."""
    for part in subject.parts:
        shape = SHAPES.get(part.request.type)
        if shape is not None and part.request.arguments:
            yield part, shape


def gathered(
    subject: Subject,
    code: str,
    having: Iterable[Part],
    lacking: Iterable[tuple[Part, Path]],
    message: str,
    hint: str,
) -> Iterator[Finding]:
    """Yield what steps lack: at each step, or once for all where no step has it.

    A step with a comment that accepts it is told at its own line all the same.

    Args:
        code: the rule.
        having: the steps that have it.
        lacking: the steps that don't, with the argument that is nearest to it.
        message: what is wrong, with ``{}`` for the steps' names.
        hint: what to do.
    """
    missing = list(lacking)
    if len(missing) > 1 and not any(True for _ in having):
        accepted: list[tuple[Part, Path]] = []
        rest: list[tuple[Part, Path]] = []
        for part, argument in missing:
            taken = _is_accepted(subject, code, part, argument)
            (accepted if taken else rest).append((part, argument))
        if len(rest) > 1:
            names = list(dict.fromkeys(part.name for part, _ in rest))
            yield Finding(subject.top, message.format(_listed(names)), hint)
            missing = accepted
    # What a matrix made of one step is told once.
    together: dict[tuple[str, Span], list[tuple[Path, str]]] = {}
    for part, argument in missing:
        path = part.place(argument)
        source, span = locate(subject.spec.tree, path, at_key=True)
        together.setdefault((source.name, span), []).append((path, part.name))
    for found in together.values():
        names = list(dict.fromkeys(name for _, name in found))
        yield Finding(found[0][0], message.format(_listed(names)), hint, at_key=True)


def _is_accepted(subject: Subject, code: str, part: Part, argument: Path) -> bool:
    source, span = locate(subject.spec.tree, part.place(argument), at_key=True)
    return any(each.line == span.line and code in each.codes for each in read_ignores(source))


_NAMED = 4
"""Of more steps than these only some are named."""


def _listed(names: list[str]) -> str:
    shown = [f"`{name}`" for name in (names if len(names) <= _NAMED else names[: _NAMED - 1])]
    if len(names) > _NAMED:
        shown.append(f"{len(names) - _NAMED + 1} more steps")
    return in_words(shown, "and")
