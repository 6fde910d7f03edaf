"""What a plan depends on besides what is wanted and what is deployed."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.cloud.client import Place
from pipelines.cloud.schedules import group_name
from pipelines.cloud.wanted import Provenance


@dataclass(frozen=True)
class Context:
    """What a plan depends on besides the wanted and the deployed.

    Args:
        place: the environment.
        account: the account of the credentials.
        provenance: who deploys.
        alias: the alias that the deployed version is to have; empty: none is touched.
        root: the project's root as a saved plan names it.
        base: the project's root on this machine.
    """

    place: Place
    account: str
    provenance: Provenance
    alias: str = ""
    root: str = "."
    base: str = "."

    @property
    def group(self) -> str:
        """The group of the schedules of this repository in this environment."""
        return group_name(self.place.environment, self.provenance.repository)
