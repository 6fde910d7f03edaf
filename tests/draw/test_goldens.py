"""Pictures compared byte for byte with tests/draw/golden.

A picture that is meant to change is written anew with ``SAGEDAG_REGENERATE=1 pytest tests/draw``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from examples import EXAMPLES

from pipelines.draw import Graph, dot, mermaid, svg, text

GOLDEN = Path(__file__).parent / "golden"
RENDERINGS: dict[str, Callable[[Graph], str]] = {
    "mmd": mermaid,
    "dot": dot,
    "txt": text,
    "svg": svg,
}


@pytest.mark.parametrize("suffix", RENDERINGS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_picture_is_the_golden_one(name: str, suffix: str) -> None:
    drawn = RENDERINGS[suffix](EXAMPLES[name])
    path = GOLDEN / f"{name}.{suffix}"
    if os.environ.get("SAGEDAG_REGENERATE") == "1":
        path.write_text(drawn, encoding="utf-8")
    assert path.exists(), f"no golden picture {path.name}; see this file's docstring"
    assert drawn == path.read_text(encoding="utf-8")


def test_no_golden_is_left_over() -> None:
    expected = {f"{name}.{suffix}" for name in EXAMPLES for suffix in RENDERINGS}
    assert {path.name for path in GOLDEN.iterdir()} == expected
