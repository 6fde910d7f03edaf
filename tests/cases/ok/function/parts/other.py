"""Beside."""


def twice(value):
    """Return it twice."""
    return [value, value]
