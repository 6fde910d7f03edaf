"""From expanded steps to specifications: schema, references, conditions, dependencies."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pipelines.language.condition import clauses_of
from pipelines.language.conform import conform, judge
from pipelines.language.diagnostics import Level, Report, suggest
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
from pipelines.language.policies import cache_age, retry_policy
from pipelines.language.reference_syntax import Wrong, is_broken, slips
from pipelines.language.references import Scope, referenced_steps, resolve_text
from pipelines.language.repair import Repair
from pipelines.language.schema import definition_schema
from pipelines.language.spec import Dependency, StepSpec
from pipelines.language.validation import is_whole, problems_of_step
from steps import all_fields
from steps._contract import Clause, Problem, Retry, Step
from steps._expressions import UNKNOWN, ExprType, Path, expressions_in, is_expression
from steps._shared_fields import RETRY_REASONS

STEP_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,63})")
"""A step's name: letters, digits, hyphens, underscores, at most 64 (Developer Guide, "Quotas for
pipelines"; the published definition schema, ``StepName``)."""


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
    """Globs of keys that are no steps."""
    given: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The fields of the steps as they are written; those of ``plain_steps`` are made whole."""
    repaired: dict[str, set[Path]] = field(default_factory=dict)
    """Where the steps that were made whole have stand-ins."""
    bad_keys: set[Span] = field(default_factory=set)
    loops: dict[str, Loop] = field(default_factory=dict)

    def resolve(self, steps: list[Expanded]) -> tuple[StepSpec, ...]:
        """Return the steps' specifications."""
        for step in walk(steps):
            self.expanded[step.name] = step
            self.plain_steps[step.name] = self.checked(step)
            if "steps" in step.kind.fields or step.body:
                self.loops[step.name] = _loop(step)
        return self.specs(steps)

    def checked(self, step: Expanded) -> Step:
        """Return the step with plain fields, its name and schema judged."""
        if not STEP_NAME.fullmatch(step.name):
            self.bad_name(step)
        schema = definition_schema()["definitions"][step.kind.name]
        fields = self.given[step.name] = conform(plain(step.node), schema)
        if step.typeless or not is_whole(fields, step.kind.name):
            problems = [] if step.typeless else list(problems_of_step(fields, step.kind.name))
            for problem in problems:
                self.report.problem(self.tree, problem, step.path)
            repair = Repair(step.kind)
            fields = repair.fields(fields)
            if problems or repair.touched:
                self.repaired[step.name] = repair.touched
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
        schema = definition_schema()["definitions"][step.kind.name]
        problems = [] if step.typeless else list(judge(fields, schema))
        self.tell(step, problems)
        repair, given = Repair(step.kind), fields
        if problems or step.name in self.repaired:
            fields = repair.fields(given)
            for path in repair.touched:
                self.report.blame((*step.path, *path))
        if self.report.blames((*step.path, "model")):
            # What would be taken from the step that it refers to is not known.
            fields = {**{name: repair.field(name) for name in step.kind.inherits}, **fields}
        made = Step(step.name, step.kind.name, fields, step.own)
        found = [] if step.typeless else list(step.kind.check(made))
        for turn in range(1, repair.turns):
            # A word is not known: what is wrong whatever it is meant to be.
            other = replace(made, fields=Repair(step.kind, turn).fields(given))
            found = [problem for problem in step.kind.check(other) if problem in found]
        self.tell(step, found)
        return StepSpec(
            made,
            step.kind,
            step.path,
            self.dependencies(step, fields),
            self.clauses(step),
            then,
            otherwise,
            cache_age(fields.get("cache")),
            self.retries(step, fields.get("retry")),
            step.branch,
            sound=not repair.decisive and not step.typeless,
            stand_ins=frozenset(repair.touched),
            body=body,
        )

    def tell(self, step: Expanded, problems: Iterable[Problem]) -> None:
        """Report problems that were found together, but where others were told before."""
        news = [p for p in problems if not p.path or not self.report.blames((*step.path, *p.path))]
        for problem in news:
            self.report.problem(self.tree, problem, step.path)

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
            repaired=self.repaired,
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
            where = f"the `{branch}` branch of `{condition}`"
            return f"`{name}` runs only in {where}: move this step there, or that one out"
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
        fields = dict(self.given[step.name])
        condition = fields.pop("if", None)
        inner = self.selection(step) if step.body else scope
        made = {}
        for name, value in fields.items():
            if name not in BRANCHES:
                # A key that is unknown may have been meant for `select`.
                chosen = scope if name in all_fields(step.kind) and name != "select" else inner
                made[name] = self.resolved(value, step, (name,), chosen)
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
        for slip in slips(value):
            self.wrong(step, path, slip, level="warning")
        if "${" not in value:
            return settle(value)
        found = resolve_text(value, scope)
        if isinstance(found, list):
            for wrong in found:
                self.wrong(step, path, wrong)
            return UNKNOWN
        return settle(found) if isinstance(found, str) else found

    def wrong(self, step: Expanded, path: Path, wrong: Wrong, *, level: Level = "error") -> None:
        """Report a wrong reference at its own column."""
        if level == "error":
            self.report.blame((*step.path, *path))
        node = get(step.node, *path)
        source, span = locate(self.tree, (*step.path, *path))
        if isinstance(node, Scalar):
            source, span = node.source, inside(node, wrong.begin, wrong.end - wrong.begin)
        self.report.add(wrong.code, source, span, wrong.message, wrong.hint, level)

    def clauses(self, step: Expanded) -> tuple[Clause, ...]:
        """Return a Condition's clauses; wrong conditions are reported."""
        condition = get(step.node, "if")
        if "if" not in step.kind.fields or not isinstance(condition, Scalar):
            return ()
        if self.report.blames((*step.path, "if")):
            return ()
        text = condition.value if isinstance(condition.value, str) else condition.text
        if "{{" in text:
            return ()  # its template is wrong, which was told
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
        for path, word in step.kind.waits_for(self.plain_steps[step.name]):
            for name in self.named(step, word, path):
                found.setdefault(name, Dependency(name))
                other = self.expanded[name]
                if not other.typeless and name not in self.repaired:
                    kind = other.kind.type_of(self.plain_steps[name])
                    mine = self.plain_steps[step.name]
                    self.tell(step, step.kind.check_awaited(mine, path, kind))
        return tuple(found.values())

    def named(self, step: Expanded, word: str, path: Path) -> Iterator[str]:
        """Yield the steps that a name or glob of ``depends_on`` means."""
        names = [n for n in self.plain_steps if n != step.name and not self.hidden(step, n)]
        matches = [name for name in names if fnmatch.fnmatchcase(name, word)]
        if matches:
            yield from matches
            return
        if word not in self.plain_steps and (
            is_broken(word, self.broken) or any(fnmatch.filter(self.broken, word))
        ):
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
            made.append(retry_policy(policy))
        return tuple(made)


def _loop(step: Expanded) -> Loop:
    body = tuple(inner.name for inner in step.body)
    select = get(step.node, "select")
    texts = plain(select).values() if isinstance(select, MapNode) else ()
    named = [name for text in texts if isinstance(text, str) for name in referenced_steps(text)]
    items = plain(given) if isinstance(given := get(step.node, "items"), Sequence) else ()
    return Loop(body, next((name for name in named if name in body), ""), items)


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
