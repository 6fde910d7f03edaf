"""Policies as text for people, as JSON, and as Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import click

from pipelines.policy.model import LONGEST, Policy

FORMATS = ("text", "json", "terraform")


def as_text(policies: Sequence[Policy], *, color: bool = False) -> str:
    """Return the policies as people read them: whom for, what with, what for."""
    return "\n\n".join("\n".join(_lines(policy, color)) for policy in policies)


def _lines(policy: Policy, color: bool) -> list[str]:
    def bold(text: str) -> str:
        return click.style(text, bold=True) if color else text

    def dim(text: str) -> str:
        return click.style(text, dim=True) if color else text

    trusts = policy.kind == "trust"
    lines = [bold(policy.name), f"  {'of' if trusts else 'for'} {policy.attach}"]
    lines += [f"  {policy.purpose}", dim(f"  {policy.size} of {LONGEST} characters")]
    for remark in policy.remarks:
        lines.append(f"  note: {remark}")
    for statement in policy.statements:
        made = statement.as_json()
        lines += ["", f"  {bold(statement.sid)}"]
        for key, service in made.get("Principal", {}).items():
            lines.append(f"    {service}" if key == "Service" else f"    {key}: {service}")
        lines += [f"    {line}" for line in _wrapped(made["Action"])]
        lines += [f"    {dim('on')} {resource}" for resource in made.get("Resource", ())]
        for test, facts in made.get("Condition", {}).items():
            for name, value in facts.items():
                listed = value if isinstance(value, list) else [value]
                for number, each in enumerate(listed):
                    word = "if" if not number else "or"
                    lines.append(f"    {dim(word)} {name} {test} {each}")
    return lines


def _wrapped(words: Sequence[str], width: int = 92) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 2 + len(word) <= width:
            lines[-1] += f", {word}"
        else:
            lines.append(word)
    return lines


def as_json(policies: Sequence[Policy]) -> str:
    """Return the policies as a JSON list, each with its document."""
    return json.dumps([_described(policy) for policy in policies], indent=2, ensure_ascii=False)


def _described(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "kind": policy.kind,
        "for": policy.attach,
        "purpose": policy.purpose,
        "remarks": list(policy.remarks),
        "document": policy.document,
    }


def as_terraform(policies: Sequence[Policy]) -> str:
    """Return the permissions as ``aws_iam_policy`` resources, trust policies as locals.

    Attaching is left to the configuration that has the roles.
    """
    blocks = []
    for policy in policies:
        label = re.sub(r"[^0-9A-Za-z_]", "_", policy.name)
        document = _indented(json.dumps(policy.document, indent=2, ensure_ascii=False))
        comment = f"# {policy.purpose}; for {policy.attach}"
        if policy.kind == "trust":
            body = f"locals {{\n  {label} = jsonencode({document})\n}}"
        else:
            body = (
                f'resource "aws_iam_policy" "{label}" {{\n'
                f"  name   = {json.dumps(policy.name)}\n"
                f"  policy = jsonencode({document})\n}}"
            )
        blocks.append(f"{comment}\n{body}")
    return "\n\n".join(blocks)


def _indented(text: str) -> str:
    # In Terraform's strings `${` and `%{` begin templates.
    escaped = text.replace("${", "$${").replace("%{", "%%{")
    return escaped.replace("\n", "\n  ")
