"""Where templates are: trees are rendered leaf by leaf.

The engine (:mod:`pipelines.language.template`, which imports Jinja2) is imported when the first
template is met: most definitions have few, and many have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.language.diagnostics import Report
from pipelines.language.nodes import Entry, Node, Scalar, Sequence


@dataclass(frozen=True)
class Names:
    """What templates can name.

    Args:
        values: the names and their values.
        asset: gives the S3 URI of a file beside the definition; it gets the scalar, for its folder.
        lazy: names whose values are made on first use (``git``); their text is foreign.
        foreign: variables whose text comes from outside the definition.
    """

    values: Mapping[str, Any]
    asset: Callable[[Scalar, str], str]
    lazy: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()

    def with_values(self, **values: Any) -> Names:
        """Return the same names with more or other values."""
        return replace(self, values={**self.values, **values})

    def known(self) -> list[str]:
        """Return every name."""
        return [*self.values, *self.lazy, "asset"]


def render(node: Node, names: Names, report: Report, *, keys_below: bool = False) -> Node:
    """Return ``node`` with every template evaluated.

    Args:
        keys_below: evaluate the keys of this map too (the keys of ``steps``).
    """
    if isinstance(node, Scalar):
        return render_scalar(node, names, report)
    if isinstance(node, Sequence):
        return replace(node, items=tuple(render(item, names, report) for item in node.items))
    entries: dict[str, Entry] = {}
    for name, entry in node.entries.items():
        key = entry.key
        if keys_below and "{{" in name:
            key = render_scalar(entry.key, names, report)
            if not isinstance(key.value, str):
                key = replace(key, value=str(key.value))
            name = str(key.value)
        entries[name] = Entry(key, render(entry.value, names, report))
    return replace(node, entries=entries)


def render_scalar(
    scalar: Scalar, names: Names, report: Report, *, condition: bool = False
) -> Scalar:
    """Return a scalar with its templates evaluated; a wrong one is reported and stays as it is.

    Args:
        condition: the text is a condition, in which words alone can name a value.
    """
    if not isinstance(scalar.value, str) or "{{" not in scalar.value:
        return scalar
    from pipelines.language.template import evaluate

    return evaluate(scalar, names, report, condition=condition)
