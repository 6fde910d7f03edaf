"""Cleanup: deletes what earlier steps left in S3.

The SDK's ``CleanupStep`` says what the arguments hold, and that the service finds the outputs of
Training steps itself while those of Processing and Transform steps are named; it neither caches
nor retries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from steps import _fragments as f
from steps._contract import Context, Field, Kind, Problem, Short, Step
from steps._expressions import Path
from steps._jobs import Arguments, present

_URIS = f.listing(
    "The objects to delete.", f.s3("An S3 URI.", "s3://bucket/tmp"), ["s3://bucket/tmp/a.csv"],
    minItems=1,
)  # fmt: skip


_FOUND = ("Training", "Athena")
"""Types of steps whose outputs the service finds (the SDK's ``S3CleanupSource``)."""
_NAMED = ("Processing", "Transform")
"""Types of steps whose outputs are named (the SDK's ``S3CleanupSource``)."""


class Cleanup(Kind):
    """Deletes outputs."""

    name = "Cleanup"
    api_type = "Cleanup"
    summary = "Delete from S3 what earlier steps wrote."
    about = (
        "It waits for the steps that it cleans up after. Of a Training step the service knows "
        "the outputs; of Processing and Transform steps name the objects, each below an output "
        "of that step. `depends_on: [{step: NAME, when: any}]` cleans up after a failure as well. "
        "The pipeline's role needs `s3:DeleteObject`; a step in a VPC can't be cleaned up."
    )
    example = (
        "tidy:\n"
        "  type: Cleanup\n"
        "  of:\n"
        "    train: {}\n"
        '    preprocess: ["${steps.preprocess.outputs.train}/part-1.csv"]\n'
    )
    takes_request = False
    required = ("of",)
    fields = {
        "of": Field(
            f.one_of(
                "The steps to clean up after: names, or a map of names to the objects to delete.",
                f.listing(
                    "Steps' names.", f.text("A name.", "train", literal=True), ["train"], minItems=1
                ),
                f.named(
                    "The objects by step.",
                    f.one_of(
                        "What to delete: a list of S3 URIs, or nothing where the service knows.",
                        _URIS,
                        f.block("The objects.", {"uris": _URIS}, {"uris": ["s3://bucket/a.csv"]}),
                        examples=[["s3://bucket/tmp/a.csv"], {}],
                    ),
                    {"preprocess": ["s3://bucket/tmp/a.csv"]},
                    minProperties=1,
                ),
                examples=[["train"], {"preprocess": ["s3://bucket/tmp/a.csv"]}],
            ),
            api="Resources",
            short=Short(names=True, each=Short("uris", lists=True)),
        ),
    }

    def waits_for(self, step: Step) -> Sequence[tuple[Path, str]]:
        """Return the steps that are cleaned up after."""
        return [(("of", name), name) for name in step.fields.get("of", {})]

    def check_awaited(self, step: Step, path: Path, other: str) -> Iterator[Problem]:
        """Yield steps that leave nothing in S3 that the service would delete."""
        if other in _NAMED:
            if not step.fields["of"][path[-1]].get("uris"):
                message = f"the service does not find the outputs of a {other} step by itself"
                hint = f"name them: `{path[-1]}: [s3://bucket/key]`"
                yield Problem("missing-key", path, message, hint, at_key=True)
        elif other not in _FOUND:
            message = f"`{path[-1]}` ({other}) leaves nothing that can be cleaned up"
            hint = "Training, Athena, Processing and Transform steps do"
            yield Problem("bad-value", path, message, hint, at_key=True)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield globs: the request names every step."""
        for name in step.fields.get("of", {}):
            if any(character in name for character in "*?["):
                yield Problem(
                    "bad-value",
                    ("of", name),
                    f"`{name}` is a glob; `of` takes steps' names",
                    "name every step",
                    at_key=True,
                )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the step's arguments."""
        del context
        sources = [
            present(StepName=name, S3Uris=given.get("uris"))
            for name, given in step.fields.get("of", {}).items()
        ]
        return {"Resources": {"S3": sources}}


KIND = Cleanup()
