"""Steps that become others, bring others along, or take values from others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steps._expressions import Path


@dataclass(frozen=True)
class Taken:
    """A value that a part takes over as the step has it, with the place where it was written.

    Args:
        path: where it stands in the step; taking what is not there leaves the field out.
    """

    path: Path


@dataclass(frozen=True)
class Part:
    """A step that another one becomes, or brings along; see :meth:`Kind.unfold`.

    Args:
        name: the part's name.
        kind: the part's kind, which gives it its defaults.
        fields: the part's fields; :class:`Taken` stands for what the step says.
    """

    name: str
    kind: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Changed:
    """The step itself among its parts.

    Args:
        changes: new values by their place in the step; null takes a field away.
    """

    changes: Mapping[Path, Any]


@dataclass(frozen=True)
class Fill:
    """A value that a step takes from another one which it names; see :meth:`Kind.filled`.

    Args:
        path: where it goes in the step; what stands there already stays.
        text: the value, a reference to the other step.
        by: which of the named steps it comes from.
    """

    path: Path
    text: str
    by: int
