from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import regen  # noqa: E402 - after the path - found on the path that was set above

from pipelines.cli import COMMANDS, root  # noqa: E402 - after the path
from pipelines.language.codes import CATALOGUE  # noqa: E402 - after the path
from steps import KINDS  # noqa: E402 - after the path


def test_everything_generated_is_up_to_date() -> None:
    assert [change.path for change in regen.changes()] == []


PARTS = (
    regen.Generator(lambda: {"docs/a.md": "a\n", "docs/b.md": "b\n"}, owns=("docs/*.md",)),
    regen.Generator(lambda: {"schema.json": "{}\n"}),
)


def test_check_lists_what_differs_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regen, "GENERATORS", PARTS)
    assert regen.main([], tmp_path) == 0
    assert regen.main(["--check"], tmp_path) == 0
    assert (tmp_path / "schema.json").read_bytes() == b"{}\n"
    page, stale, other = (tmp_path / f"docs/{name}" for name in ("b.md", "gone.md", "picture.svg"))
    page.write_text("old", encoding="utf-8")
    stale.write_text("stale", encoding="utf-8")
    other.write_text("not generated", encoding="utf-8")
    (tmp_path / "schema.json").unlink()
    capsys.readouterr()
    assert regen.main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out.splitlines() == [
        "out of date: docs/b.md",
        "out of date: docs/gone.md",
        "out of date: schema.json",
    ]
    assert (page.read_text(encoding="utf-8"), stale.exists()) == ("old", True)
    assert regen.main([], tmp_path) == 0
    assert page.read_text(encoding="utf-8") == "b\n"
    assert (stale.exists(), other.exists()) == (False, True)
    assert regen.main(["--check"], tmp_path) == 0
    assert [p.name for p in tmp_path.rglob(".*")] == []


def test_every_kind_code_and_command_has_its_page() -> None:
    assert {p.stem for p in (ROOT / "docs/reference/kinds").glob("*.md")} == {
        kind.name for kind in KINDS
    }
    assert {p.stem for p in (ROOT / "docs/errors").glob("*.md")} == {*CATALOGUE, "README"}
    text = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"## sagedag {name}\n" in text
        shown = CliRunner().invoke(root, [name, "--help"]).output
        for line in shown[shown.find("Examples:") :].splitlines()[1:]:
            if not line.strip():
                break
            assert line.strip() in text, line


def test_links_between_the_pages_lead_somewhere() -> None:
    import re

    for path in [*(ROOT / "docs/reference").rglob("*.md"), *(ROOT / "docs/errors").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).is_file(), (path, target)


def test_the_error_pages_show_what_is_really_printed() -> None:
    for code in CATALOGUE:
        text = (ROOT / "docs/errors" / f"{code}.md").read_text(encoding="utf-8")
        assert f"[{code}]" in text.split("## What is printed")[1].split("## Mended")[0], code
        assert "/tmp" not in text
