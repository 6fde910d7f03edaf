"""Two values that differ: what is shown of them tells the difference."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cloud.contrast import both_shown
from pipelines.cloud.masking import MASKED

LONG = "the same words at the beginning " * 8


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a", "b", ("a", "b", "")),
        (
            f"{LONG}one{LONG}",
            f"{LONG}two{LONG}",
            (
                "… words at the beginning onethe same words at the be…",
                "… words at the beginning twothe same words at the be…",
                "",
            ),
        ),
        (f"{LONG}x", f"{LONG}xy", ("…words at the beginning x", "…words at the beginning xy", "")),
        ("a\nb\nc\n", "a\nB\nc\n", ("b", "B", "line 2")),
        ("a\nc", "a\nb\nc", ('""', "b", "line 2")),
        (["a", "b"], ["a", "b", "c"], ("", "", "added c")),
        (["a", "b", "c"], ["x", "c"], ("", "", "added x; removed a, b")),
        (["a"], ["b", "c"], ("[a]", "[b, c]", "")),
        (list(range(100)), [*range(60), *range(61, 100)], ("", "", "removed 60")),
    ],
)
def test_a_difference_is_shown(before: Any, after: Any, expected: tuple[str, str, str]) -> None:
    one, two, note = both_shown(before, after, "steps.a.items")
    assert (one.rstrip(), two.rstrip(), note) == tuple(each.rstrip() for each in expected)


def test_words_of_a_command_line_are_told_as_they_are_typed() -> None:
    before = ["--one", "1", "--password", "hunter2", "--two=2"]
    after = ["--one", "1", "--api-key=abcd", "--password", "hunter3", "--two=2", "--three"]
    told = both_shown(before, after, "steps.a.arguments")
    assert told[:2] == ("", "")
    assert told[2] == f"added --api-key={MASKED} {MASKED} --three; removed {MASKED}"
    assert "hunter" not in str(both_shown(before, [*before[2:3], "hunter3"], "steps.a.arguments"))


def test_what_sounds_like_a_secret_is_never_shown() -> None:
    for before, after in (("a", "b"), (["a"], ["a", "b"]), ("a\nb", "a\nc")):
        assert both_shown(before, after, "steps.a.environment.DB_PASSWORD") == (MASKED, MASKED, "")


TEXTS = st.text("ab \n", max_size=400)


@given(before=TEXTS, after=TEXTS, around=TEXTS)
def test_texts_that_differ_are_shown_as_different(before: str, after: str, around: str) -> None:
    if before != after:
        one, two, _ = both_shown(around + before + around, around + after + around, "x")
        assert one != two
        assert len(one) <= 162
        assert len(two) <= 162
