"""A mistake of the user's, in the request or in the data."""

from __future__ import annotations


class UserError(Exception):
    """Ends the job; the text becomes its message."""
