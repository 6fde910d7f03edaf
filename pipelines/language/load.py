"""From a definition file to a checked :class:`PipelineSpec`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from pipelines.language.checks import check_pipeline
from pipelines.language.conform import conform, judge
from pipelines.language.diagnostics import Report, nearest
from pipelines.language.environments import Setting, choose_environment
from pipelines.language.expand import Expander, rebuilt
from pipelines.language.fan_in import fan_in
from pipelines.language.fill import fill
from pipelines.language.foreign import settle
from pipelines.language.layers import read_layers
from pipelines.language.local_paths import relocate
from pipelines.language.nodes import MapNode, Node, Scalar, get, plain, with_entry, without
from pipelines.language.parameters import read_parameters
from pipelines.language.project import Project, find_project, is_from_command_line, read_file
from pipelines.language.references import Scope, resolve_text
from pipelines.language.rendering import Names, render, render_scalar
from pipelines.language.repository import git_names
from pipelines.language.resolve import Resolver
from pipelines.language.schema import TOP, definition_schema
from pipelines.language.source import read
from pipelines.language.spec import PARAMETER_EXPRESSIONS, PipelineSpec
from pipelines.language.unfold import unfold
from pipelines.language.validation import problems_of_top
from steps._contract import Environment
from steps._expressions import ExecutionRef

DEFAULT_EXPERIMENT: dict[str, Any] = {
    "ExperimentName": ExecutionRef("PipelineName"),
    "TrialName": ExecutionRef("PipelineExecutionId"),
}
"""What the SDK writes in the regions where it writes any; here the same in every region."""

AssetFinder = Callable[[Scalar, str, Any, Report], str]
"""Gives the S3 URI of a file beside a definition: scalar, path, environment, report."""


@dataclass(frozen=True)
class Loaded:
    """A definition as far as it could be read: ``spec`` is None where nothing could be made."""

    spec: PipelineSpec | None
    report: Report
    setting: Setting | None = None


def load(
    path: FilePath | str,
    *,
    environment: str | Environment = "local",
    variables: Mapping[str, str] | None = None,
    text: bytes | None = None,
    asset: AssetFinder | None = None,
    project: Project | None = None,
) -> Loaded:
    """Read and check a definition.

    Args:
        path: the definition's file; with ``text`` only its place counts.
        environment: the environment's name, or one that no file tells of.
        variables: values of ``vars`` that override the file's, as text.
        text: the definition's bytes where they do not come from the file (standard input).
        asset: gives URIs to the template function ``asset``.
        project: the project it belongs to, where that is known.

    Returns:
        The specification and the diagnostics; errors among them mean that it must not be used.

    Raises:
        UsageError: the file can't be read or the environment does not exist.
    """
    report = Report()
    file = FilePath(path).absolute()
    project = project or find_project(file.parent)
    root = read_file(file, report) if text is None else read(file, "<stdin>", text, report)
    if root is None:
        return Loaded(None, report)
    setting = (
        choose_environment(environment, project, report)
        if isinstance(environment, str)
        else Setting(environment, None, (environment.name,))
    )
    merged = read_layers(root, file, project, setting, dict(variables or {}), report)
    if merged is None:
        return Loaded(None, report, setting)
    reader = _Reader(setting, file, report, asset)
    tree = reader.rendered(merged.tree)
    defaults, given = get(merged.tree, "defaults"), get(merged.tree, "steps")
    expander = Expander(defaults, reader.names, report)
    expanded = expander.expand(given)
    fan_in(expanded, report, expander.dropped)
    steps = unfold(expanded, defaults, report, expander.dropped)
    fill(steps, report)
    if isinstance(given, MapNode):
        tree = with_entry(tree, "steps", rebuilt(given, steps))
    _check_top(tree, given, report)
    parameters = read_parameters(tree, report)
    types = {p.name: PARAMETER_EXPRESSIONS[p.type] for p in parameters}
    specs = Resolver(tree, types, report, broken=set(expander.dropped)).resolve(steps)
    spec = PipelineSpec(
        name=reader.text(tree, "pipeline"),
        path=file,
        project=project,
        environment=reader.environment(tree),
        tree=tree,
        parameters=parameters,
        steps=specs,
        description=reader.text(tree, "description"),
        display_name=reader.text(tree, "display_name"),
        parallelism=_number(get(tree, "parallelism")),
        experiment=_experiment(tree, types, report),
        mlflow=_block(tree, "mlflow") or None,
        schedules=_block(tree, "schedules"),
        tags={k: str(getattr(v, "text", v)) for k, v in _block(tree, "tags").items()},
        request=_block(tree, "pipeline_fields"),
        files=merged.files,
    )
    check_pipeline(spec, report)
    return Loaded(relocate(spec), report, setting)


class _Reader:
    """Renders the top level of a definition."""

    def __init__(
        self, setting: Setting, file: FilePath, report: Report, asset: AssetFinder | None
    ) -> None:
        self.report = report
        where = setting.environment

        def find(at: Scalar, path: str) -> str:
            return asset(at, path, where, report) if asset is not None else f"s3://asset/{path}"

        self.setting = setting
        keys = ("account", "region", "bucket", "prefix", "role")
        values: dict[str, Any] = {"env": where.name, **{k: getattr(where, k) for k in keys}}
        self.names = Names(values, find, {"git": lambda: git_names(file.parent)})

    def rendered(self, tree: MapNode) -> MapNode:
        """Return the tree with templates evaluated, steps and defaults excepted."""
        given = get(tree, "vars")
        variables: dict[str, Any] = {}
        for name, entry in given.entries.items() if isinstance(given, MapNode) else ():
            # A variable may use those before it.
            self.names = self.names.with_values(vars=dict(variables))
            outside = is_from_command_line(entry.value.source)
            value = entry.value if outside else render(entry.value, self.names, self.report)
            marked = plain(value)
            variables[name] = settle(marked)
            if outside or marked != variables[name]:
                self.names = replace(self.names, foreign=self.names.foreign | {name})
        self.names = self.names.with_values(vars=variables)
        pipeline = get(tree, "pipeline")
        if isinstance(pipeline, Scalar):
            own = render_scalar(pipeline, self.names, self.report)
            self.names = self.names.with_values(pipeline=str(own.value))
        rest = without(tree, "steps", "defaults", "vars")
        made = render(rest, self.names, self.report)
        assert isinstance(made, MapNode)
        kept = {n: e for n, e in tree.entries.items() if n in ("steps", "defaults", "vars")}
        return replace(made, entries={**made.entries, **kept})

    def text(self, tree: MapNode, name: str) -> str:
        node = get(tree, name)
        if not isinstance(node, Scalar) or node.value is None:
            return ""
        return str(settle(node.text if not isinstance(node.value, str) else node.value))

    def environment(self, tree: MapNode) -> Any:
        where = self.setting.environment
        role = self.text(tree, "role") or where.role
        if not role and not where.local:
            node = get(tree, "pipeline") or tree
            self.report.at(
                node,
                "missing-role",
                f"the environment `{where.name}` has no role",
                "write `role:` into environments.yaml or into this definition",
            )
        return replace(where, role=role)


def _check_top(tree: MapNode, steps: Node | None, report: Report) -> None:
    schema = definition_schema()
    data = conform(
        plain(tree),
        {**schema, "properties": {k: v for k, v in schema["properties"].items() if k != "steps"}},
    )
    for problem in problems_of_top(data):
        report.problem(tree, problem)
    rest = {k: v for k, v in data.items() if k not in ("steps", "defaults", "experiment")}
    for problem in judge(rest, schema):
        report.problem(tree, problem)
    for name, hint in (
        ("pipeline", "the SageMaker pipeline's name"),
        ("steps", "its steps by name"),
    ):
        misspelt = nearest(name, [key for key in tree.entries if key not in TOP])
        if get(tree, name) is None and not misspelt and not report.blames((name,)):
            report.add("missing-key", tree.source, tree.span, f"missing key `{name}`", hint)
    if isinstance(steps, MapNode) and not steps.entries:
        report.at(steps, "empty", "the pipeline has no steps", "add one below `steps`")


def _block(tree: MapNode, name: str) -> dict[str, Any]:
    node = get(tree, name)
    data = settle(plain(node)) if node is not None else {}
    return data if isinstance(data, dict) else {}


def _number(node: Node | None) -> int | None:
    value = node.value if isinstance(node, Scalar) else None
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _experiment(tree: MapNode, types: Mapping[str, Any], report: Report) -> dict[str, Any] | None:
    """Return the PipelineExperimentConfig; None where the definition says false."""
    node = get(tree, "experiment")
    if isinstance(node, Scalar) and node.value is False:
        return None
    made = dict(DEFAULT_EXPERIMENT)
    scope = Scope(types, {})
    for key, member in (("name", "ExperimentName"), ("trial", "TrialName")):
        given = get(node, key)
        if not isinstance(given, Scalar) or given.value is None:
            continue
        found = resolve_text(str(given.text), scope)
        if isinstance(found, list):
            for wrong in found:
                report.at(given, wrong.code, wrong.message, wrong.hint)
        else:
            made[member] = found
    return made
