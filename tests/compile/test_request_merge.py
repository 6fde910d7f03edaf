"""``request`` merges as the language says: maps merge, named lists merge by name, null deletes."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.language.request_merge import NAME_MEMBERS, given_at, merge_request

KEYS = st.sampled_from(["A", "B", "C", "Name"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text("ab", max_size=2))


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(NAME_MEMBERS)
    item = st.dictionaries(KEYS, inner, max_size=2)

    @st.composite
    def named(draw: Any) -> list[Any]:
        member = draw(names)
        labels = draw(st.lists(st.sampled_from("xyz"), unique=True, max_size=3))
        return [{**draw(item), member: label} for label in labels]

    return st.one_of(st.dictionaries(KEYS, inner, max_size=3), st.lists(inner, max_size=3), named())


VALUES = st.recursive(SCALARS, _deeper, max_leaves=12)
MAPS = st.dictionaries(KEYS, VALUES, max_size=4)


def _without_nulls(value: Any) -> Any:
    return merge_request(None, value)


@settings(deadline=None)
@given(MAPS, MAPS)
@example({}, {"A": [{"Name": ""}, {"Name": ""}]})
@example({"A": [{"Name": ""}]}, {"A": [{"Name": "", "Key": "1"}, {"Name": ""}]})
def test_merging_twice_is_merging_once(low: dict[str, Any], high: dict[str, Any]) -> None:
    once = merge_request(low, high)
    assert merge_request(once, high) == once


@settings(deadline=None)
@given(MAPS)
def test_an_empty_request_changes_nothing(low: dict[str, Any]) -> None:
    assert merge_request(low, {}) == low


@settings(deadline=None)
@given(MAPS, MAPS)
def test_null_deletes_and_other_keys_stay(low: dict[str, Any], high: dict[str, Any]) -> None:
    merged = merge_request(low, high)
    for name, value in high.items():
        if value is None:
            assert name not in merged
        else:
            assert name in merged
    for name, value in low.items():
        if name not in high:
            assert merged[name] == value


@settings(deadline=None)
@given(MAPS, MAPS)
def test_neither_side_is_changed(low: dict[str, Any], high: dict[str, Any]) -> None:
    before = repr((low, high))
    merge_request(low, high)
    assert repr((low, high)) == before


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("uvwxyz"), unique=True, min_size=1),
    st.lists(st.sampled_from("uvwxyz"), unique=True, min_size=1),
    st.sampled_from(NAME_MEMBERS),
)
def test_named_lists_keep_their_order_and_take_new_items_at_the_end(
    low: list[str], high: list[str], member: str
) -> None:
    merged = merge_request(
        [{member: name, "Old": 1, "Both": 1} for name in low],
        [{member: name, "New": 2, "Both": 2} for name in high],
    )
    assert [item[member] for item in merged] == [*low, *(n for n in high if n not in low)]
    for item in merged:
        name = item.pop(member)
        wanted: dict[str, int] = {}
        if name in low:
            wanted = {"Old": 1, "Both": 1}
        if name in high:
            wanted |= {"New": 2, "Both": 2}
        assert item == wanted


def test_lists_without_names_replace() -> None:
    assert merge_request({"A": [1, 2]}, {"A": [3]}) == {"A": [3]}
    assert merge_request({"A": [{"Name": "a"}]}, {"A": [{"Key": "a"}]}) == {"A": [{"Key": "a"}]}


@settings(deadline=None)
@given(MAPS, MAPS)
def test_what_the_request_says_is_found_again(low: dict[str, Any], high: dict[str, Any]) -> None:
    merged = merge_request(low, high)
    for path, value in _leaves(merged, ()):
        found = given_at(high, merged, path)
        if found is None:
            continue
        there: Any = high
        for segment in found:
            there = there[segment]
        assert _without_nulls(there) == value


def _leaves(value: Any, path: tuple[Any, ...]) -> Any:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    elif not isinstance(value, (dict, list)):
        yield path, value
