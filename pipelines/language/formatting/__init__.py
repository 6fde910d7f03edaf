"""Formatting definitions: keys in the documented order, every other byte kept."""

from __future__ import annotations

from pipelines.language.formatting.formatter import format_text
from pipelines.language.formatting.order import KeyOrder
from pipelines.language.formatting.outline import FormatRefused

__all__ = ["FormatRefused", "KeyOrder", "format_text"]
