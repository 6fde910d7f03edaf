"""Policies as data: statements, documents, and how many characters IAM lets them have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

VERSION = "2012-10-17"
LONGEST = 6144
"""A managed policy's characters, white space not counted (IAM User Guide, "IAM and AWS STS
quotas")."""

Conditions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Statement:
    """What may be done with what.

    Args:
        sid: its name in the document: letters and digits.
        actions: ``service:Action``.
        resources: ARNs, with ``*`` where a part is not known; empty in a trust policy.
        conditions: as the document writes them.
        principal: who, in a trust policy.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    conditions: Conditions = field(default_factory=dict)
    principal: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as the document has it."""
        made: dict[str, Any] = {"Sid": self.sid, "Effect": "Allow"}
        if self.principal:
            made["Principal"] = dict(self.principal)
        made["Action"] = sorted(set(self.actions))
        if self.resources:
            made["Resource"] = narrowed(self.resources)
        if self.conditions:
            made["Condition"] = {name: dict(test) for name, test in self.conditions.items()}
        return made


@dataclass(frozen=True)
class Policy:
    """One policy.

    Args:
        name: what it may be called.
        purpose: what it is for, in a few words.
        kind: ``permissions`` of whom it is attached to, or ``trust`` of a role.
        attach: whom it is for: a role's ARN, or words.
        remarks: what it can't know, and where it is wider than it looks.
    """

    name: str
    purpose: str
    kind: Literal["permissions", "trust"]
    attach: str
    statements: tuple[Statement, ...]
    remarks: tuple[str, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """The policy document."""
        return {"Version": VERSION, "Statement": [s.as_json() for s in self.statements]}

    @property
    def size(self) -> int:
        """How many characters IAM counts."""
        return len(json.dumps(self.document, separators=(",", ":"), ensure_ascii=False))


def actions(service: str, *verbs: str) -> tuple[str, ...]:
    """Return actions of a service: ``actions("s3", "GetObject")`` is ``("s3:GetObject",)``."""
    return tuple(f"{service}:{verb}" for verb in verbs)


def narrowed(patterns: Iterable[str]) -> list[str]:
    """Return patterns in order, without those that another one includes."""
    unique = sorted(set(patterns))
    return [
        one for one in unique if not any(other != one and _includes(other, one) for other in unique)
    ]


def split(policy: Policy) -> tuple[Policy, ...]:
    """Return a policy as one, or as several that each are short enough.

    A statement that is too long alone is divided by its resources.
    """
    if policy.size <= LONGEST:
        return (policy,)
    parts: list[list[Statement]] = [[]]
    for statement in _short_enough(policy):
        if _size(policy, [*parts[-1], statement]) > LONGEST and parts[-1]:
            parts.append([])
        parts[-1].append(statement)
    return tuple(
        replace(policy, name=f"{policy.name}-{number}", statements=tuple(part))
        for number, part in enumerate(parts, 1)
    )


def _short_enough(policy: Policy) -> Iterable[Statement]:
    for statement in policy.statements:
        pending = [statement]
        number = 0
        while pending:
            each = pending.pop(0)
            if _size(policy, [each]) <= LONGEST or len(each.resources) < 2:
                number += 1
                several = pending or number > 1
                yield replace(each, sid=f"{statement.sid}{number}") if several else each
                continue
            listed = narrowed(each.resources)
            middle = len(listed) // 2
            halves = (tuple(listed[:middle]), tuple(listed[middle:]))
            pending[:0] = [replace(each, resources=half) for half in halves]


def _size(policy: Policy, statements: list[Statement]) -> int:
    return replace(policy, statements=tuple(statements)).size


def _includes(wide: str, narrow: str) -> bool:
    """Say whether a pattern that ends in ``*`` includes another one."""
    return wide.endswith("*") and narrow.startswith(wide[:-1])
