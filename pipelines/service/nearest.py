"""The nearest known names to a wrong one, for "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable

# difflib is quadratic in the length of what it compares; no name of AWS is longer.
_LONGEST = 100


def nearest_names(wrong: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Returns the names of `known` that are most like `wrong`, best first.

    A name that differs only in case, `_` or `-` is the only answer, since it is surely meant
    (`volume_size_in_gb` for `VolumeSizeInGB`). Nothing alike gives an empty tuple.
    """
    if len(wrong) > _LONGEST:
        return ()
    names = list(known)
    folded = _fold(wrong)
    same = tuple(name for name in names if _fold(name) == folded)
    if same:
        return same[:1]
    import difflib  # only a mistake pays for it

    by_fold: dict[str, str] = {}
    for name in names:
        by_fold.setdefault(_fold(name), name)
    close = difflib.get_close_matches(folded, list(by_fold), n=limit, cutoff=0.6)
    return tuple(by_fold[fold] for fold in close)


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def suggest(wrong: str, known: Iterable[str]) -> str:
    """Returns a hint such as ``Did you mean `Foo`?``, or an empty string."""
    names = [f"`{name}`" for name in nearest_names(wrong, known)]
    if not names:
        return ""
    if len(names) == 1:
        return f"Did you mean {names[0]}?"
    return f"Did you mean {', '.join(names[:-1])} or {names[-1]}?"
