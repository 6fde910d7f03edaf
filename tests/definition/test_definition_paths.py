from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.definition import PathSyntaxError, parse_get, parse_path
from pipelines.definition.references import format_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b[0].c", ("a", "b", 0, "c")),
        ("Outputs['train'].S3Output.S3Uri", ("Outputs", "train", "S3Output", "S3Uri")),
        ("a['x.y[0]'][12]", ("a", "x.y[0]", 12)),
        ('a["it\'s"]', ("a", "it's")),
        ("['only key']", ("only key",)),
        ("$.a.b", ("a", "b")),
        ("$['a']", ("a",)),
        ("[3][4]", (3, 4)),
    ],
)
def test_reads_names_indexes_and_keys(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a['b", "a[]", "a[0", "a[-1]", "a]b[", "a[0]b"],
)
def test_refuses_what_is_no_path(text: str) -> None:
    if text == "a]b[":
        with pytest.raises(PathSyntaxError, match="brackets"):
            parse_path(text)
        return
    with pytest.raises(PathSyntaxError):
        parse_path(text)


def test_get_has_root_name_and_path() -> None:
    reference = parse_get("Steps.my-step.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")
    assert (reference.root, reference.name) == ("Steps", "my-step")
    assert reference.path == ("ProcessingOutputConfig", "Outputs", "train", "S3Output", "S3Uri")
    assert parse_get("Steps.e.PropertyFiles.metrics").property_file == "metrics"
    assert parse_get("Parameters.X").property_file is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Step.a.b", "starts with none of"),
        ("Parameters", "names nothing"),
        ("Parameters[0]", "names nothing"),
        ("Parameters.A.b", "goes on after the name"),
        ("Execution.PipelineName[0]", "goes on after the name"),
        ("x" * 10_000, "too long"),
    ],
)
def test_get_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(PathSyntaxError, match=says):
        parse_get(text)


@given(st.text(max_size=60))
def test_any_text_is_a_path_or_a_clear_error(text: str) -> None:
    try:
        segments = parse_path(text)
    except PathSyntaxError as error:
        assert str(error)
    else:
        assert segments


_KEYS = st.text(min_size=1, max_size=12).filter(lambda key: "'" not in key)


@given(st.lists(st.one_of(st.integers(0, 999_999), _KEYS), min_size=1, max_size=8))
def test_a_written_path_reads_as_it_was(segments: list[str | int]) -> None:
    if isinstance(segments[0], str) and segments[0].startswith("$"):
        return
    assert list(parse_path(format_path(tuple(segments)))) == segments
