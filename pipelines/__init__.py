"""Declarative SageMaker Pipelines.

The public interface is small and imports nothing heavy until it is used::

    import pipelines

    compiled = pipelines.compile("definitions/pulsar/pipeline.yaml", environment="dev")
    print(compiled.definition_json)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.cloud.apply import Applied
    from pipelines.compiler import Compiled, compile  # noqa: A004 - our verb
    from pipelines.deployment import Planned, plan, upsert
    from pipelines.language.check import Checked, check
    from pipelines.language.diagnostics import Diagnostic, InvalidDefinition

__all__ = [
    "Applied",
    "Checked",
    "Compiled",
    "Diagnostic",
    "InvalidDefinition",
    "Planned",
    "check",
    "compile",
    "plan",
    "upsert",
]

_HOMES = {
    "Applied": "pipelines.cloud.apply",
    "Planned": "pipelines.deployment",
    "plan": "pipelines.deployment",
    "upsert": "pipelines.deployment",
    "Checked": "pipelines.language.check",
    "Compiled": "pipelines.compiler",
    "check": "pipelines.language.check",
    "compile": "pipelines.compiler",
    "Diagnostic": "pipelines.language.diagnostics",
    "InvalidDefinition": "pipelines.language.diagnostics",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
