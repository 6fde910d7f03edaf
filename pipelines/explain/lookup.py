"""From the word that the user gave to the page that is meant."""

from __future__ import annotations

import re
from dataclasses import replace

from pipelines.errors import UsageError
from pipelines.explain import schemas
from pipelines.explain.codes import code_list, code_page
from pipelines.explain.document import Document, Text
from pipelines.explain.fields import field_named, field_page
from pipelines.explain.kinds import kind_page
from pipelines.explain.overview import overview
from pipelines.explain.schemas import Place
from pipelines.explain.topics import TOPICS
from pipelines.language.codes import CATALOGUE
from pipelines.language.diagnostics import escape_control, nearest
from pipelines.language.schema import TOP
from steps import KINDS, all_fields, kind_named
from steps._contract import Kind

CODES = "codes"
LINT = "lint"


def explain(word: str = "") -> Document:
    """Return the page about a kind, a field, a key, a topic or a code; without a word, the first.

    Raises:
        UsageError: there is nothing of that name; the hint gives the nearest one.
    """
    asked = word.strip()
    # A code may be pasted with what stands around it in a message: `error[unknown-key]`.
    pasted = re.fullmatch(r"(?:error|warning|info)?\[([\w-]+)\]:?", asked)
    asked = pasted[1] if pasted else asked
    if not asked:
        return overview()
    if asked.lower() == CODES:
        return code_list()
    if asked in CATALOGUE:
        return code_page(CATALOGUE[asked])
    first, *rest = asked.split(".")
    kind = kind_named(first) or next((k for k in KINDS if k.name.lower() == first.lower()), None)
    if kind is not None:
        return _of_kind(kind, rest)
    if first in TOP:
        return _walked(None, [first, *rest])
    if asked.lower() in TOPICS:
        return TOPICS[asked.lower()]
    page = _of_lint(asked)
    if page is not None:
        return page
    having = [each for each in KINDS if first in all_fields(each)]
    if having:
        return _shared(having, [first, *rest])
    raise UsageError(f"there is nothing called `{escape_control(asked)}`", _hint(first))


def _of_lint(word: str) -> Document | None:
    """Return the page of a lint rule, or of all; the rules are read only where asked for."""
    from pipelines.explain.lint import rule_list, rule_page
    from pipelines.lint.rules import BY_CODE

    if word.lower() == LINT:
        return rule_list()
    return rule_page(BY_CODE[word]) if word in BY_CODE else None


def _hint(word: str) -> str:
    from pipelines.lint.rules import BY_CODE

    names = [
        *(kind.name for kind in KINDS),
        *TOP,
        *TOPICS,
        CODES,
        LINT,
        *CATALOGUE,
        *BY_CODE,
        *dict.fromkeys(name for kind in KINDS for name in all_fields(kind)),
    ]
    near = nearest(word, names)
    if near:
        return f"did you mean `sagedag explain {near}`?"
    return "`sagedag explain` lists what there is"


def _of_kind(kind: Kind, words: list[str]) -> Document:
    return _walked(kind, words) if any(words) else kind_page(kind)


def _shared(kinds: list[Kind], words: list[str]) -> Document:
    """Return the page of a field by its name alone, with the kinds that have it."""
    page = _walked(kinds[0], words)
    dotted = ".".join(words)
    others = ", ".join(f"`{kind.name}.{dotted}`" for kind in kinds[1:])
    if not others:
        return page
    note = Text(f"This is the field of {kinds[0].name} steps. There are also {others}.")
    return replace(page, blocks=(note, *page.blocks))


def _walked(kind: Kind | None, words: list[str]) -> Document:
    """Return the page of a field by its path; names of the user's own may stand in it."""
    name, *rest = words
    known = all_fields(kind) if kind else TOP
    field = field_named(kind, name)
    owner = kind.name if kind else "a definition"
    if field is None:
        near = nearest(name, known)
        hint = f"did you mean `sagedag explain {kind.name}.{near}`?" if near and kind else ""
        hint = hint or f"its fields are {', '.join(known)}"
        raise UsageError(f"{owner} has no field `{escape_control(name)}`", hint)
    place = schemas.start(field.schema, name)
    for word in rest:
        place = _step_in(place, word, kind)
    return field_page(kind, place, field)


def _step_in(place: Place, word: str, kind: Kind | None) -> Place:
    inner = schemas.inside(place)
    if word in inner:
        return inner[word]
    dotted = ".".join((kind.name, *place.words) if kind else place.words)
    if not inner:
        raise UsageError(
            f"`{dotted}` has nothing inside it", f"`sagedag explain {dotted}` says what it is"
        )
    near = nearest(word, inner)
    if not near and schemas.has_entries(place.schema):
        return place  # a name of the user's own: `inputs.train.source`
    hint = f"did you mean `sagedag explain {dotted}.{near}`?" if near else ""
    raise UsageError(
        f"`{dotted}` has no `{escape_control(word)}` inside",
        hint or f"there is {', '.join(inner)}",
    )
