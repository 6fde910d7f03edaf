"""From drafts and the definition's top level to the document that is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.compiler import as_json
from pipelines.definition.normal_values import Values
from pipelines.importer.conditions import condition_parts
from pipelines.importer.drafts import Draft, Note, walk
from pipelines.importer.fetching import Fetched
from pipelines.importer.fitting import Fitted, Unfit
from pipelines.importer.images import Images
from pipelines.importer.lifting import Lifter
from pipelines.importer.sharing import gather
from pipelines.importer.stepping import Stepper
from pipelines.importer.words import NoWords, Target, Words, escape, escape_templates
from pipelines.importer.yaml_text import Commented, Folded, wrapped
from pipelines.language.environments import LOCAL
from pipelines.language.load import DEFAULT_EXPERIMENT
from pipelines.language.schema import TOP
from steps import all_fields
from steps._contract import Environment, Field, Short, Step
from steps._expressions import LoopRef, PropertyRef, SourceFloat, expressions_in

VERSION = "2020-12-01"
_GAPS = ("vars", "parameters", "defaults", "steps", "parallelism", "experiment", "mlflow", "tags")


@dataclass(frozen=True)
class Surroundings:
    """What a definition's holder says about the pipeline beside its definition.

    Args:
        name: the pipeline's name.
        role: its role; empty where nothing says.
        parallelism: MaxParallelExecutionSteps.
        variables: values for ``vars`` that stand in the definition as ``{{ vars.NAME }}``.
        arn: the pipeline's own, where AWS told it.
    """

    name: str
    role: str = ""
    description: str = ""
    display_name: str = ""
    parallelism: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    arn: str = ""


@dataclass(frozen=True)
class Assembled:
    """A document ready to be written, and what the reader must know of it."""

    document: Commented
    drafts: list[Draft]
    notes: list[Note]


def assemble(
    definition: Mapping[str, Any],
    around: Surroundings,
    *,
    raw: Mapping[str, str],
    share: bool = True,
    fitted: dict[str, Fitted | Unfit] | None = None,
    environment: Environment = LOCAL,
    fetched: Fetched | None = None,
) -> Assembled:
    """Return the document that says what a definition says.

    Args:
        raw: names of steps that are written as they stand, with the reason.
        share: gather repeated values under ``defaults``.
        fitted: fields that an earlier call found; grows.
        environment: what it is written for: images of its region are written as frameworks, and
            its role is left out.
        fetched: what lies beside it.
    """
    found = {} if fitted is None else fitted
    assembler = _Assembler(definition, around, raw, found, environment)
    assembler.stepper.fetched = fetched or Fetched()
    return assembler.assembled(share=share)


class _Assembler:
    def __init__(
        self,
        definition: Mapping[str, Any],
        around: Surroundings,
        raw: Mapping[str, str],
        fitted: dict[str, Fitted | Unfit],
        environment: Environment,
    ) -> None:
        self.definition = definition
        self.around = around
        self.role = environment.role
        types = _members_of(definition.get("Parameters"), "Type")
        defaults = _members_of(definition.get("Parameters"), "DefaultValue")
        images = Images(environment.region, defaults)
        self.lifter = Lifter(types)
        self.stepper = Stepper(self.lifter, Values(types), raw, around.variables, fitted, images)
        self.notes = self.stepper.notes
        self.words = Words({})

    def assembled(self, *, share: bool) -> Assembled:
        drafts = self.stepper.drafts(self.definition.get("Steps"), "/Steps")
        targets = {draft.name: _target(draft) for draft in walk(drafts)}
        self.words = Words(targets, self.stepper.fetched.places)
        _forget_inherited(drafts)
        defaults = gather(drafts, self.around.role or self.role) if share else {}
        made: dict[str, Any] = {"pipeline": escape_templates(self.around.name)}
        for name in ("description", "display_name", "role"):
            value = getattr(self.around, name)
            if value and (name, value) != ("role", self.role):
                made[name] = escape_templates(value)
        if self.around.variables:
            made["vars"] = Commented(self.around.variables)
        parameters = self.parameters()
        if parameters:
            made["parameters"] = parameters
        if defaults:
            made["defaults"] = self.defaults(defaults)
        steps = Commented(spaced=True)
        for draft in drafts:
            self.put(steps, draft)
        made["steps"] = steps
        if self.around.parallelism is not None:
            made["parallelism"] = self.around.parallelism
        made.update(self.experiment())
        made.update(self.tracking())
        if self.around.tags:
            made["tags"] = {escape(k): escape(v) for k, v in self.around.tags.items()}
        self.rest()
        document = Commented({name: made[name] for name in TOP if name in made})
        document.gaps = set(_GAPS)
        return Assembled(document, drafts, self.notes)

    # --- top level ---

    def parameters(self) -> dict[str, Any]:
        given = self.definition.get("Parameters")
        if given is not None and not isinstance(given, list):
            self.notes.append(Note("/Parameters", "this is no list of parameters", lost=True))
        made: dict[str, Any] = Commented()
        for index, item in enumerate(given if isinstance(given, list) else ()):
            here = f"/Parameters/{index}"
            name = item.get("Name") if isinstance(item, Mapping) else None
            if not isinstance(item, Mapping) or not isinstance(name, str) or name in made:
                why = "this parameter has no name, or one that is taken"
                self.notes.append(Note(here, why, lost=True))
                continue
            for member in item:
                if member not in ("Name", "Type", "DefaultValue", "EnumValues"):
                    why = f"a parameter's `{member}` can't be said"
                    self.notes.append(Note(f"{here}/{member}", why, lost=True))
            made[escape(name)] = _parameter(item)
        return made

    def experiment(self) -> dict[str, Any]:
        given = self.definition.get("PipelineExperimentConfig")
        if given is None:
            return {"experiment": False}
        here = "/PipelineExperimentConfig"
        if not isinstance(given, Mapping):
            self.notes.append(Note(here, "this is no map", lost=True))
            return {}
        made: dict[str, Any] = {}
        for name, member in (("name", "ExperimentName"), ("trial", "TrialName")):
            if member not in given:
                self.notes.append(Note(here, f"without `{member}` the default is taken", lost=True))
                continue
            value = self.lifter.lift(given[member])
            if as_json(value) != as_json(DEFAULT_EXPERIMENT[member]):
                made[name] = self.said(value, f"{here}/{member}")
        for member in given:
            if member not in ("ExperimentName", "TrialName"):
                self.notes.append(Note(f"{here}/{member}", "this can't be said", lost=True))
        return {"experiment": made} if made else {}

    def tracking(self) -> dict[str, Any]:
        given = self.definition.get("MlflowConfig")
        if not isinstance(given, Mapping):
            return {}
        members = {"arn": "MlflowResourceArn", "experiment": "MlflowExperimentName"}
        for member in given:
            if member not in members.values():
                self.notes.append(Note(f"/MlflowConfig/{member}", "this can't be said", lost=True))
        made = {
            n: self.said(given[m], f"/MlflowConfig/{m}") for n, m in members.items() if given.get(m)
        }
        return {"mlflow": made} if made else {}

    def rest(self) -> None:
        """Note the members of the definition that the language has no place for."""
        known = ("Version", "Metadata", "Parameters", "Steps", "PipelineExperimentConfig")
        for member, value in self.definition.items():
            if member not in (*known, "MlflowConfig") and value not in (None, {}, []):
                self.notes.append(Note(f"/{member}", f"`{member}` can't be said", lost=True))
        if self.definition.get("Metadata") not in (None, {}):
            self.notes.append(Note("/Metadata", "the service's metadata can't be said", lost=True))
        version = self.definition.get("Version")
        if version != VERSION:
            why = f"the version is {VERSION}, not `{version}`"
            self.notes.append(Note("/Version", why, lost=True))

    def said(self, value: Any, pointer: str) -> Any:
        """Return a value in the language's words; what can't be said is noted."""
        try:
            return self.words.write(self.lifter.lift(value))
        except NoWords as error:
            self.notes.append(Note(pointer, str(error), lost=True))
            return "unsaid"

    # --- steps ---

    def put(self, steps: Commented, draft: Draft) -> None:
        """Put a step's map under its name."""
        key = escape_templates(draft.name)
        steps[key] = self.step(draft)
        if draft.comments:
            steps.comments[key] = [line for text in draft.comments for line in wrapped(text)]

    def step(self, draft: Draft) -> dict[str, Any]:
        values: dict[str, Any] = {"type": draft.kind.name}
        values.update(self.written(draft.head, draft))
        if draft.kind.name == "Condition":
            values["if"] = self.condition(draft)
        fields = all_fields(draft.kind)
        for name, value in draft.fields.items():
            written = self.attempted(value, draft)
            if written is not None:
                values[name] = _shortened(written, fields[name].short)
        values.update(self.written(draft.tail, draft))
        for name, inner in (("then", draft.then), ("else", draft.otherwise), ("steps", draft.body)):
            if inner:
                values[name] = Commented()
                for each in inner:
                    self.put(values[name], each)
        rest = {"request": draft.request, "step_fields": draft.step_fields}
        values.update(self.written({n: v for n, v in rest.items() if v}, draft))
        ordered = {name: values[name] for name in fields if name in values}
        return ordered if draft.kind.name == "Fail" else Commented(ordered)

    def written(self, values: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
        made = {}
        for name, value in values.items():
            found = self.attempted(value, draft)
            if found is not None:
                made[name] = found
        return made

    def attempted(self, value: Any, draft: Draft) -> Any:
        """Return a value of a step in the language's words; None (and a note) without any."""
        try:
            return self.words.write(value, raw=draft.is_raw)
        except NoWords as error:
            self.notes.append(Note(draft.pointer, str(error), lost=True))
            return None

    def condition(self, draft: Draft) -> Any:
        here = f"{draft.pointer}/Arguments/Conditions"
        try:
            parts = condition_parts(draft.condition, self.lifter, self.words)
        except NoWords as error:
            why = f"the condition of `{draft.name}` can't be said: {error}"
            self.notes.append(Note(here, why, lost=True))
            return "false"
        return Folded([*(f"{part} and" for part in parts[:-1]), parts[-1]])

    def defaults(self, given: Mapping[str, Any]) -> dict[str, Any]:
        made = Commented()
        fields: dict[str, Field] = {}
        for draft_kind in {d.kind.name: d.kind for d in self.kinds()}.values():
            for name, each in all_fields(draft_kind).items():
                fields.setdefault(name, each)
        by_kind = {draft.kind.name: all_fields(draft.kind) for draft in self.kinds()}
        for name, value in given.items():
            if name in by_kind:
                made[name] = {
                    inner: _shortened(self.words.write(each), by_kind[name][inner].short)
                    for inner, each in value.items()
                }
            else:
                made[name] = _shortened(self.words.write(value), fields[name].short)
        return made

    def kinds(self) -> Sequence[Target]:
        return list(self.words.targets.values())


def _members_of(given: Any, member: str) -> dict[str, str]:
    """Return a member of each parameter that has it as text."""
    items = [item for item in given if isinstance(item, Mapping)] if isinstance(given, list) else ()
    return {
        item["Name"]: item[member]
        for item in items
        if isinstance(item.get("Name"), str) and isinstance(item.get(member), str)
    }


def _parameter(given: Mapping[str, Any]) -> Any:
    """Return a parameter: its default alone where that tells the type."""
    kind, default, enum = given.get("Type"), given.get("DefaultValue"), given.get("EnumValues")
    if kind == "Float" and isinstance(default, int) and not isinstance(default, bool):
        default = SourceFloat(default, f"{default}.0")
    inferred = {
        str: "String",
        bool: "Boolean",
        int: "Integer",
        float: "Float",
        SourceFloat: "Float",
    }
    told = default is not None and inferred.get(type(default)) == kind
    made: dict[str, Any] = {}
    if not told:
        made["type"] = kind
    if default is not None:
        made["default"] = escape(default) if isinstance(default, str) else default
    if isinstance(enum, list) and enum:
        made["enum"] = [escape(each) if isinstance(each, str) else each for each in enum]
    return made["default"] if list(made) == ["default"] else made


def _target(draft: Draft) -> Target:
    selected = ""
    chosen = next(iter((draft.fields.get("select") or {}).values()), None)
    if isinstance(chosen, LoopRef):
        selected = chosen.text.split(".")[1] if chosen.text.count(".") else ""
    step = Step(draft.name, draft.kind.name, dict(draft.fields), frozenset(draft.fields))
    return Target(draft.kind, step, selected)


def _forget_inherited(drafts: list[Draft]) -> None:
    """Leave out what a step takes from the one whose model it uses, where that is the same."""
    named = {draft.name: draft for draft in walk(drafts)}
    for draft in named.values():
        for name, givers in draft.kind.inherits.items():
            for expression in expressions_in(draft.fields.get("model")):
                if not isinstance(expression, PropertyRef) or expression.step not in named:
                    continue
                giver = named[expression.step]
                same = giver.fields.get(name) == draft.fields.get(name)
                if giver.kind.name in givers and same and name in draft.fields:
                    del draft.fields[name]


def _shortened(value: Any, short: Short | None) -> Any:
    """Return the short form of a field's value."""
    if short is None:
        return value
    if isinstance(value, Mapping):
        if short.each is not None:
            value = {name: _shortened(item, short.each) for name, item in value.items()}
        for name, member in short.members.items():
            if name in value:
                value = {**value, name: _shortened(value[name], member)}
        if short.names and value and all(item in (None, {}) for item in value.values()):
            return list(value)
        if short.names:
            return {name: None if item == {} else item for name, item in value.items()}
        if len(value) == 1:
            ((key, item),) = value.items()
            absolute = bool(short.paths) and isinstance(item, str) and item.startswith("/")
            if key == short.paths and absolute:
                return item
            if key == short.key and not absolute:
                listed = short.lists and isinstance(item, list)
                if listed or not isinstance(item, (Mapping, list, type(None))):
                    return item
    return value
