from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from used_codes import used_codes

from pipelines.language.check import check
from pipelines.language.codes import CATALOGUE, GROUPS
from pipelines.language.diagnostics import Diagnostic
from pipelines.language.pages import DEFINITION, Example, Page
from pipelines.language.request_checks import CODES
from pipelines.service import checking
from pipelines.service.checking import Mismatch

FALLBACK = "request"
"""What a kind of mismatch that has no code of its own would get; there is none."""


def test_every_code_of_the_source_has_a_page_and_every_page_a_code() -> None:
    used = used_codes()
    assert sorted(set(used) - {FALLBACK}) == sorted(CATALOGUE)


def test_the_fallback_code_is_never_given() -> None:
    documented = re.findall(r"`([a-z-]+)`", (Mismatch.__doc__ or "").split(" kind:")[1])
    assert set(documented) == set(CODES)
    source = Path(checking.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'kind="([a-z-]+)"', source)) <= set(CODES)


def write(folder: Path, example: Example) -> Path:
    for name, text in example.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, target in example.links.items():
        (folder / name).symlink_to(target)
    return folder / DEFINITION


def checked(folder: Path, example: Example) -> Sequence[Diagnostic]:
    definition = write(folder, example)
    return check(
        definition, environment=example.environment, variables=example.variables
    ).diagnostics


@pytest.mark.parametrize("page", CATALOGUE.values(), ids=lambda page: page.code)
def test_the_broken_example_gives_the_code_and_the_fixed_one_nothing(
    page: Page, tmp_path: Path
) -> None:
    found = checked(tmp_path / "broken", page.broken)
    assert [(d.code, d.level) for d in found] == [(page.code, page.level)]
    assert [str(d) for d in checked(tmp_path / "fixed", page.fixed)] == []


@pytest.mark.parametrize("page", CATALOGUE.values(), ids=lambda page: page.code)
def test_a_page_reads_like_the_others(page: Page) -> None:
    assert page.title[0].isupper() or page.title.startswith("`")
    assert not page.title.endswith(".")
    assert len(page.title) <= 72
    for text in (page.meaning, page.reason):
        assert text.endswith("."), text
        assert text.count("`") % 2 == 0, text
    for example in (page.broken, page.fixed):
        for text in example.files.values():
            assert max(map(len, text.splitlines())) <= 96, text
    assert page.broken != page.fixed


def test_codes_are_listed_once() -> None:
    listed = [page.code for group in GROUPS for page in group.pages]
    assert len(listed) == len(set(listed))
