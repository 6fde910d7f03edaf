"""Serving models of the local store: the hosting contract of SageMaker's containers.

``program`` is the server, which runs inside a job; ``Host`` starts it there and asks it. ``find``
tells which containers a model, a package, a run or an endpoint means.
"""

from __future__ import annotations

from pipelines.local.serving.containers import Container, Served, of_model, of_package
from pipelines.local.serving.host import Answer, Host, HostSettings

__all__ = ["Answer", "Container", "Host", "HostSettings", "Served", "of_model", "of_package"]
