"""Durations: what is read, what is refused, and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps._durations import DurationError, parse, to_iso

DAY = 86400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", 7200),
        ("90m", 5400),
        ("1d12h", 129600),
        ("1d 12h", 129600),
        ("30d", 30 * DAY),
        ("2w", 14 * DAY),
        ("45s", 45),
        ("0s", 0),
        (" 1H30M ", 5400),
        ("PT2H", 7200),
        ("P30D", 30 * DAY),
        ("p30d", 30 * DAY),
        ("P4DT12H", 4 * DAY + 43200),
        ("P2W", 14 * DAY),
        ("T12H", 43200),
        ("T16m", 960),
        ("PT1H2M3S", 3723),
    ],
)
def test_what_is_read(text: str, seconds: int) -> None:
    assert parse(text) == seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing"),
        ("   ", "missing"),
        ("3600", "Write `3600s`"),
        ("P1M", "years and months"),
        ("P1Y2D", "years and months"),
        ("P1Y2M3DT4H", "years and months"),
        ("1.5h", "fraction"),
        ("PT0.5H", "fraction"),
        ("12h1d", "the greatest first"),
        ("1h1h", "the greatest first"),
        ("-2h", "negative"),
        ("2 hours", "not a duration"),
        ("soon", "not a duration"),
        ("P", "not a duration"),
        ("PT", "not a duration"),
        ("P1DT", "not a duration"),
        ("T", "not a duration"),
        ("P1H", "not a duration"),
        ("٣h", "not a duration"),
        ("2h\n3m", "not a duration"),
        ("999999999999w", "hundred years"),
        ("9" * 5000 + "h", "not a duration"),
        ("1h" * 5000, "not a duration"),
        ("p" + "1y" * 50000 + "!", "not a duration"),
    ],
)
def test_what_is_refused_and_why(text: str, said: str) -> None:
    with pytest.raises(DurationError) as error:
        parse(text)
    assert said in str(error.value)
    assert len(str(error.value)) < 200


@given(st.integers(0, 100 * 365 * DAY))
def test_iso_is_read_back(seconds: int) -> None:
    assert parse(to_iso(seconds)) == seconds
    assert parse(to_iso(seconds).lower()) == seconds


@given(st.integers(0, 900), st.integers(0, 90), st.integers(0, 900), st.integers(0, 9000))
def test_short_forms_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    total = days * DAY + hours * 3600 + minutes * 60 + seconds
    assert parse(f"{days}d{hours}h{minutes}m{seconds}s") == total


@given(st.text() | st.text("0123456789wdhmspPT. -", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert parse(text) >= 0
    except DurationError as error:
        assert str(error)


def test_canonical_forms() -> None:
    assert [to_iso(one) for one in (0, 30 * DAY, 43200, 5400, DAY + 61)] == [
        "PT0S",
        "P30D",
        "PT12H",
        "PT1H30M",
        "P1DT1M1S",
    ]
    with pytest.raises(ValueError, match="negative"):
        to_iso(-1)
