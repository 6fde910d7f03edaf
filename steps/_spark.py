"""Spark jobs on EMR: the command line with its outputs, and references to them.

Outputs are written as the SDK's ``EMRStepConfig`` writes its ``output_args``: each stands behind
the arguments as ``--NAME URI``, and a reference reads it back from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps._contract import Attribute, Context, Field, NoAttribute, Problem, Short, Step
from steps._expressions import PropertyRef
from steps._jobs import command_line

_URI = f.s3("Where it goes.", "s3://bucket/clean")


def outputs_field(api: str) -> Field:
    """Return the field ``outputs``."""
    return Field(
        f.one_of(
            "S3 places that the job writes to; it is told each as `--NAME URI`.",
            f.listing(
                "Names; each goes to a folder of the execution and step.",
                f.text("A name.", "clean", literal=True),
                ["clean"],
            ),
            f.named(
                "Outputs by name.",
                f.one_of(
                    "Where it goes.",
                    {"type": "null", "description": "The default place.", "examples": [None]},
                    _URI,
                    f.block("Where it goes.", {"destination": _URI}, {"destination": "s3://b/c"}),
                    examples=["s3://bucket/clean"],
                ),
                {"clean": "s3://bucket/clean"},
            ),
            examples=[{"clean": "s3://bucket/clean"}, ["clean"]],
        ),
        api=api,
        short=Short(names=True, each=Short("destination")),
    )


def words(step: Step, context: Context) -> list[Any]:
    """Return the job's command line: the arguments, and behind them the outputs."""
    made = command_line(step.fields.get("arguments"))
    for name, value in step.fields.get("outputs", {}).items():
        place = (value or {}).get("destination") or context.destination(step, name)
        made += [f"--{name}", place]
    return made


def output_attributes(step: Step) -> Mapping[str, Sequence[str] | None]:
    """Offer the outputs and the service's description to references."""
    return {"outputs": list(step.fields.get("outputs", {})), "properties": None}


def output_attribute(
    step: Step, path: tuple[str | int, ...], place: tuple[str, ...], before: int
) -> Attribute | NoAttribute:
    """Resolve ``outputs.NAME``.

    Args:
        place: the list of words in the service's description of the job.
        before: how many words stand before the arguments.
    """
    names = list(step.fields.get("outputs", {}))
    if len(path) == 1:
        return NoAttribute(0, "name the output: `outputs.NAME`", names)
    if path[1] not in names:
        return NoAttribute(1, f"`{step.name}` has no output `{path[1]}`", names)
    given = len(command_line(step.fields.get("arguments")))
    index = before + given + 2 * names.index(str(path[1])) + 1
    return Attribute(PropertyRef(step.name, (*place, index), meaning="s3"), path[2:])


def script(step: Step, context: Context) -> Any:
    """Return the S3 URI of the code's entry; Spark takes one file and installs nothing."""
    code = context.code(step, ("code",))
    if code is None:
        return "s3://missing/code"  # that it is missing was told; the request must not tell it too
    if code.has_requirements:
        problem = Problem(
            "bad-value",
            ("code",),
            "Spark installs no `requirements.txt`",
            "put the packages on the cluster or into its image, and leave the file out",
        )
        context.report(step, problem)
    return f"{code.files}/{code.entry}"


def check_code(step: Step, other: str) -> Iterator[Problem]:
    """Yield a step with nothing to run, or with two things."""
    ways = [way for way in (other, "code") if way in step.fields]
    if not ways:
        message = f"nothing to run: `{other}` and `code` are both missing"
        yield Problem("missing-key", (), message, "write one of them", at_key=True)
    elif len(ways) == 2:
        yield Problem(
            "either-or",
            ("code",),
            f"`code` stands beside `{other}`",
            "a step runs one of them",
            at_key=True,
        )
