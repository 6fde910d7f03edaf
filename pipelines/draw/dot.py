"""Graphviz."""

from __future__ import annotations

from pipelines.draw.graph import Graph, Group, Node, groups, identifiers, tidy, visible

_SHAPES = {
    "Condition": "diamond",
    "Fail": "octagon",
    "RegisterModel": "cylinder",
    "CreateModel": "cylinder",
    "Training": "box3d",
    "Tuning": "box3d",
}
_STYLES = {"data": "solid", "order": "dashed", "branch": "bold"}


def dot(graph: Graph) -> str:
    """Return a digraph with every edge; branches are clusters.

    Args:
        graph: the graph; names may hold anything.
    """
    graph = tidy(graph)
    branches = groups(graph)
    plain = identifiers([node.name for node in graph.nodes], "n_")

    def identify(name: str) -> str:
        # A name of printable characters is its own identifier; others could look the same quoted.
        is_plain = name.isprintable() and not set(name) & set('\\&"\ufffd')
        return quote(name if is_plain else plain(name))

    nodes = {node.name: node for node in graph.nodes}
    lines = [
        f"digraph {quote(graph.title or 'pipeline')} {{",
        "  rankdir=TB;",
        '  graph [fontname="Helvetica,Arial,sans-serif", fontsize=11];',
        '  node [shape=box, style=rounded, fontname="Helvetica,Arial,sans-serif", fontsize=11];',
        '  edge [fontname="Helvetica,Arial,sans-serif", fontsize=9];',
    ]

    def write(node: Node, indent: str) -> None:
        lines_of = [visible(node.label or node.name), visible(node.caption)]
        label = quote("\n".join(line for line in lines_of if line))
        shape = _SHAPES.get(node.kind)
        look = f", shape={shape}, style=solid" if shape else ""
        lines.append(f"{indent}{identify(node.name)} [label={label}{look}];")
        for number, group in enumerate(branches):
            if group.condition == node.name:
                write_group(number, group, indent)

    def write_group(number: int, group: Group, indent: str) -> None:
        lines.append(f"{indent}subgraph cluster_{number} {{")
        lines.append(f"{indent}  label={quote(visible(group.branch))}; style=dashed;")
        for member in group.members:
            write(nodes[member], indent + "  ")
        lines.append(f"{indent}}}")

    for node in graph.nodes:
        if not node.branch_of:
            write(node, "  ")
    for edge in graph.edges:
        label = f", label={quote(visible(edge.label))}" if edge.label else ""
        style = _STYLES.get(edge.kind, "solid")
        lines.append(
            f"  {identify(edge.source)} -> {identify(edge.target)} [style={style}{label}];"
        )
    return "\n".join([*lines, "}"]) + "\n"


def quote(text: str) -> str:
    r"""Return ``text`` as a DOT string that Graphviz shows as it is.

    A backslash begins an escape in labels (``\N`` is the node's name) and ``&`` an HTML entity, so
    both are written as what cannot be read that way.
    """
    shown = "".join(char if char.isprintable() or char == "\n" else visible(char) for char in text)
    shown = shown.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return '"' + shown.replace("\n", "\\n") + '"'
