"""Mermaid flowcharts, as GitHub and GitLab draw them."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.draw.graph import Edge, Graph, Group, Node, groups, identifiers, tidy, visible

_SHAPES = {
    "Condition": ("{", "}"),
    "Fail": ("([", "])"),
    "RegisterModel": ("[(", ")]"),
    "CreateModel": ("[(", ")]"),
    "Training": ("[[", "]]"),
    "Tuning": ("[[", "]]"),
    "Lambda": ("[/", "/]"),
    "Callback": ("[/", "/]"),
    "QualityCheck": ("{{", "}}"),
    "ClarifyCheck": ("{{", "}}"),
}
_ARROWS = {"data": "-->", "order": "-.->", "branch": "-->"}
# Everything that no quoted label, arrow text, comment or entity of Mermaid's grammar looks at.
_SAFE = frozenset(" -_.,:/=+")


def mermaid(graph: Graph) -> str:
    """Return a flowchart with every edge; branches are subgraphs.

    Args:
        graph: the graph; names may hold anything.
    """
    graph = tidy(graph)
    identify = identifiers([node.name for node in graph.nodes], "s_")
    branches = groups(graph)
    identify_branch = identifiers([_key(group) for group in branches], "b_")
    nodes = {node.name: node for node in graph.nodes}
    lines = ["---", f"title: {_yaml_string(graph.title)}", "---"] if graph.title else []
    lines.append("flowchart TD")

    def write(node: Node, indent: str) -> None:
        left, right = _SHAPES.get(node.kind, ("[", "]"))
        label = escape(node.label or node.name)
        caption = f"<br/><small>{escape(node.caption)}</small>" if node.caption else ""
        lines.append(f'{indent}{identify(node.name)}{left}"{label}{caption}"{right}')
        for group in branches:
            if group.condition == node.name:
                write_group(group, indent)

    def write_group(group: Group, indent: str) -> None:
        key = identify_branch(_key(group))
        lines.append(f'{indent}subgraph {key}["{escape(group.branch) or "branch"}"]')
        for member in group.members:
            write(nodes[member], indent + "  ")
        lines.append(f"{indent}end")

    for node in graph.nodes:
        if not node.branch_of:
            write(node, "  ")
    lines.extend(f"  {_edge(edge, identify)}" for edge in graph.edges)
    return "\n".join(lines) + "\n"


def _key(group: Group) -> str:
    return f"{group.condition} {group.branch}"


def _edge(edge: Edge, identify: Callable[[str], str]) -> str:
    arrow = _ARROWS.get(edge.kind, "-->")
    label = f'|"{escape(edge.label)}"|' if edge.label else ""
    return f"{identify(edge.source)} {arrow}{label} {identify(edge.target)}"


def escape(text: str) -> str:
    """Return ``text`` for a quoted Mermaid label: lines as breaks, the rest as entities."""
    return "<br/>".join(
        "".join(
            char if char.isalnum() or char in _SAFE else f"#{ord(char)};" for char in visible(line)
        )
        for line in text.replace("\r\n", "\n").split("\n")
    )


def _yaml_string(text: str) -> str:
    shown = visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}"'
