"""Examples for the rules' pages: what stands in every one of them."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent, indent

from pipelines.language.pages import Example, example

ENVIRONMENTS = """
environments:
  dev:
    account: "111122223333"
    region: eu-central-1
    role: "arn:aws:iam::{{ account }}:role/pipelines"
    bucket: dev-bucket
"""


def cloud(definition: str, files: Mapping[str, str] | None = None) -> Example:
    """Return an example for an environment on AWS."""
    made = {"environments.yaml": ENVIRONMENTS, **(files or {})}
    return example(definition, made, environment="dev")


def steps(text: str, before: str = "", *, aws: bool = True) -> Example:
    """Return an example of some steps.

    Args:
        text: the steps.
        before: what stands above them.
        aws: for an environment on AWS.
    """
    head = dedent(before).strip("\n")
    body = indent(dedent(text).strip("\n"), "  ")
    definition = "pipeline: demo\n" + (f"{head}\n" if head else "") + f"steps:\n{body}\n"
    return cloud(definition) if aws else example(definition)
