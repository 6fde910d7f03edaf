"""How the product explains itself: pages about step kinds, fields, topics and error codes.

Everything comes from the step kinds, the schema and the catalogue of codes, so that a page can't
say something else than the checks do. The same pages are printed by ``sagedag explain`` and written
to the reference documentation.
"""

from __future__ import annotations

from pipelines.explain.document import Document
from pipelines.explain.lookup import explain

__all__ = ["Document", "explain"]
