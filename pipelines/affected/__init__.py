"""Which definitions a change in git affects, and why. Imports neither the SDK nor boto3.

- ``git``: what differs between a commit and the working tree.
- ``uses``: the files that a definition is made of.
- ``affected``: the two brought together.
"""

from pipelines.affected.affected import Affected, Because, Found, Gone, affected, affected_by
from pipelines.affected.git import (
    DEPLOYED,
    Difference,
    FileChange,
    contains,
    differences,
    head_of,
    how_to_deepen,
)
from pipelines.affected.uses import Uses, uses_of

__all__ = [
    "DEPLOYED",
    "Affected",
    "Because",
    "Difference",
    "FileChange",
    "Found",
    "Gone",
    "Uses",
    "affected",
    "affected_by",
    "contains",
    "differences",
    "head_of",
    "how_to_deepen",
    "uses_of",
]
