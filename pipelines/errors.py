"""The errors that end a command: one class per exit code.

Code that cannot go on raises one of these with a message for people; the command line prints it
and exits with the class's code. Everything else that escapes is a bug in this tool.

=====  ==========================================================
code   meaning
=====  ==========================================================
0      ok
1      the definition is invalid (diagnostics were printed), or a question was answered with no
2      the command was used wrongly
3      the plan has changes (``--detailed-exitcode``)
4      AWS refused a call
5      a step or an awaited execution failed
6      the deployed state moved, or another deploy won
7      findings (lint, differences after import, ``fmt --check``)
124    an awaited execution was not over in time (``--timeout``)
130    interrupted
=====  ==========================================================
"""

from __future__ import annotations


class SagedagError(Exception):
    """An expected failure.

    Args:
        message: what happened, in one line or a short paragraph.
        hint: what to do next, printed on a line of its own; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class DefinitionError(SagedagError):
    """The definition is invalid."""

    exit_code = 1


class UsageError(SagedagError):
    """The command was called with arguments that make no sense."""

    exit_code = 2


class AwsError(SagedagError):
    """AWS refused a call."""

    exit_code = 4


class ExecutionFailed(SagedagError):
    """A step or an awaited execution failed."""

    exit_code = 5


class StateMoved(SagedagError):
    """The deployed state moved since it was read, or another deploy won."""

    exit_code = 6


class FindingsError(SagedagError):
    """A check found something that must be looked at."""

    exit_code = 7


class Interrupted(SagedagError):
    """The user pressed Ctrl-C."""

    exit_code = 130
