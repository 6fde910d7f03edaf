"""Every diagnostic code with its page: what it means, why it is bad, an example, the fix.

A test compares the catalogue with the codes that the source uses, and checks every example.
"""

from __future__ import annotations

from pipelines.language.codes import (
    _conditions,
    _files,
    _reading,
    _references,
    _service,
    _steps,
    _templates,
    _values,
)
from pipelines.language.pages import Group, Page

__all__ = ["CATALOGUE", "GROUPS"]

GROUPS: tuple[Group, ...] = (
    _reading.GROUP,
    _values.GROUP,
    _steps.GROUP,
    _templates.GROUP,
    _references.GROUP,
    _conditions.GROUP,
    _files.GROUP,
    _service.GROUP,
)
"""All pages, in the order in which a definition is checked."""

CATALOGUE: dict[str, Page] = {page.code: page for group in GROUPS for page in group.pages}
"""Every page by its code."""
