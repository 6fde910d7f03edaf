"""A function in a folder."""

from parts.other import twice as run

__all__ = ["run"]
