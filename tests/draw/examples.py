"""Graphs that the drawing tests share."""

from __future__ import annotations

import random

from pipelines.draw import Edge, Graph, Node


def pulsar() -> Graph:
    gate = {"branch_of": "good-enough", "branch": "then"}
    return Graph(
        "pulsar",
        (
            Node("preprocess", "Processing"),
            Node("train", "Training"),
            Node("evaluate", "Processing"),
            Node("good-enough", "Condition"),
            Node("register", "RegisterModel", **gate),
            Node("create-model", "CreateModel", **gate),
            Node("reject", "Fail", branch_of="good-enough", branch="else"),
        ),
        (
            Edge("preprocess", "train", "outputs.train"),
            Edge("preprocess", "evaluate", "outputs.test"),
            Edge("train", "evaluate", "model"),
            Edge("evaluate", "good-enough", "files.metrics"),
            Edge("train", "register", "model"),
            Edge("train", "create-model", "model"),
            Edge("good-enough", "register", "then", "branch"),
            Edge("good-enough", "create-model", "then", "branch"),
            Edge("good-enough", "reject", "else", "branch"),
        ),
    )


def chain() -> Graph:
    nodes = (Node("extract", "Processing"), Node("train", "Training"), Node("notify", "Lambda"))
    return Graph("nightly", nodes, (Edge("extract", "train"), Edge("train", "notify", "", "order")))


def diamond() -> Graph:
    """Steps in parallel, a nested Condition, and a branch that needs a step from outside."""
    return Graph(
        "diamond & co",
        (
            Node("clean", "Processing"),
            Node("train-4", "Training"),
            Node("train-8", "Training"),
            Node("train-16", "Training"),
            Node("lookup", "Lambda"),
            Node("choose", "Processing"),
            Node("gate", "Condition"),
            Node("explain", "ClarifyCheck", branch_of="gate", branch="then"),
            Node("fair", "Condition", branch_of="gate", branch="then"),
            Node("register", "RegisterModel", branch_of="fair", branch="then"),
            Node("unfair", "Fail", branch_of="fair", branch="else"),
            Node("tell", "Callback", branch_of="gate", branch="else"),
        ),
        (
            Edge("clean", "train-4"),
            Edge("clean", "train-8"),
            Edge("clean", "train-16"),
            Edge("train-4", "choose"),
            Edge("train-8", "choose"),
            Edge("train-16", "choose"),
            Edge("clean", "choose"),
            Edge("choose", "gate"),
            Edge("explain", "fair"),
            Edge("lookup", "register"),
            Edge("choose", "tell", "", "order"),
        ),
    )


def tangle(count: int, seed: int = 3, reach: int = 9) -> Graph:
    """A graph of any size in which each step needs one to three of those shortly before it."""
    chance = random.Random(seed)
    kinds = ("Processing", "Training", "Transform", "Lambda", "QualityCheck")
    nodes = [Node(f"step-{n:03d}", chance.choice(kinds)) for n in range(count)]
    edges = [
        Edge(nodes[chance.randrange(max(0, n - reach), n)].name, nodes[n].name)
        for n in range(1, count)
        for _ in range(chance.choice((1, 1, 2, 3)))
    ]
    return Graph(f"tangle of {count}", tuple(nodes), tuple(edges))


EXAMPLES = {"chain": chain(), "pulsar": pulsar(), "diamond": diamond(), "tangle": tangle(40)}
