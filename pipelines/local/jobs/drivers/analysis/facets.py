"""Which rows a facet and a label's values mean, by Clarify's configuration.

Source: Amazon SageMaker Developer Guide, "Analysis Configuration Files": ``facet``,
``label_values_or_threshold``.
"""

from __future__ import annotations

from typing import Any

from .problems import UserError

CONTINUOUS_FROM = 0.05
"""From which part of different values on numbers are a continuum (the open library smclarify)."""


def column_of(table: Any, where: Any, what: str) -> str:
    """Return a column's name, of its name or its index.

    Raises:
        UserError: there is none.
    """
    if isinstance(where, str) and where in table.columns:
        return where
    if isinstance(where, int) or (isinstance(where, str) and where.isdigit()):
        index = int(where)
        if 0 <= index < len(table.columns):
            return str(table.columns[index])
    raise UserError(f"{what} is {where!r}; the data have the columns "
                    f"{', '.join(map(str, table.columns[:20]))}")  # fmt: skip


def is_continuous(column: Any, values: list[Any]) -> bool:
    """Whether the one value is a threshold: of numbers that are a continuum, more than two.

    [U] The guide tells the two apart by words only; this is smclarify's rule, and two values
    are never a continuum.
    """
    import pandas

    if len(values) != 1 or not pandas.api.types.is_numeric_dtype(column.dtype):
        return False
    if not isinstance(values[0], (int, float)):
        return False
    distinct = int(column.nunique())
    return distinct > 2 and distinct / max(1, int(column.count())) >= CONTINUOUS_FROM


def chosen_rows(column: Any, values: list[Any]) -> tuple[Any, str]:
    """Return which rows have one of the values, or lie above the threshold, and how it is written.

    Returns:
        A numpy array of booleans, and the words of ``value_or_threshold``.
    """
    if is_continuous(column, values):
        high = column.max()
        rows = (column > values[0]).fillna(False).to_numpy(dtype=bool)
        return rows, f"({values[0]}, {high}]"
    texts = [text_of(each) for each in values]
    rows = as_texts(column)
    return _is_in(rows, texts), ", ".join(texts)


def _is_in(rows: Any, texts: list[str]) -> Any:
    import numpy

    return numpy.isin(rows.astype(str), texts)


def as_texts(column: Any) -> Any:
    """Return a column's values as text; 1 and 1.0 are the same."""
    import numpy

    return numpy.array([text_of(each) for each in column], dtype=object)


def text_of(value: Any) -> str:
    """Write a value as text."""
    import pandas

    if value is None or value is pandas.NA:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return f"{float(value):g}" if not isinstance(value, str) else value
    except (TypeError, ValueError):
        return str(value)


def as_numbers(table: Any) -> Any:
    """Return a table as numbers: texts become a column for each of their values."""
    import pandas

    return pandas.get_dummies(table, dtype=float).astype("float64").fillna(0.0).to_numpy()
