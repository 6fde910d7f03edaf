"""What the doctor says about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["works", "broken", "absent"]
"""``absent``: not there, and nothing that was asked of this machine so far needs it."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: a stable name for programs.
        label: what people call it.
        state: whether it works.
        detail: what was found, in a few words; never a secret.
        hint: the way out where something is broken or could be had.
        essential: without it definitions can be neither compiled nor run here.
    """

    name: str
    label: str
    state: State
    detail: str
    hint: str = ""
    essential: bool = False

    @property
    def fatal(self) -> bool:
        """Whether the tool is of no use here until this is mended."""
        return self.essential and self.state == "broken"
