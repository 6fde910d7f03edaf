"""Pipeline definitions written by others, as definitions of the language."""

from pipelines.importer.assembling import Surroundings
from pipelines.importer.drafts import Note
from pipelines.importer.importing import Imported, import_definition

__all__ = ["Imported", "Note", "Surroundings", "import_definition"]
