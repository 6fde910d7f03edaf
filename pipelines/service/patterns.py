r"""The regular expressions of AWS's service models.

They are written for Java: `\w` and `\d` mean ASCII, `\p{L}` is a Unicode category, characters
beyond U+FFFF are pairs of surrogates, and the whole value must match.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable

# The standard library's engine has no time limit and no `\p{…}`, so it is given short values and
# patterns whose work grows slowly; the rest goes to the `regex` package, whose import costs more
# than everything else that is checked.
_SHORT = 256
_SECONDS = 0.1
_NESTED = re.compile(r"[*+}?]\)*\)[*+{]")
_ANYTHING = frozenset({r"[\S\s]*", r"[\s\S]*", r"(?s).*"})
_SURROGATE_PAIRS = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
_COUNTED_END = re.compile(r"(?<!\\)\$\{\d+,\d+\}")
# The ASCII members of each category, written for the inside of a character class.
_ASCII_CATEGORIES = {
    r"\p{L}": "A-Za-z",
    r"\p{M}": "",
    r"\p{N}": "0-9",
    r"\p{P}": r"!-#%-*,-/:;?@\[-\]_{}",
    r"\p{S}": r"$+<->^`|~",
    r"\p{Z}": " ",
    r"\p{Alnum}": "A-Za-z0-9",
}


def matches(pattern: str, value: str) -> bool:
    """Returns whether the whole of `value` matches AWS's `pattern`.

    A value whose match takes too long counts as not matching. A pattern that Python cannot read
    (the installed model has none) judges nothing.
    """
    if pattern in _ANYTHING:
        return True
    if len(value) <= _SHORT and (r"\p" not in pattern or value.isascii()):
        compiled = _compile_plain(pattern)
        if compiled is not None:
            return compiled.fullmatch(value) is not None
    return _compile_timed(pattern)(value)


@functools.cache
def _compile_plain(pattern: str) -> re.Pattern[str] | None:
    """Returns `pattern` for the standard library, right for ASCII values at least; None when its
    work may explode or it cannot be written so."""
    if _NESTED.search(pattern) or pattern.count(".*") + pattern.count(".+") > 2:
        return None
    ours = _translate(pattern)
    for category, members in _ASCII_CATEGORIES.items():
        ours = ours.replace(category, members)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # A category that the table lacks is an error to the standard library.
            return re.compile(ours, re.ASCII)
        except re.error:
            return None


def _translate(pattern: str) -> str:
    return _COUNTED_END.sub("$", pattern.replace(*_SURROGATE_PAIRS))


@functools.cache
def _compile_timed(pattern: str) -> Callable[[str], bool]:
    import regex  # type: ignore[import-untyped]  # it ships none; slow, and few values need it

    flags = 0 if r"\p" in pattern else regex.ASCII
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compiled = regex.compile(_translate(pattern), flags)
        except regex.error:
            return lambda _: True

    def judge(value: str) -> bool:
        try:
            return compiled.fullmatch(value, timeout=_SECONDS) is not None
        except TimeoutError:
            return False

    return judge
