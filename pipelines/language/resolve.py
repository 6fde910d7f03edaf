"""From expanded steps to specifications: schema, references, conditions, dependencies."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pipelines.language.condition import clauses_of
from pipelines.language.conform import conform, judge
from pipelines.language.diagnostics import Report, suggest
from pipelines.language.expand import Expanded, walk
from pipelines.language.foreign import settle
from pipelines.language.loops import Loop
from pipelines.language.merge import BRANCHES
from pipelines.language.nodes import (
    MapNode,
    Node,
    Scalar,
    Sequence,
    Span,
    get,
    inside,
    locate,
    plain,
)
from pipelines.language.reference_syntax import Wrong
from pipelines.language.references import Scope, referenced_steps, resolve_text
from pipelines.language.schema import definition_schema
from pipelines.language.spec import Dependency, StepSpec
from pipelines.language.validation import problems_of_step
from steps._contract import Clause, Problem, Retry, Step
from steps._durations import DurationError, parse, to_iso
from steps._expressions import UNKNOWN, ExprType, Path, as_text, expressions_in, is_expression
from steps._shared_fields import RETRY_REASONS

STEP_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,63})")
"""A step's name: letters, digits, hyphens, underscores, at most 64 (Developer Guide, "Quotas for
pipelines"; the published definition schema, ``StepName``)."""

DEFAULT_CACHE = "30d"
"""``cache: true``; the Developer Guide's own example of ExpireAfter ("Caching pipeline steps")."""


@dataclass
class Resolver:
    """Resolves all steps of a definition.

    Args:
        tree: the definition's tree with the expanded steps, for places.
        parameters: the parameters' types.
        report: where problems go.
    """

    tree: Node
    parameters: Mapping[str, ExprType]
    report: Report
    plain_steps: dict[str, Step] = field(default_factory=dict)
    expanded: dict[str, Expanded] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """Steps with mistakes in their fields' form, and keys that are no steps."""
    bad_keys: set[Span] = field(default_factory=set)
    loops: dict[str, Loop] = field(default_factory=dict)

    def resolve(self, steps: list[Expanded]) -> tuple[StepSpec, ...]:
        """Return the steps' specifications."""
        for step in walk(steps):
            self.expanded[step.name] = step
            self.plain_steps[step.name] = self.checked(step)
            if "steps" in step.kind.fields:
                self.loops[step.name] = _loop(step)
        return self.specs(steps)

    def checked(self, step: Expanded) -> Step:
        """Return the step with plain fields, its name and schema judged."""
        if not STEP_NAME.fullmatch(step.name):
            self.bad_name(step)
        schema = definition_schema()["definitions"][step.kind.name]
        fields = conform(plain(step.node), schema)
        for problem in problems_of_step(fields, step.kind.name):
            self.report.problem(self.tree, problem, step.path)
            self.broken.add(step.name)
        return Step(step.name, step.kind.name, fields, step.own)

    def bad_name(self, step: Expanded) -> None:
        """Report a name that the service refuses."""
        from pipelines.language.sandbox import slug

        at = step.key
        if at.span in self.bad_keys:
            return  # another combination of the same matrix
        self.bad_keys.add(at.span)
        if len(step.name) > 64:
            self.report.at(
                at,
                "bad-name",
                f"`{step.name}` has {len(step.name)} characters; a step's name has at most 64",
            )
            return
        hint = f"such as `{slug(step.name)}`"
        if "{{" in at.text:
            hint = "make the value fit with the filter: `{{ … | slug }}`"
        self.report.at(
            at,
            "bad-name",
            f"`{step.name}` can't be a step's name: letters, digits, "
            "`-` and `_` only, beginning with a letter or digit",
            hint,
        )

    def specs(self, steps: list[Expanded]) -> tuple[StepSpec, ...]:
        """Return the specifications of the steps that have one."""
        return tuple(self.spec(step) for step in steps)

    def spec(self, step: Expanded) -> StepSpec:
        """Return a step's specification; None where its schema failed."""
        then, otherwise = self.specs(step.then), self.specs(step.otherwise)
        body = self.specs(step.body)
        fields = self.references(step)
        made = Step(step.name, step.kind.name, fields, step.own)
        schema = definition_schema()["definitions"][step.kind.name]
        sound = step.name not in self.broken
        for problem in judge(fields, schema):
            sound = sound and problem.code != "literal-wanted"
            if not self.report.blames((*step.path, *problem.path)):
                self.report.problem(self.tree, problem, step.path)
        for problem in step.kind.check(made) if sound else ():
            self.report.problem(self.tree, problem, step.path)
        return StepSpec(
            made,
            step.kind,
            step.path,
            self.dependencies(step, fields),
            self.clauses(step),
            then,
            otherwise,
            cache_age(fields.get("cache")) if sound else "",
            self.retries(step, fields.get("retry")) if sound else (),
            step.branch,
            sound=sound,
            body=body,
        )

    # --- references ---

    def scope(self, step: Expanded) -> Scope:
        """Return what the step's references can see."""
        loops = [name for name, field in step.branch if field == "steps"]
        return Scope(
            self.parameters,
            self.plain_steps,
            partial(self.hidden, step),
            self.broken,
            step.name,
            self.loops,
            self.loops[loops[-1]] if loops else None,
        )

    def selection(self, step: Expanded) -> Scope:
        """Return what `select` of a ForEach can see: its body too."""
        around = self.scope(step)
        body = frozenset(inner.name for inner in step.body)

        def visible(name: str) -> str:
            return "" if name in body else around.visible(name)

        return replace(around, visible=visible, compared=body)

    def hidden(self, step: Expanded, name: str) -> str:
        """Return why ``name`` can't be referred to from ``step``; empty where it can."""
        other = self.expanded[name]
        if other.branch != step.branch[: len(other.branch)]:
            condition, branch = other.branch[-1]
            if branch == "steps":
                return (
                    f"`{name}` runs once for every item of `{condition}`: write "
                    f"`steps.{condition}.iterations[0].{name}.…`"
                )
            return f"`{name}` runs only in the `{branch}` branch of `{condition}`"
        if name == step.name:
            return "a step can't wait for itself"
        if (name, "steps") in step.branch:
            return f"`{name}` is the loop around this step, which waits for it anyway"
        if any(condition == name for condition, _ in step.branch):
            return f"`{name}` is the condition around this step, which waits for it anyway"
        return ""

    def references(self, step: Expanded) -> dict[str, Any]:
        """Return the step's fields with references resolved."""
        scope = self.scope(step)
        fields = dict(self.plain_steps[step.name].fields)
        condition = fields.pop("if", None)
        made = {
            name: self.resolved(value, step, (name,), scope)
            for name, value in fields.items()
            if name not in (*BRANCHES, "select")
        }
        if "select" in fields:
            chosen = self.selection(step) if step.body else scope
            made["select"] = self.resolved(fields["select"], step, ("select",), chosen)
        if condition is not None:
            made["if"] = condition
        return made

    def resolved(self, value: Any, step: Expanded, path: Path, scope: Scope) -> Any:
        """Return a value with references resolved; wrong ones are reported."""
        if isinstance(value, dict):
            return {settle(k): self.resolved(v, step, (*path, k), scope) for k, v in value.items()}
        if isinstance(value, list):
            return [self.resolved(v, step, (*path, i), scope) for i, v in enumerate(value)]
        if not isinstance(value, str):
            return value
        if "${" not in value:
            return settle(value)
        found = resolve_text(value, scope)
        if isinstance(found, list):
            for wrong in found:
                self.wrong(step, path, wrong)
            return UNKNOWN
        return settle(found) if isinstance(found, str) else found

    def wrong(self, step: Expanded, path: Path, wrong: Wrong) -> None:
        """Report a wrong reference at its own column."""
        self.report.blame((*step.path, *path))
        node = get(step.node, *path)
        if isinstance(node, Scalar):
            span = inside(node, wrong.begin, wrong.end - wrong.begin)
            self.report.add(wrong.code, node.source, span, wrong.message, wrong.hint)
            return
        source, span = locate(self.tree, (*step.path, *path))
        self.report.add(wrong.code, source, span, wrong.message, wrong.hint)

    def clauses(self, step: Expanded) -> tuple[Clause, ...]:
        """Return a Condition's clauses; wrong conditions are reported."""
        condition = get(step.node, "if")
        if "if" not in step.kind.fields or not isinstance(condition, Scalar):
            return ()
        if self.report.blames((*step.path, "if")):
            return ()
        text = condition.value if isinstance(condition.value, str) else condition.text
        found = clauses_of(text, self.scope(step))
        if isinstance(found, list):
            for wrong in found:
                self.wrong(step, ("if",), wrong)
            return ()
        return found

    # --- fields of every step ---

    def dependencies(self, step: Expanded, fields: Mapping[str, Any]) -> tuple[Dependency, ...]:
        """Return ``depends_on`` with globs unfolded, in the order of the file."""
        given = fields.get("depends_on", [])
        if self.report.blames((*step.path, "depends_on")):
            return ()
        found: dict[str, Dependency] = {}
        for index, item in enumerate(given if isinstance(given, list) else [given]):
            path: Path = ("depends_on", index) if isinstance(given, list) else ("depends_on",)
            if isinstance(item, dict):
                path = (*path, "step")
            word = item.get("step") if isinstance(item, dict) else item
            when = str(item.get("when", "")) if isinstance(item, dict) else ""
            when = "" if when == "completed" else when
            if is_expression(word):
                continue  # reported by `judge`
            for name in self.named(step, str(word), path):
                found[name] = Dependency(name, when)
        if step.name not in self.broken:
            for path, word in step.kind.waits_for(self.plain_steps[step.name]):
                for name in self.named(step, word, path):
                    found.setdefault(name, Dependency(name))
        return tuple(found.values())

    def named(self, step: Expanded, word: str, path: Path) -> Iterator[str]:
        """Yield the steps that a name or glob of ``depends_on`` means."""
        if word in self.broken and word not in self.plain_steps:
            return
        names = [n for n in self.plain_steps if n != step.name and not self.hidden(step, n)]
        matches = [name for name in names if fnmatch.fnmatchcase(name, word)]
        if matches:
            yield from matches
            return
        code, message, hint = "unknown-step", f"there is no step `{word}`", suggest(word, names)
        if word in self.plain_steps:
            code = "cycle" if word == step.name else "out-of-branch"
            message, hint = self.hidden(step, word), ""
        elif any(c in word for c in "*?["):
            message = f"no step is called like `{word}`"
        problem = Problem(code, path, message, hint)
        self.report.problem(self.tree, problem, step.path)

    def retries(self, step: Expanded, given: Any) -> tuple[Retry, ...]:
        """Return the retry policies; reasons the service ignores are reported."""
        made = []
        for index, policy in enumerate(given if isinstance(given, list) else [given]):
            if not isinstance(policy, dict):
                continue
            path: Path = ("retry", index) if isinstance(given, list) else ("retry",)
            known = step.kind.retries
            for number, reason in enumerate(policy["on"]):
                if reason in RETRY_REASONS and reason not in known:
                    problem = Problem(
                        "bad-retry",
                        (*path, "on", number),
                        f"the service does not retry {step.kind.name} steps on `{reason}`",
                        f"it knows {', '.join(known)}",
                    )
                    self.report.problem(self.tree, problem, step.path)
            if "attempts" in policy and "expire" in policy:
                problem = Problem(
                    "either-or",
                    (*path, "expire"),
                    "`expire` stands beside `attempts`",
                    "the service takes one of them",
                    at_key=True,
                )
                self.report.problem(self.tree, problem, step.path)
            made.append(_retry(policy))
        return tuple(made)


def _loop(step: Expanded) -> Loop:
    body = tuple(inner.name for inner in step.body)
    select = get(step.node, "select")
    texts = plain(select).values() if isinstance(select, MapNode) else ()
    named = [name for text in texts if isinstance(text, str) for name in referenced_steps(text)]
    items = plain(given) if isinstance(given := get(step.node, "items"), Sequence) else ()
    return Loop(body, next((name for name in named if name in body), ""), items)


def cache_age(given: Any) -> str:
    """Return ExpireAfter of a ``cache`` field; empty for no cache."""
    if given is None or given is False or is_expression(given):
        return ""  # an expression is reported by `judge`
    return DEFAULT_CACHE if given is True else expire_after(as_text(given))


def _retry(policy: Mapping[str, Any]) -> Retry:
    expire = _seconds(policy.get("expire"))
    attempts = policy.get("attempts")
    return Retry(
        tuple(RETRY_REASONS[reason] for reason in policy["on"] if reason in RETRY_REASONS),
        max(1, _seconds(policy.get("interval")) or 1),
        float(policy.get("backoff", 2.0)),
        None if expire is not None and attempts is None else int(attempts or 5),
        None if expire is None else max(1, round(expire / 60)),
    )


def _seconds(text: Any) -> int | None:
    try:
        return None if text is None else parse(as_text(text))
    except DurationError:
        return None  # reported by `judge`


def expire_after(text: str) -> str:
    """Return a cache's age as the API wants it.

    Whole days stay in the form of the Developer Guide's own example (``30d``), ISO 8601 stays as
    it is; everything else becomes ISO 8601.
    """
    if re.fullmatch(r"[1-9][0-9]*d", text):
        return text
    if text[:1] in "Pp":
        return text.upper()
    try:
        return to_iso(parse(text))
    except DurationError:
        return text  # reported by `judge`


def steps_needed(spec: StepSpec) -> set[str]:
    """Return the names of the steps that a step waits for, by values or by ``depends_on``."""
    return {dependency.step for dependency in spec.depends_on} | steps_read(spec)


def steps_read(spec: StepSpec) -> set[str]:
    """Return the names of the steps whose values a step uses, in its condition as well."""
    parts: list[Any] = [dict(spec.step.fields)]
    for clause in spec.clauses:
        for comparison in clause:
            parts += [comparison.left, comparison.right]
    names = (getattr(expression, "step", None) for expression in expressions_in(parts))
    return {name for name in names if name is not None}
