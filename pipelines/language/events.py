"""The YAML parser's events, with its bound on nesting told as one of ours.

From 6.0.4 on PyYAML refuses deep nesting itself, while it still looks ahead: the events that would
have led to the place never come.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STARTS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


class TooDeep(Exception):
    """The text is nested deeper than allowed.

    Attributes:
        line, column: where the first level too many begins, from 0.
    """

    def __init__(self, line: int, column: int) -> None:
        super().__init__(line, column)
        self.line = line
        self.column = column


def parse_events(text: str, deepest: int) -> Iterator[Any]:
    """Yield the events of a YAML text.

    Args:
        text: the text.
        deepest: how many levels the caller allows; it counts those of the events it gets.

    Raises:
        TooDeep: the parser itself refuses the nesting.
        yaml.YAMLError: the text is no YAML.
    """
    loader = _LOADER(text)
    levels, end = 0, 0
    try:
        while loader.check_event():
            event = loader.get_event()
            levels += isinstance(event, _STARTS) - isinstance(event, _ENDS)
            end = event.end_mark.index
            yield event
    except yaml.MarkedYAMLError as error:
        if "nesting depth" not in str(error.problem):
            raise
        raise TooDeep(*_place(text, end, deepest - levels, error)) from None
    finally:
        loader.dispose()


def _place(text: str, start: int, left: int, error: yaml.MarkedYAMLError) -> tuple[int, int]:
    """Return where the level after the ``left`` next ones begins, brackets in a row at best."""
    for index in range(start, len(text)):
        if text[index] in "[{":
            if left == 0:
                line = text.count("\n", 0, index)
                return line, index - (text.rfind("\n", 0, index) + 1)
            left -= 1
        elif not text[index].isspace():
            break
    mark = error.problem_mark or error.context_mark
    return (mark.line, mark.column) if mark else (0, 0)
