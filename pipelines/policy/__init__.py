"""The least-privilege IAM policies that a definition needs.

``values`` knows what the values of requests can be, ``needs`` gathers what steps read, write and
use, ``pipeline_role``, ``job_role`` and ``caller`` make statements of it, ``build`` puts them
together, ``writing`` prints them. Nothing is asked of AWS, and the SDK is not imported.
"""

from __future__ import annotations

from pipelines.policy.build import policies
from pipelines.policy.model import Policy, Statement

__all__ = ["Policy", "Statement", "policies"]
