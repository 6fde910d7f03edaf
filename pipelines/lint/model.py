"""What a rule is, what it looks at, and what it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pipelines.language.pages import Page
from pipelines.language.request_checks import field_of
from pipelines.language.request_merge import given_at
from pipelines.language.requests import Program, walk_requests
from pipelines.language.spec import PipelineSpec, StepSpec
from pipelines.lint.written import written
from steps._contract import StepRequest
from steps._expressions import (
    EXPRESSIONS,
    Expr,
    JsonGet,
    ParameterRef,
    Path,
    PropertyRef,
    expressions_in,
)

Group = Literal["security", "cost", "hygiene", "portability", "service", "existence"]


@dataclass(frozen=True)
class Finding:
    """Something that a rule found.

    Args:
        path: where, from the document down.
        message: one sentence, no full stop.
        hint: what to do.
        at_key: point at the key instead of the value.
        hide: the value is a secret and must not be printed.
    """

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False
    hide: bool = False


@dataclass(frozen=True)
class Limits:
    """What rules measure with; ``[tool.sagedag.lint]`` sets them.

    Args:
        max_runtime: seconds that a job may be allowed to run.
        required_tags: tags that every pipeline must have.
    """

    max_runtime: int = 24 * 60 * 60
    required_tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """What ``environments.yaml`` says about all environments.

    Args:
        accounts, buckets: their accounts and buckets.
    """

    accounts: frozenset[str] = frozenset()
    buckets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Part:
    """One step: what the definition says and what is requested for it."""

    spec: StepSpec
    request: StepRequest

    @property
    def name(self) -> str:
        """The step's name."""
        return self.spec.name

    @property
    def kind(self) -> str:
        """The step's kind."""
        return self.spec.kind.name

    @cached_property
    def leaves(self) -> tuple[tuple[Path, Any], ...]:
        """What stands in the arguments, as :func:`leaves` tells it."""
        return tuple(leaves(self.request.arguments))

    def value(self, path: Path) -> Any:
        """Return the argument at ``path``, None where there is none."""
        found: Any = self.request.arguments
        for segment in path:
            if isinstance(found, Mapping):
                found = found.get(str(segment))
            elif isinstance(found, (list, tuple)) and isinstance(segment, int):
                found = found[segment] if segment < len(found) else None
            else:
                return None
        return found

    def place(self, argument: Path) -> Path:
        """Return where the definition says an argument: ``request`` has the last word."""
        given = given_at(self.spec.step.fields.get("request"), self.request.arguments, argument)
        if given is not None:
            return (*self.spec.path, "request", *given)
        if self.kind == "Raw":
            return (*self.spec.path, "arguments", *argument)
        return (*self.spec.path, *field_of(self.spec, argument))

    @property
    def expressions(self) -> Iterator[Expr]:
        """Every expression that the step's request holds, those of its condition included."""
        request = self.request
        yield from expressions_in(request.arguments)
        yield from expressions_in(request.members)
        yield from expressions_in(request.fields)
        for clause in request.clauses:
            for comparison in clause:
                yield from expressions_in((comparison.left, comparison.right))


@dataclass(frozen=True)
class Subject:
    """A checked definition, as rules see it.

    Args:
        program: its requests, for one environment.
        limits: what to measure with.
        surroundings: what is known of all environments.
    """

    program: Program
    limits: Limits = field(default_factory=Limits)
    surroundings: Surroundings = field(default_factory=Surroundings)

    @property
    def spec(self) -> PipelineSpec:
        """The specification."""
        return self.program.spec

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Every step, branches and bodies included, in the order of the file."""
        requests = {request.name: request for request in walk_requests(self.program.steps)}
        return tuple(Part(spec, requests[spec.name]) for spec in self.spec.walk())

    @cached_property
    def by_name(self) -> Mapping[str, Part]:
        """The steps by name."""
        return {part.name: part for part in self.parts}

    @cached_property
    def references(self) -> tuple[tuple[Part, Expr], ...]:
        """Every expression with the step that holds it."""
        return tuple((part, each) for part in self.parts for each in part.expressions)

    @cached_property
    def written(self) -> tuple[tuple[Path, str], ...]:
        """What is written for every environment, as :func:`written` tells it."""
        return tuple(written(self.spec))

    @cached_property
    def waits(self) -> Mapping[str, frozenset[str]]:
        """The steps that each step waits for, by references, by name, or by standing inside."""
        found: dict[str, set[str]] = {part.name: set() for part in self.parts}
        for part in self.parts:
            found[part.name].update(d.step for d in part.spec.depends_on)
            found[part.name].update(name for name, _ in part.spec.branch)
        for part, each in self.references:
            if isinstance(each, (PropertyRef, JsonGet)) and each.step in self.by_name:
                found[part.name].add(each.step)
        return {name: frozenset(steps - {name}) for name, steps in found.items()}

    def upstream(self, name: str) -> frozenset[str]:
        """Return all steps that must have ended before ``name`` begins."""
        pending, seen = [name], set[str]()
        while pending:
            for other in self.waits.get(pending.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    pending.append(other)
        return frozenset(seen)

    def known(self, value: Any) -> Any:
        """Return a value as far as it is known now: a parameter stands for its default."""
        if isinstance(value, ParameterRef):
            return next((p.default for p in self.spec.parameters if p.name == value.name), None)
        return value

    @property
    def top(self) -> Path:
        """Where the definition says what holds for all steps."""
        return ("defaults",) if "defaults" in self.spec.tree.entries else ("pipeline",)


def items(value: Any) -> list[Mapping[str, Any]]:
    """Return the maps in a list; none where it is no list, as what is written raw may be."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield what stands in plain data with its path; expressions are not entered."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, (list, tuple)) and not isinstance(value, EXPRESSIONS):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


@dataclass(frozen=True)
class Rule:
    """A rule.

    Args:
        page: its code, level, and what ``sagedag explain CODE`` says.
        group: what it is about; ``--select`` and ``--ignore`` take groups, too.
        find: yields what it finds.
        cloud: it is about AWS and is not asked in the environment ``local``.
        online: it asks AWS, with ``--online`` alone; ``find`` is not called.
    """

    page: Page
    group: Group
    find: Callable[[Subject], Iterator[Finding]]
    cloud: bool = False
    online: bool = False

    @property
    def code(self) -> str:
        """The rule's code."""
        return self.page.code


def found_elsewhere(subject: Subject) -> Iterator[Finding]:
    """Yield nothing: the findings of these rules are made where all others are known."""
    del subject
    yield from ()
