"""The diagnostic codes that the source uses, read from its syntax trees.

Every place that names a code is one of a few calls; the argument that is the code is followed
through conditional expressions, tables and local names to the texts it can be. What can't be
followed is an error, so that no code escapes the catalogue.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

POSITIONS = {
    "Problem": 0,
    "add": 0,
    "at": 1,
    "refuse": 1,
    "Wrong": 4,
    "_Refused": 4,
    "Diagnostic": 0,
}
"""Where each call takes the code."""

PLACE_REPORT = "template.py"
"""In this module `report("code", …)` takes a code first; elsewhere `report` takes a problem."""


def used_codes() -> dict[str, set[str]]:
    """Return every code with the files that use it.

    Raises:
        AssertionError: a code is named in a way that can't be followed.
    """
    found: dict[str, set[str]] = {}
    for folder in ("pipelines/language", "pipelines/compiler.py", "pipelines/service", "steps"):
        start = ROOT / folder
        for path in [start] if start.is_file() else sorted(start.rglob("*.py")):
            if "codes" in path.relative_to(ROOT).parts:
                continue
            for code in codes_of(path.read_text(encoding="utf-8"), path.name):
                found.setdefault(code, set()).add(path.relative_to(ROOT).as_posix())
    return found


def codes_of(source: str, name: str) -> set[str]:
    """Return the codes that one module uses."""
    tree = ast.parse(source)
    found: set[str] = set()
    for scope in [tree, *(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))]:
        if isinstance(scope, ast.FunctionDef):
            found.update(_default_code(scope))
        for node in _own_nodes(scope):
            if isinstance(node, ast.Call):
                argument = _code_argument(node, name)
                if argument is not None:
                    where = f"{name}:{node.lineno}"
                    found.update(_texts(argument, scope, tree, where))
            if isinstance(node, ast.ClassDef) and node.name == "Wrong":
                found.update(_field_default(node))
    return found


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a scope without those of functions inside it."""
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef):
            continue
        yield node
        pending.extend(ast.iter_child_nodes(node))


def _code_argument(call: ast.Call, name: str) -> ast.expr | None:
    function = call.func
    called = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    if called == "report" and name == PLACE_REPORT:
        position = 0
    elif called in POSITIONS:
        position = POSITIONS[called]
    else:
        return None
    for keyword in call.keywords:
        if keyword.arg == "code":
            return keyword.value
    if called == "add" and len(call.args) < 4:
        return None  # a set's `add`
    return call.args[position] if len(call.args) > position else None


def _texts(node: ast.expr, scope: ast.AST, tree: ast.Module, where: str) -> set[str]:
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, str), where
        return {node.value}
    if isinstance(node, ast.IfExp):
        return _texts(node.body, scope, tree, where) | _texts(node.orelse, scope, tree, where)
    if isinstance(node, ast.Dict):
        return set().union(*(_texts(value, scope, tree, where) for value in node.values))
    if isinstance(node, ast.Subscript):
        return _texts(node.value, scope, tree, where)
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get":
        assert isinstance(node.func, ast.Attribute)
        tables = _texts(node.func.value, scope, tree, where)
        return tables.union(*(_texts(other, scope, tree, where) for other in node.args[1:]))
    if isinstance(node, ast.Attribute) and node.attr == "code":
        return set()  # passed on from another diagnostic
    if isinstance(node, ast.Name):
        if isinstance(scope, ast.FunctionDef) and node.id in _parameters(scope):
            return set()  # passed on by a caller, which is looked at itself
        values = _assigned(node.id, scope) or _assigned(node.id, tree)
        if not values:
            home = _imported_from(node.id, tree)
            assert home is not None, f"{where}: `{node.id}` can't be followed"
            return _texts(node, home, home, where)
        return set().union(*(_texts(value, scope, tree, where) for value in values))
    raise AssertionError(f"{where}: the code can't be followed: {ast.unparse(node)}")


def _imported_from(name: str, tree: ast.Module) -> ast.Module | None:
    """Return the module of the project that a name is imported from."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and any(each.name == name for each in node.names):
            path = ROOT / f"{(node.module or '').replace('.', '/')}.py"
            return ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else None
    return None


def _assigned(name: str, scope: ast.AST) -> list[ast.expr]:
    return [
        node.value
        for node in _own_nodes(scope)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]


def _parameters(function: ast.FunctionDef) -> set[str]:
    given = function.args
    return {each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)}


def _default_code(function: ast.FunctionDef) -> set[str]:
    """Return the default of a parameter `code`."""
    given = function.args
    named = [*given.posonlyargs, *given.args]
    pairs = zip(named[len(named) - len(given.defaults) :], given.defaults, strict=True)
    return {
        value.value
        for parameter, value in pairs
        if parameter.arg == "code"
        and isinstance(value, ast.Constant)
        and isinstance(value.value, str)
    }


def _field_default(node: ast.ClassDef) -> set[str]:
    """Return the default of a data class's field `code`."""
    return {
        line.value.value
        for line in node.body
        if isinstance(line, ast.AnnAssign)
        and isinstance(line.target, ast.Name)
        and line.target.id == "code"
        and isinstance(line.value, ast.Constant)
        and isinstance(line.value.value, str)
    }
