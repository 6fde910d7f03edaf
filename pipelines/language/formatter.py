"""The formatter's door: see :mod:`pipelines.language.formatting`."""

from __future__ import annotations

from pipelines.language.formatting import FormatRefused, KeyOrder, format_text

__all__ = ["FormatRefused", "KeyOrder", "format_text"]
