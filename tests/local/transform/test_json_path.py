"""The JSONPath expressions of batch transforms, one by one as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.transform.json_path import PathError, parse

RECORD = {"id": 7, "features": [1, 2, 3], "in": {"a": {"x": 1}, "b": {"x": 2}}, "odd name": 0}
ROW = ["0", "1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("text", "record", "found"),
    [
        ("$", ROW, ROW),
        ("$.id", RECORD, 7),
        ("$.in.a.x", RECORD, 1),
        ("$['odd name']", RECORD, 0),
        ("$['id','features']", RECORD, {"id": 7, "features": [1, 2, 3]}),
        ("$.in.['a','b']", RECORD, RECORD["in"]),
        ("$.in['a'].x", RECORD, 1),
        ("$.in.*", RECORD, [{"x": 1}, {"x": 2}]),
        ("$.in.*.x", RECORD, [1, 2]),
        ("$.features[*]", RECORD, [1, 2, 3]),
        ("$.features[1]", RECORD, 2),
        ("$[1]", ROW, "1"),
        ("$[-1]", ROW, "6"),
        ("$[1,3,5]", ROW, ["1", "3", "5"]),
        ("$[0,-1]", ROW, ["0", "6"]),
        ("$[2:5]", ROW, ["2", "3", "4"]),
        ("$[:5]", ROW, ROW[:5]),
        ("$[2:]", ROW, ROW[2:]),
        ("$[-2:]", ROW, ["5", "6"]),
        ("$[0,5:]", ROW, ["0", "5", "6"]),
        ("$[ 0 , 1 ]", ROW, ["0", "1"]),
    ],
)
def test_what_is_selected(text: str, record: Any, found: Any) -> None:
    before = json.dumps(record)
    assert parse(text).select(record) == found
    assert json.dumps(record) == before


@pytest.mark.parametrize(
    "text",
    [
        "", "id", "$id", "$.", "$..id", "$[", "$[]", "$[a]", "$[1:2:3]", "$['a'", '$["a"]',
        "$[?(@.x)]", "$.f()", "$[1.5]", "$[--1]", "$" + ".abcdefgh" * 8, "$ .id", "$.*.",
    ],
)  # fmt: skip
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(PathError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "record", "told"),
    [
        ("$.none", RECORD, "there is no 'none'; there is 'id', 'features', 'in', 'odd name'"),
        ("$[7]", ROW, "there is no place 7 among 7"),
        ("$[0,-8]", ROW, "there is no place -8 among 7"),
        ("$[0]", RECORD, "an index needs a list, not an object"),
        ("$.id.x", RECORD, "there is no 'x' in a number"),
        ("$.id.*", RECORD, "finds nothing in a number"),
    ],
)
def test_what_a_record_lacks(text: str, record: Any, told: str) -> None:
    with pytest.raises(PathError, match=told):
        parse(text).select(record)


@given(st.text(max_size=70))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        path = parse("$" + text)
        path.select(RECORD)
        path.select(ROW)
    except PathError:
        pass
