"""Instance types: how they look, and which ones an operation takes."""

from __future__ import annotations

import functools
import re
from collections import deque

from pipelines.service.checking import Mismatch
from pipelines.service.model import Shape
from pipelines.service.nearest import nearest_names
from pipelines.service.shapes import input_shape

# `ml.<family>.<size>`: every enum of instance types in SageMaker's model has this form.
_FORM = re.compile(r"ml\.[a-z][a-z0-9-]*\.[a-z0-9-]+")
_LISTED = 8


@functools.cache
def instance_types(operation: str) -> tuple[str, ...]:
    """Returns the instance types that `operation` takes, such as `CreateTransformJob`.

    Source: the enum that the API's model has for the operation's first member of that kind; empty
    when it has none.

    Raises:
        UnknownName: SageMaker has no such operation.
    """
    waiting, seen = deque([input_shape(operation)]), set[str]()
    while waiting:
        shape = waiting.popleft()
        if shape.name in seen:
            continue
        seen.add(shape.name)
        if any(_FORM.fullmatch(one) for one in shape.enum):
            return shape.enum
        waiting.extend(_parts(shape))
    return ()


def _parts(shape: Shape) -> tuple[Shape, ...]:
    if shape.type == "structure":
        return tuple(shape.members.values())
    if shape.type == "list":
        return (shape.member,)
    return (shape.value,) if shape.type == "map" else ()


def check_instance_type(value: str, operation: str) -> Mismatch | None:
    """Judges an instance type by its form and by what `operation` takes.

    Returns:
        None when it is good; else a mismatch of kind `pattern` (it is no instance type) or `enum`
        (the installed botocore does not know that the operation takes it), at the empty path.

    Raises:
        UnknownName: SageMaker has no such operation.
    """
    known = instance_types(operation)
    if value in known or (not known and _FORM.fullmatch(value)):
        return None
    shown = value if len(value) <= 60 else value[:59] + "…"
    near = _nearest(value, known)
    if not _FORM.fullmatch(value):
        message = f"`{shown}` is not an instance type"
        hint = f"Did you mean {near}?" if near else "They look like `ml.m5.xlarge`."
        return Mismatch((), message, hint, kind="pattern")
    message = f"{operation} takes no `{shown}`"
    family = value.rsplit(".", 1)[0] + "."
    sizes = [one for one in known if one.startswith(family)]
    if sizes:
        more = ", …" if len(sizes) > _LISTED else ""
        sizes_shown = ", ".join(f"`{one}`" for one in sizes[:_LISTED])
        return Mismatch((), message, f"The family has {sizes_shown}{more}.", kind="enum")
    return Mismatch((), message, f"Did you mean {near}?" if near else "", kind="enum")


def _nearest(value: str, known: tuple[str, ...]) -> str:
    """Returns the instance types most like `value` for a hint; a missing `ml.` is added, and
    punctuation forgiven."""
    if len(value) > 60:
        return ""
    bare = re.sub(r"[^a-z0-9]", "", value.lower())
    bare = bare if bare.startswith("ml") else f"ml{bare}"
    same = [one for one in known if re.sub(r"[^a-z0-9]", "", one) == bare]
    names = same or list(nearest_names(value.lower(), known))
    return " or ".join(f"`{name}`" for name in names)
