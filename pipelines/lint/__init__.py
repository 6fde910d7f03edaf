"""Preflight lint: what is valid and still not wise.

Rules look at the checked definition and its requests, before the SDK: linting imports neither the
SDK nor boto3. Each yields paths and messages; comments and settings decide what is told.
"""

from __future__ import annotations

from pipelines.lint.model import Finding, Limits, Rule, Subject
from pipelines.lint.run import Linted, Linter, Target, lint

__all__ = ["Finding", "Limits", "Linted", "Linter", "Rule", "Subject", "Target", "lint"]
