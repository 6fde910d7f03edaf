"""Limits of the language and of the API: what is just allowed passes, one more is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.language.check import check

HEAD = """\
pipeline: limits
parameters: {N: 3}
defaults: {instance: ml.m5.large, image: {framework: sklearn, version: 1.4-2}}
steps:
  only: {%s}
"""
JOB = "type: Processing, code: job.py"
LOOP = f"type: ForEach, steps: {{job: {{{JOB}, arguments: {{x: '${{item}}'}}}}}}"


def _many(each: Callable[[int], str], number: int, join: str = ", ") -> str:
    return join.join(each(index) for index in range(number))


LIMITS: dict[str, tuple[Callable[[int], str], int, str]] = {
    "clauses": (
        lambda most: (
            "type: Condition, then: {a: {type: Fail, message: no}}, if: '"
            + _many(lambda i: f"parameters.N != {i}", most, " and ")
            + "'"
        ),
        64,
        "condition-too-large",
    ),
    "inputs beside the code": (
        lambda most: JOB + f", inputs: {{{_many(lambda i: f'i{i}: s3://bucket/{i}', most)}}}",
        9,
        "too-many",
    ),
    "environment": (
        lambda most: JOB + f", environment: {{{_many(lambda i: f'V{i}: x', most)}}}",
        100,
        "too-many",
    ),
    "items": (lambda most: LOOP + f", items: [{_many(str, most)}]", 100, "too-many"),
    "rounds at once": (
        lambda most: LOOP + f", items: [1], max_concurrency: {most}",
        50,
        "bad-value",
    ),
    "list of arguments": (
        lambda most: JOB + f", arguments: [{_many(str, most)}]",
        100,
        "too-many",
    ),
    "message": (lambda most: f"type: Fail, message: {'x' * most}", 3072, "too-long"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_the_most_passes_and_one_more_is_told(name: str, tmp_path: Path) -> None:
    fields, most, code = LIMITS[name]
    (tmp_path / "job.py").write_text("print(1)\n")
    file = tmp_path / "pipeline.yaml"

    def told(number: int) -> list[str]:
        text = (HEAD % fields(number)).encode()
        return [found.code for found in check(file, text=text).diagnostics]

    assert told(most) == []
    assert told(most + 1) == [code]
