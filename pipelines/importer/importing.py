"""Importing a definition: written, checked, compiled, compared, and written raw where need be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.compiler import compile_program
from pipelines.definition.normal import Difference, differences, referred_steps
from pipelines.errors import UsageError
from pipelines.importer.assembling import Assembled, Surroundings, assemble
from pipelines.importer.drafts import Draft, Note, walk
from pipelines.importer.environment import framework_regions
from pipelines.importer.fetching import Fetched
from pipelines.importer.words import VARIABLE, with_values
from pipelines.importer.yaml_text import yaml_text
from pipelines.language.check import Checked, check
from pipelines.language.diagnostics import Diagnostic, InvalidDefinition, Report
from pipelines.language.environments import LOCAL, choose_environment
from pipelines.language.nodes import locate
from pipelines.language.project import find_project
from steps._contract import Environment
from steps._expressions import PropertyRef, expressions_in

MAX_ROUNDS = 6
"""How often steps are given up to `Raw` before the result is taken as it is."""


@dataclass(frozen=True)
class Imported:
    """An imported definition.

    Args:
        text: the definition in YAML.
        name: the pipeline's name.
        notes: what the reader must know: what is written raw, what could not be said.
        diagnostics: what the language has against the result.
        differences: where compiling the result gives something else than what was imported; None
            where it can't be compiled.
        moved: where code or a configuration that lies beside the result has another place on S3
            than the one that it was fetched from: what it says is the same.
        environment: what it was compiled for to compare it.
    """

    text: str
    name: str
    notes: Sequence[Note] = ()
    diagnostics: Sequence[Diagnostic] = ()
    differences: Sequence[Difference] | None = field(default=None)
    moved: Sequence[Difference] = ()
    environment: str = ""

    @property
    def failed(self) -> bool:
        """Whether the language refuses the result."""
        return any(each.level == "error" for each in self.diagnostics)


def import_definition(
    definition: Mapping[str, Any],
    around: Surroundings,
    *,
    path: Path,
    origin: str,
    head: Sequence[str] = (),
    environment: str | Environment = "local",
    fetched: Fetched | None = None,
) -> Imported:
    """Import a pipeline definition.

    Args:
        definition: the definition JSON, of bounded depth.
        around: what is known of the pipeline beside it.
        path: where the result is to lie; its project and environments hold for the check.
        origin: where the definition comes from, for the comment at the top.
        head: further lines of comment.
        environment: what it is written for: one of the project's, or one that no file tells of.
        fetched: what was fetched from S3 into the folder of ``path``.

    Returns:
        The result, checked and compared with what was imported.

    Raises:
        UsageError: it holds characters that no text may hold, or there is no such environment.
    """
    _refuse_signs(definition, around.variables)
    place = _settings(environment, path)
    fetched = fetched or Fetched()
    meant = with_values(definition, around.variables)
    name = str(with_values(around.name, around.variables))
    raw: dict[str, str] = {}
    share = True
    assembling = partial(
        assemble, definition, around, fitted={}, environment=place, fetched=fetched
    )
    best: Imported | None = None
    for _ in range(MAX_ROUNDS):
        assembled = assembling(raw=raw, share=share)
        lines = [f"Imported from {origin}.", *head]
        text = yaml_text(assembled.document, lines)
        checked = check(path, environment=environment, text=text.encode("utf-8", "replace"))
        found, moved = _compared(meant, checked, fetched)
        notes = [*fetched.notes, *assembled.notes, *_elsewhere(definition, place, environment)]
        notes += _dangling(assembled)
        made = Imported(text, name, notes, checked.diagnostics, found, moved, place.name)
        if best is None or _badness(made) < _badness(best):
            best = made
        if not checked.failed and not found:
            break
        more, whole = _to_give_up(assembled, checked, found or [], raw)
        if whole and share:
            # What is shared may be at fault; steps are given up only where that does not help.
            share = False
        elif more:
            raw.update(more)
        else:
            break
    assert best is not None
    return best


def _settings(environment: str | Environment, path: Path) -> Environment:
    """Return the environment that a name means; `local` where its file can't be read."""
    if not isinstance(environment, str):
        return environment
    try:
        return choose_environment(
            environment, find_project(path.absolute().parent), Report()
        ).environment
    except InvalidDefinition:
        return LOCAL


def _elsewhere(
    definition: Mapping[str, Any], place: Environment, environment: str | Environment
) -> list[Note]:
    """Note that images of other regions are written as addresses."""
    regions = sorted(framework_regions(definition) - {place.region})
    if not regions:
        return []
    there = " and ".join(regions)
    why = f"images of AWS's frameworks in {there} are written as addresses, since the result is "
    why += f"for {place.region}"
    if isinstance(environment, str):
        why += "; --env with an environment of their region writes them as frameworks"
    return [Note("/Steps", why)]


def _dangling(assembled: Assembled) -> list[Note]:
    """Note steps that are referred to and not there, each where the innermost step does so."""
    drafts = list(walk(assembled.drafts))
    names = {draft.given.get("Name") for draft in drafts}
    found = {
        name: draft.pointer
        for draft in drafts
        for name in sorted(referred_steps(draft.given) - names)
    }
    why = "it refers to the step `{}`, which is not there: the service refuses that"
    return [Note(pointer, why.format(name)) for name, pointer in found.items()]


def _refuse_signs(value: Any, variables: Mapping[str, str]) -> None:
    """Refuse text that no text may hold: noncharacters, and halves of surrogate pairs.

    Raises:
        UsageError: there is some.
    """
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            for name in variables if "\ufdd8" in each else ():
                each = each.replace(VARIABLE.format(name), "")
            found = _STRAY.search(each)
            if found:
                raise UsageError(
                    f"the definition holds the character U+{ord(found.group()):04X}, which is "
                    "none that text may hold"
                )
        elif isinstance(each, Mapping):
            waiting += [*each, *each.values()]
        elif isinstance(each, list):
            waiting += each


_STRAY = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def _badness(made: Imported) -> tuple[int, int]:
    errors = sum(each.level == "error" for each in made.diagnostics)
    return errors, len(made.differences or ()) if made.differences is not None else 1_000_000


def _compared(
    definition: Mapping[str, Any], checked: Checked, fetched: Fetched
) -> tuple[list[Difference] | None, list[Difference]]:
    """Return where the result differs, and where only the place of what was fetched does."""
    if checked.failed or checked.program is None:
        return None, []
    found = differences(definition, compile_program(checked.program).definition)
    places: set[str] = set()
    for asset in checked.program.assets:
        places |= {asset.files_uri, asset.archive_uri}
        places |= {f"{asset.files_uri}/{name}" for name, _ in asset.files}
    moved = [
        each
        for each in found
        if _place(each.before) in {*fetched.paths, *fetched.documents}
        and _place(each.after) in places
    ]
    return [each for each in found if each not in moved], moved


def _place(value: Any) -> str:
    """Return a place on S3, without the quotes that it has as a hyperparameter."""
    return value.strip('"') if isinstance(value, str) else ""


def _to_give_up(
    assembled: Assembled,
    checked: Checked,
    found: Sequence[Difference],
    raw: Mapping[str, str],
) -> tuple[dict[str, str], bool]:
    """Return the steps to write raw, with reasons, and whether sharing is to be given up."""
    drafts = {draft.name: draft for draft in walk(assembled.drafts)}
    blamed = _blamed(checked)
    whole = "" in blamed
    for difference in found:
        names = [each for each in difference.path if each in drafts]
        if names and difference.path[:1] == ("Steps",):
            blamed.setdefault(str(names[-1]), "its fields would say something else")
    whole = whole or bool(found)
    more: dict[str, str] = {}
    for name, reason in blamed.items():
        draft = drafts.get(name)
        if draft is None:
            continue
        if name not in raw and not draft.is_raw and draft.kind.name not in _COMPOUND:
            more[name] = reason
        else:
            for other in _referred(draft):
                target = drafts.get(other)
                if target is not None and not target.is_raw and target.kind.name not in _COMPOUND:
                    more[other] = f"a value of it that `{name}` uses has no other name"
    return more, whole


_COMPOUND = ("Condition", "ForEach", "Fail")


def _blamed(checked: Checked) -> dict[str, str]:
    """Return the steps that errors stand in, with the first message; "" for the rest."""
    spec = checked.program.spec if checked.program is not None else None
    starts: list[tuple[int, str]] = []
    for step in spec.walk() if spec is not None else ():
        if spec is not None:
            _, span = locate(spec.tree, step.path, at_key=True)
            starts.append((span.line, step.name))
    made: dict[str, str] = {}
    for diagnostic in checked.diagnostics:
        if diagnostic.level != "error":
            continue
        above = [name for line, name in sorted(starts) if line <= diagnostic.span.line]
        made.setdefault(above[-1] if above else "", diagnostic.message)
    return made


def _referred(draft: Draft) -> set[str]:
    from pipelines.importer.lifting import Lifter

    parts = [dict(draft.fields), dict(draft.request), Lifter().lift(draft.condition)]
    return {each.step for each in expressions_in(parts) if isinstance(each, PropertyRef)}
