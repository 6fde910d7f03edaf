"""All rules, by what they are about. A new rule goes into its group's module."""

from __future__ import annotations

from pipelines.lint.model import Rule
from pipelines.lint.rules import cost, existence, hygiene, portability, security, service, trust

GROUPS: dict[str, str] = {
    "service": "What the service refuses only when the pipeline runs",
    "security": "Who can read, reach and run what",
    "cost": "What is paid for and not needed",
    "hygiene": "What is written and not used, and care",
    "portability": "What ties a definition to one account, region or bucket",
    "existence": "What is not there, asked of AWS with `--online`",
}
"""The groups that ``--select`` and ``--ignore`` take, with what they are about."""

RULES: tuple[Rule, ...] = (
    *service.RULES,
    *security.RULES,
    *trust.RULES,
    *cost.RULES,
    *hygiene.RULES,
    *portability.RULES,
    *existence.RULES,
)
"""Every rule, in the order of the documentation."""

BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}
"""Every rule by its code."""
