from __future__ import annotations

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest
from examples import EXAMPLES, diamond, pulsar, tangle
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.draw import Edge, Graph, Node, dot, mermaid, reduce_edges, svg, text
from pipelines.draw.canvas import columns
from pipelines.draw.graph import tidy

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    'quote"',
    "back\\slash",
    "new\nline",
    "]] --> x[[",
    "<script>alert(1)</script>",
    "end",
    "",
    " ",
    "a-b",
    "a_b",
    "%% no comment",
    "&quot; #34; \\N",
    "\x00\x1b[31m",
    "héllo 世界 🚀",
    "\ud800",
    "\u202ertl",
    "x" * 300,
    "`md` **b**",
    "--\x00then",
]
NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12), st.sampled_from("abcdef"))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    names = draw(st.lists(NAMES, min_size=1, max_size=9))
    kinds = st.sampled_from(["Processing", "Condition", "Fail", "Odd\nkind", ""])
    branches = st.sampled_from(["then", "else", "", 'o"dd'])
    pick = st.sampled_from(names)
    label, state = st.sampled_from(["", "label"]), st.sampled_from(["", "Failed"])
    above = st.one_of(st.just(""), pick, NAMES)
    nodes = tuple(
        Node(name, draw(kinds), draw(label), draw(above), draw(branches), draw(state))
        for name in names
    )
    edge = st.builds(
        Edge,
        st.one_of(pick, NAMES),
        pick,
        st.sampled_from(["", "la|bel", 'a"b']),
        st.sampled_from(["data", "order", "branch", "odd"]),
    )
    return Graph(draw(NAMES), nodes, tuple(draw(st.lists(edge, max_size=16))))


MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
ALL_HOSTILE = Graph(
    "all",
    tuple(Node(name, "Processing") for name in HOSTILE),
    tuple(Edge(one, other) for one, other in pairwise(HOSTILE)),
)


@MANY
@given(graphs())
@example(ALL_HOSTILE)
def test_an_svg_is_well_formed_and_shows_every_step(graph: Graph) -> None:
    drawn = svg(graph)
    root = ET.fromstring(drawn.encode("utf-8"))
    shown = [one for one in root.iter(f"{SVG}text") if one.get("class") == "name"]
    assert len(shown) == len({node.name for node in graph.nodes})
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {
        "svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "g",
    }  # fmt: skip
    numbers = re.findall(r'(?:d|x|y|width|height|viewBox|transform)="([^"]*)"', drawn)
    assert not [one for one in numbers if re.search("nan|inf|e[+-]", one)]


LABEL = r'"(?:[^"#;&<>\[\](){}|%`\\]|#\d+;|<br/>|<small>|</small>)*"'
OPEN, CLOSE = r"(?:\[\[|\[\(|\(\[|\[/|\[|\{\{|\{)", r"(?:\]\]|\)\]|\]\)|/\]|\]|\}\}|\})"
MERMAID = re.compile(
    rf"flowchart TD|\s+s_\w+{OPEN}{LABEL}{CLOSE}|\s+subgraph b_\w+\[{LABEL}\]|\s+end"
    rf"|  s_\w+ (?:-->|-\.->)(?:\|{LABEL}\|)? s_\w+",
    re.ASCII,
)


@MANY
@given(graphs())
@example(ALL_HOSTILE)
def test_mermaid_names_escape_nothing_and_every_edge_is_there(graph: Graph) -> None:
    drawn = mermaid(graph)
    drawn.encode("utf-8")
    body = drawn.split("---\n")[-1] if graph.title else drawn
    lines = body.removesuffix("\n").split("\n")
    for line in lines:
        assert MERMAID.fullmatch(line), line
    declared = re.findall(rf"^\s+(s_\w+){OPEN}", body, re.MULTILINE | re.ASCII)
    assert len(declared) == len(set(declared)) == len({node.name for node in graph.nodes})
    used = {word for line in lines if ">" in line and " s_" in line
            for word in re.findall(r"(?<= )s_\w+(?= |$)", line)}  # fmt: skip
    assert used <= set(declared)
    arrows = [line for line in lines if re.match(r"  s_\w+ (?:-->|-\.->)", line)]
    assert len(arrows) == len(tidy(graph).edges)
    assert body.count("subgraph ") == sum(line.strip() == "end" for line in lines)


@MANY
@given(graphs())
@example(ALL_HOSTILE)
def test_dot_is_balanced(graph: Graph) -> None:
    drawn = dot(graph)
    drawn.encode("utf-8")
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", drawn)
    assert '"' not in bare
    assert bare.count("{") == bare.count("}")
    assert bare.count("->") == len(tidy(graph).edges)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs())
@example(ALL_HOSTILE)
def test_graphviz_accepts_dot(graph: Graph) -> None:
    result = subprocess.run(
        ["dot", "-Tplain"], input=dot(graph).encode(), capture_output=True, timeout=30
    )
    assert result.returncode == 0, result.stderr
    assert b"syntax" not in result.stderr
    nodes = [line for line in result.stdout.splitlines() if line.startswith(b"node ")]
    assert len(nodes) >= len({node.name for node in graph.nodes})


@MANY
@given(graphs(), st.booleans())
@example(ALL_HOSTILE, True)
def test_text_holds_no_control_characters(graph: Graph, reduced: bool) -> None:
    drawn = text(graph, reduced=reduced)
    assert all(char.isprintable() or char == "\n" for char in drawn)
    assert all(line == line.rstrip() for line in drawn.split("\n"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_ordinary_graphs_fit_eighty_columns(name: str) -> None:
    drawn = text(EXAMPLES[name])
    assert max(columns(line) for line in drawn.splitlines()) <= 80
    for node in EXAMPLES[name].nodes:
        assert node.name in drawn


def test_wide_characters_keep_boxes_straight() -> None:
    nodes = (Node("世界", "Processing"), Node("学習モデル", "Training"))
    lines = text(Graph("", nodes, (Edge("世界", "学習モデル"),))).splitlines()
    for top in (line for line in lines if "┌" in line):
        start = lines.index(top)
        assert {columns(line) for line in lines[start : start + 4]} == {columns(top)}


def test_reduction_keeps_what_follows_and_nothing_else() -> None:
    reduced = {(edge.source, edge.target) for edge in reduce_edges(pulsar()).edges}
    assert reduced == {
        ("preprocess", "train"),
        ("train", "evaluate"),
        ("evaluate", "good-enough"),
        ("good-enough", "register"),
        ("good-enough", "create-model"),
        ("good-enough", "reject"),
    }
    assert "preprocess → evaluate" not in svg(pulsar())
    assert "preprocess → evaluate" in svg(pulsar(), reduced=False)
    assert '"preprocess" -> "evaluate"' in dot(pulsar())
    assert 's_preprocess -->|"outputs.test"| s_evaluate' in mermaid(pulsar())


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 14), st.integers(0, 10_000), st.integers(1, 12))
def test_reduction_keeps_reachability_and_is_least(count: int, seed: int, reach: int) -> None:
    graph = tidy(tangle(count, seed, reach))
    reduced = reduce_edges(graph)
    assert _reachable(reduced) == _reachable(graph)
    for number in range(len(reduced.edges)):
        fewer = reduced.edges[:number] + reduced.edges[number + 1 :]
        assert _reachable(Graph("", graph.nodes, fewer)) != _reachable(graph)


def _reachable(graph: Graph) -> set[tuple[str, str]]:
    found = {(edge.source, edge.target) for edge in graph.edges}
    while True:
        more = {(a, d) for a, b in found for c, d in found if b == c} | found
        if more == found:
            return found
        found = more


def test_a_step_that_a_branch_needs_from_outside_is_named_in_it() -> None:
    assert "needs lookup" in text(diamond())
    assert "needs lookup" in svg(diamond())
    assert "needs gate" not in text(diamond())


def test_a_circle_is_drawn_and_ends() -> None:
    nodes = tuple(Node(name, "Processing") for name in "abc")
    graph = Graph("", nodes, (Edge("a", "b"), Edge("b", "c"), Edge("c", "a")))
    assert mermaid(graph).count("-->") == 3
    for rendering in (text, svg, dot):
        assert all(name in rendering(graph) for name in "abc")


def test_branches_nested_beyond_reason_are_drawn() -> None:
    nodes = [Node("c0", "Condition")]
    nodes += [
        Node(f"c{n}", "Condition", branch_of=f"c{n - 1}", branch="then") for n in range(1, 500)
    ]
    graph = Graph("", tuple(nodes), ())
    for rendering in (text, svg, dot, mermaid):
        assert "c499" in rendering(graph)


def test_states_are_shown() -> None:
    graph = Graph("", (Node("a", "Training", state="Failed"),), ())
    for rendering in (text, svg, dot, mermaid):
        assert "Failed" in rendering(graph)


def test_an_identifier_depends_on_its_own_name() -> None:
    few = mermaid(Graph("", (Node("b c", "P"),), ()))
    many = mermaid(Graph("", (Node("a", "P"), Node("b c", "P")), ()))
    assert few.splitlines()[1] in many.splitlines()
    assert "s_b_c[" in few


@pytest.mark.parametrize("reach", [1, 9, 499])
@pytest.mark.parametrize("rendering", [text, svg, dot, mermaid])
def test_five_hundred_steps_are_drawn(rendering: object, reach: int) -> None:
    assert callable(rendering)
    drawn = rendering(tangle(500, 1, reach))
    assert drawn.count("step-") >= 500


def test_a_wide_graph_becomes_a_tree_with_notes() -> None:
    middle = [f"b{n}" for n in range(30)]
    nodes = tuple(Node(name, "P") for name in ["a", *middle, "z"])
    edges = tuple(edge for name in middle for edge in (Edge("a", name), Edge(name, "z")))
    lines = text(Graph("", nodes, edges)).splitlines()
    assert lines[:2] == ["a  P", "├─ b0  P"]
    assert lines[-1].startswith("└─ z  P  ← b0, b1")
    assert max(map(columns, lines)) <= 80


def test_an_empty_graph() -> None:
    empty = Graph("nothing", (), ())
    assert text(empty) == "(no steps)\n"
    ET.fromstring(svg(empty))
    assert "flowchart TD" in mermaid(empty)
    assert "digraph" in dot(empty)


def test_drawing_loads_the_standard_library_only() -> None:
    code = (
        "import sys; before = set(sys.modules); import pipelines.draw\n"
        "roots = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(roots - sys.stdlib_module_names - {'pipelines'}))"
    )
    root = Path(__file__).resolve().parents[2]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
