"""Who may know whom, where import-linter's contracts cannot say it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from steps import KINDS

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for package in ("pipelines", "steps") for path in (ROOT / package).rglob("*.py")
)
KIND_FILES = sorted(
    {Path(ROOT, *type(kind).__module__.split(".")).with_suffix(".py") for kind in KINDS}
)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, anywhere in it."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def literals(path: Path) -> Iterator[str]:
    """Yield a file's texts, docstrings left out; those of f-strings in their parts."""
    tree = parsed(path)
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value


def test_only_one_room_names_the_sdk() -> None:
    """Each of the SDK's majors has one module that knows where its names are."""
    naming = {
        str(path.relative_to(ROOT))
        for path in MODULES
        if any(name.split(".")[0] == "sagemaker" for name in imported(path))
        or any(re.match(r"sagemaker\.(core|mlops|workflow|$)", text) for text in literals(path))
    }
    assert naming == {"steps/_sdk/v2.py", "steps/_sdk/v3.py"}


@pytest.mark.parametrize("path", KIND_FILES, ids=lambda path: path.stem)
def test_kinds_do_not_know_each_other(path: Path) -> None:
    others = {f"steps.{kind.stem}" for kind in KIND_FILES} - {f"steps.{path.stem}"}
    known = set(imported(path))
    assert not known & others
    assert not [name for name in known if name.startswith("steps._sdk")]
    assert not [name for name in known if name.split(".")[0] in ("pipelines", "boto3", "botocore")]


def test_every_public_file_in_steps_is_a_kind() -> None:
    public = {path for path in (ROOT / "steps").glob("*.py") if not path.name.startswith("_")}
    assert public == set(KIND_FILES)


def test_annotations_stay_text() -> None:
    """Without this line, Python 3.10 evaluates annotations that only later versions know."""
    annotated = (ast.FunctionDef, ast.AnnAssign)
    without = [path for path in MODULES if "__future__.annotations" not in set(imported(path))]
    assert [p for p in without if any(isinstance(n, annotated) for n in ast.walk(parsed(p)))] == []


def test_modules_of_tests_have_names_of_their_own() -> None:
    # Pytest puts every folder that holds tests on the path: of two modules of one name, one hides.
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    modules = [path.name for folder in folders for path in folder.glob("*.py")]
    twice = [name for name, count in Counter(modules).items() if count > 1]
    assert set(twice) <= {"conftest.py"}
