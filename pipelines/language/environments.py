"""Environments: what ``environments.yaml`` says about the one that a definition is compiled for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.errors import UsageError
from pipelines.language.diagnostics import Report, suggest
from pipelines.language.nodes import MapNode, Node, Scalar, Span, get, plain
from pipelines.language.project import Project, command_line_source, read_file, shown
from pipelines.language.rendering import Names, render_scalar
from pipelines.language.schema import ENVIRONMENT
from pipelines.language.source import read, resolve_plain
from pipelines.language.validation import problems_of_environments
from steps._contract import Environment

LOCAL = Environment(
    name="local",
    account="000000000000",
    region="us-east-1",
    role="arn:aws:iam::000000000000:role/sagedag-local",
    bucket="sagedag-local",
    local=True,
)
"""The environment that always exists: harmless stand-ins for everything of AWS."""

_PLAIN = ("account", "region", "bucket", "prefix", "role", "profile", "endpoint_url")


@dataclass(frozen=True)
class Setting:
    """The chosen environment with what it gives to every definition.

    Args:
        environment: the environment.
        layer: its ``vars``, ``tags`` and ``defaults`` as the lowest layer of the definition.
        names: all environments' names.
        endpoint_url: another endpoint for AWS's APIs; empty for AWS's own.
    """

    environment: Environment
    layer: MapNode | None
    names: tuple[str, ...]
    endpoint_url: str = ""


def choose_environment(name: str, project: Project, report: Report) -> Setting:
    """Return the environment called ``name`` of a project.

    Raises:
        UsageError: there is no such environment.
    """
    if project.environments is None:
        return _without_file(name, project)
    root = _read(project.environments, project.text, report)
    if root is None:
        report.stop_if_failed()
        return Setting(LOCAL, None, ("local",))
    data = plain(root)
    for problem in problems_of_environments(_settled(data)):
        report.problem(root, problem)
    report.stop_if_failed()
    block = get(root, "environments")
    names = tuple(dict.fromkeys(["local", *(data.get("environments") or {})]))
    if name not in names:
        raise UsageError(
            f"{shown(project.environments)} has no environment `{name}`", suggest(name, names)
        )
    node = get(block, name)
    if not isinstance(node, MapNode):
        return Setting(LOCAL, None, names) if name == "local" else _bare(name, names)
    assert isinstance(block, MapNode)
    return _setting(block.entries[name].key, node, names, report)


def _read(file: Path, text: bytes | None, report: Report) -> Node | None:
    if text is None:
        return read_file(file, report)
    return read(file.absolute(), shown(file), text, report)


def _without_file(name: str, project: Project) -> Setting:
    if name != "local":
        raise UsageError(
            f"there is no environment `{name}`: no environments.yaml was found in or above "
            f"{shown(project.root)}",
            "write one beside the definitions, or leave --env out to use `local`",
        )
    return Setting(LOCAL, None, ("local",))


def _bare(name: str, names: tuple[str, ...]) -> Setting:
    return Setting(Environment(name, "", "", "", ""), None, names)


def _settled(data: Any) -> Any:
    """Return the data as far as it can be judged before an environment is chosen.

    Numbers in text fields are as they were written (an account's digits), and templates are left
    out: what they give is judged once it is known.
    """
    blocks = data.get("environments") if isinstance(data, dict) else None
    if not isinstance(blocks, dict):
        return data
    fixed = {
        name: {
            key: getattr(value, "text", value)
            if ENVIRONMENT.get(key, {}).get("type") == "string"
            else value
            for key, value in block.items()
            if not (isinstance(value, str) and "{{" in value and key in _PLAIN)
        }
        if isinstance(block, dict)
        else block
        for name, block in blocks.items()
    }
    return {**data, "environments": fixed}


def _setting(title: Scalar, node: MapNode, names: tuple[str, ...], report: Report) -> Setting:
    """Return an environment; later values may use earlier ones in templates."""
    name = title.text
    start = LOCAL if name == "local" else Environment(name, "", "", "", "")
    values: dict[str, Any] = {key: getattr(start, key, "") for key in _PLAIN}
    for key in _PLAIN:
        scalar = get(node, key)
        if not isinstance(scalar, Scalar) or scalar.value is None:
            continue
        known = Names({"env": name, **values}, lambda _, path: path)
        rendered = render_scalar(scalar, known, report)
        values[key] = rendered.text
        if rendered is not scalar:
            for problem in problems_of_environments({"environments": {name: {key: rendered.text}}}):
                report.add(problem.code, scalar.source, scalar.span, problem.message, problem.hint)
    endpoint = values.pop("endpoint_url")
    if endpoint:
        _check_loopback(endpoint, node, report)
    made = replace(start, **values)
    _check_complete(made, title, report)
    report.stop_if_failed()
    inner = {k: e for k, e in node.entries.items() if k in ("vars", "tags", "defaults")}
    return Setting(made, replace(node, entries=inner), names, endpoint)


def _check_loopback(endpoint: str, node: MapNode, report: Report) -> None:
    from urllib.parse import urlsplit

    host = urlsplit(endpoint).hostname or ""
    at = get(node, "endpoint_url")
    if host not in ("localhost", "127.0.0.1", "::1") and at is not None:
        report.at(
            at,
            "endpoint-not-loopback",
            f"`{host}` is no loopback address",
            "a committed file may name loopback endpoints only; set AWS_ENDPOINT_URL in your "
            "own shell for others",
        )


def _check_complete(made: Environment, node: Node, report: Report) -> None:
    """A cloud environment needs a region and a bucket: without them nothing can be named."""
    if made.local:
        return
    missing = [key for key in ("region", "bucket") if not getattr(made, key)]
    for key in missing:
        report.at(
            node,
            "missing-key",
            f"the environment `{made.name}` has no `{key}`",
            "code and outputs go to its bucket"
            if key == "bucket"
            else "images and ARNs depend on it",
        )


def variable(name: str, text: str) -> Node:
    """Return the tree of a value given with ``--var``; it is read as a YAML scalar."""
    value = resolve_plain(text)
    source = command_line_source(f"--var {name}={text}")
    return Scalar(value, text, source, Span(1, 1, len(source.text) + 1), quoted=True)
