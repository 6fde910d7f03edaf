"""The picture in the README: the pulsar pipeline's graph as a run of it looks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipelines.draw.svg import svg
from pipelines.language.load import load
from pipelines.pictures import graph_of

ROOT = Path(__file__).resolve().parents[1]

STATES = {
    "preprocess": "4.1 s",
    "tune": "13.2 s",
    "train": "2.5 s",
    "evaluate": "5.6 s",
    "good-enough": "true",
    "register": "version 1",
    "create-model": "0.01 s",
    "score": "4.5 s",
}
"""How a run on a small machine went; a fixed one, so that the picture stays the same."""


def pictures() -> dict[str, str]:
    """Return the graph of definitions/pulsar with the states of a run.

    Raises:
        ValueError: the pipeline has steps that the states do not know, or the other way round.
    """
    graph = graph_of(load(ROOT / "definitions/pulsar/pipeline.yaml").spec)
    names = {node.name for node in graph.nodes}
    if not STATES.keys() < names:
        raise ValueError(f"scripts/picture_files.py: no step {sorted(STATES.keys() - names)}")
    nodes = tuple(replace(node, state=STATES.get(node.name, "not run")) for node in graph.nodes)
    return {"docs/pictures/pulsar.svg": svg(replace(graph, nodes=nodes)) + "\n"}
