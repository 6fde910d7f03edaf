"""Every rule has a page whose example it finds, and cases on disk.

`tests/cases/lint/CODE/finds.yaml` gives findings, which stand in `finds.out`; `passes.yaml` beside
it gives none. `SAGEDAG_REGEN=1` writes the outputs anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.language.codes import CATALOGUE
from pipelines.language.diagnostics import Diagnostic, render
from pipelines.language.pages import DEFINITION, Example
from pipelines.lint import Rule, Target, lint
from pipelines.lint.rules import GROUPS, RULES

CASES = Path(__file__).parents[1] / "cases" / "lint"
OK = CASES.parent / "ok"
ROOT = Path(__file__).parents[2]
REGEN = os.environ.get("SAGEDAG_REGEN") == "1"

OFFLINE = [rule for rule in RULES if not rule.online]
"""The others are asked of AWS: tests/cloud/test_lint_online.py."""

rules = pytest.mark.parametrize("rule", OFFLINE, ids=lambda rule: rule.code)


def found(path: Path, rule: Rule, environment: str | None = None) -> list[Diagnostic]:
    select = [rule.code]
    if rule.code in ("unused-ignore", "unexplained-ignore"):
        select.append("missing-tags")
    result = lint(Target(path), environment=environment, select=select)
    assert result.errors == []
    return [d for d in result.findings if d.code == rule.code]


@rules
def test_the_cases_on_disk(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES)
    golden = CASES / rule.code / "finds.out"
    diagnostics = found(Path(rule.code, "finds.yaml"), rule)
    assert diagnostics, "nothing is found"
    text = render(diagnostics, "text") + "\n"
    if REGEN:
        golden.write_text(text, encoding="utf-8")
    assert golden.exists(), f"{golden} is missing: look at the output and run SAGEDAG_REGEN=1"
    assert text == golden.read_text(encoding="utf-8")
    assert found(Path(rule.code, "passes.yaml"), rule) == []


def test_every_rule_has_its_cases_and_every_case_its_rule() -> None:
    files = {p.relative_to(CASES).as_posix() for p in CASES.glob("*/*.*")}
    names = ("finds.yaml", "finds.out", "passes.yaml")
    assert {f"{rule.code}/{name}" for rule in OFFLINE for name in names} <= files
    assert {p.name for p in CASES.iterdir() if p.is_dir()} == {rule.code for rule in OFFLINE} | {
        "code"
    }


def write(folder: Path, example: Example) -> Path:
    for name, text in example.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / DEFINITION


@rules
def test_the_page_s_example_is_found_and_the_mended_one_is_not(rule: Rule, tmp_path: Path) -> None:
    broken, fixed = rule.page.broken, rule.page.fixed
    first = found(write(tmp_path / "broken", broken), rule, broken.environment)
    assert [(d.code, d.level) for d in first] == [(rule.code, rule.page.level)]
    assert found(write(tmp_path / "fixed", fixed), rule, fixed.environment) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_reads_like_the_others(rule: Rule) -> None:
    page = rule.page
    assert page.title[0].isupper()
    assert not page.title.endswith(".")
    assert len(page.title) <= 72
    for text in (page.meaning, page.reason):
        assert text.endswith("."), text
        assert text.count("`") % 2 == 0, text
    for example in (page.broken, page.fixed):
        for text in example.files.values():
            assert max(map(len, text.splitlines())) <= 96, text


def test_codes_and_groups_are_told_apart() -> None:
    codes = [rule.code for rule in RULES]
    assert len(codes) == len(set(codes))
    assert not {*codes, *GROUPS} & {*CATALOGUE, "all"}
    assert not set(codes) & set(GROUPS)
    assert {rule.group for rule in RULES} == set(GROUPS)


def test_the_shipped_definitions_have_no_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for path in sorted(Path("definitions").rglob("pipeline.yaml")):
        result = lint(Target(path))
        assert result.environments == ["local", "dev", "prod"]
        assert result.errors == []
        assert [d for d in result.findings if d.level == "error"] == []


TRUE_ALARMS = {"training-distribution": {"volume-key-refused"}}
"""The key is a default of the environment, and its GPU instances take none."""


@pytest.mark.parametrize("case", sorted(p.parent.name for p in OK.glob("*/pipeline.yaml")))
def test_sound_definitions_have_no_errors(case: str) -> None:
    """A rule of level error has few false alarms: none in all the cases that compile."""
    result = lint(Target(OK / case / "pipeline.yaml"), environment="prod")
    errors = {d.code for d in result.findings if d.level == "error"}
    assert errors == TRUE_ALARMS.get(case, set())
