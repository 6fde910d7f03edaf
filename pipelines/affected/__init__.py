"""Which definitions a change in git affects, and why. Imports neither the SDK nor boto3.

- ``git``: what differs between a commit and the working tree.
- ``uses``: the files that a definition is made of.
- ``affected``: the two brought together.
"""

from pipelines.affected.affected import Affected, Because, Found, Gone, affected, affected_by
from pipelines.affected.git import Difference, FileChange, contains, differences, head_of
from pipelines.affected.uses import Uses, uses_of

__all__ = [
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
    "uses_of",
]
