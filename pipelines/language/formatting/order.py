"""Which mappings of a definition have a documented key order, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipelines.language.formatting.outline import Mapping, Node, Scalar


@dataclass(frozen=True)
class KeyOrder:
    """The documented order of keys.

    Attributes:
        top: the keys of a definition, and of one environment's overlay inside it.
        step: a kind's name → the keys of a step of that kind; for an unknown kind (or none, the
            empty string) the keys that every step has.
        environment: the keys of one environment in ``environments.yaml``.
        bodies: the fields of a step that hold steps themselves, for the kinds that have any.
    """

    top: tuple[str, ...]
    step: Callable[[str], tuple[str, ...]]
    environment: tuple[str, ...] = (
        "account",
        "region",
        "role",
        "bucket",
        "prefix",
        "profile",
        "vars",
        "tags",
        "defaults",
    )
    bodies: tuple[str, ...] = ("then", "else", "steps")


def ordered_mappings(root: Node | None, order: KeyOrder) -> Iterator[tuple[Mapping, list[str]]]:
    """Yield each mapping whose keys have a documented order, outermost first, with that order.

    Parameters, steps, and everything not named here keep the order they are written in: there it
    is meaning, or nobody has documented one.
    """
    if not isinstance(root, Mapping):
        return
    if _is_environments_file(root):
        for _, overlay in _entries(root.value("environments")):
            if isinstance(overlay, Mapping):
                yield overlay, list(order.environment)
        return
    yield from _definition(root, order, nested=False)


def _definition(
    root: Mapping, order: KeyOrder, *, nested: bool
) -> Iterator[tuple[Mapping, list[str]]]:
    yield root, list(order.top)
    yield from _steps(root.value("steps"), order)
    if not nested:
        for _, overlay in _entries(root.value("environments")):
            if isinstance(overlay, Mapping):
                yield from _definition(overlay, order, nested=True)


def _steps(steps: Node | None, order: KeyOrder) -> Iterator[tuple[Mapping, list[str]]]:
    for _, step in _entries(steps):
        if not isinstance(step, Mapping):
            continue
        kind = step.value("type")
        keys = order.step(kind.value if isinstance(kind, Scalar) else "")
        yield step, list(keys)
        for body in order.bodies:
            if body in keys:
                yield from _steps(step.value(body), order)


def _entries(node: Node | None) -> list[tuple[Node, Node]]:
    return node.pairs if isinstance(node, Mapping) else []


def _is_environments_file(root: Mapping) -> bool:
    names = {key.value for key, _ in root.pairs if isinstance(key, Scalar)}
    return "environments" in names and all(
        name == "environments" or name.startswith("x-") for name in names
    )
