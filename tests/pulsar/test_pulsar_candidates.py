from __future__ import annotations

import numpy as np
import preprocess
import pytest
from candidates import (
    COLUMNS,
    FEATURES,
    BadCandidatesError,
    Candidates,
    find_only_file,
    format_candidates,
    parse_rows,
    read_candidates,
)
from containers import Container, run_script
from hypothesis import given, settings
from hypothesis import strategies as st
from job import write_files
from numpy.typing import NDArray

GOOD = [
    "140.5625,55.68,-0.23,-0.69,3.19,19.1,7.97,74.2,0",
    "102.5,58.88,0.46,-0.51,1.67,14.8,10.5,127.3,1",
    "1e2,5.,.5,-1E-1,+3,0,0,0,0",
    "99.3,41.5,1.5,0.1,2,3,4,5,1",
]


def rows(*replaced: tuple[int, str]) -> bytes:
    lines = list(GOOD)
    for number, line in replaced:
        lines[number - 1] = line
    return "\n".join(lines).encode() + b"\n"


BAD = {
    "column missing": (rows((2, "1,2,3,4,5,6,7,0")), "row 2: 8 columns instead of 9"),
    "column too many": (rows((3, GOOD[2] + ",1")), "row 3: 10 columns instead of 9"),
    "word": (
        rows((2, "1,2,abc,4,5,6,7,8,0")),
        "row 2, column 3 (profile_excess_kurtosis): 'abc' is not a finite number",
    ),
    "nan": (rows((1, "1,2,3,4,5,6,7,nan,0")), "row 1, column 8 (dm_snr_skewness): 'nan'"),
    "infinity": (rows((1, "-inf,2,3,4,5,6,7,8,0")), "row 1, column 1 (profile_mean): '-inf'"),
    "overflow": (rows((1, "1e999,2,3,4,5,6,7,8,0")), "row 1, column 1 (profile_mean): '1e999'"),
    "empty cell": (rows((4, "1,2,3,4,,6,7,8,1")), "row 4, column 5 (dm_snr_mean): ''"),
    "underscore": (rows((1, "1_0,2,3,4,5,6,7,8,0")), "row 1, column 1 (profile_mean): '1_0'"),
    "class 2": (rows((3, "1,2,3,4,5,6,7,8,2")), "row 3, column 9 (class): '2' is no class"),
    "class half": (rows((3, "1,2,3,4,5,6,7,8,0.5")), "row 3, column 9 (class): '0.5'"),
    "class word": (rows((3, "1,2,3,4,5,6,7,8,yes")), "row 3, column 9 (class): 'yes'"),
    "blank row": (rows((2, "")), "row 2: the row is empty"),
    "empty": (b"", "the file is empty"),
    "only line ends": (b"\r\n\r\n", "the file is empty"),
    "only a header": (",".join(COLUMNS).encode(), "a header and no rows"),
    "other header": (b"a,b,c,d,e,f,g,h,i\n" + rows(), "row 1, column 1 (profile_mean): 'a'"),
    "one class": (GOOD[0].encode() + b"\n" + GOOD[2].encode(), "all 2 rows have class 0"),
    "binary": (b"\x89PNG\xff\xfe", "not a text file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_ends_the_job_and_writes_nothing(case: str, container: Container) -> None:
    content, expected = BAD[case]
    container.put(content, "survey.csv")
    ended = run_script("preprocess.py", *container.preprocess_arguments())
    assert ended.code == 1
    assert expected in ended.err
    assert "Traceback" not in ended.err
    assert expected in container.message()
    assert container.files() == []


def test_too_few_rows_to_split(container: Container, capsys: pytest.CaptureFixture[str]) -> None:
    container.put(rows())
    assert preprocess.main(container.preprocess_arguments()) == 1
    assert "of 4 rows the test set gets 1, all of class" in capsys.readouterr().err
    assert container.files() == []


def test_all_problems_are_listed_and_the_list_is_cut() -> None:
    text = "\n".join(["1,2,3"] * 14)
    with pytest.raises(BadCandidatesError) as caught:
        parse_rows(text, COLUMNS, "x")
    lines = str(caught.value).splitlines()
    assert lines[0] == "x: row 1: 3 columns instead of 9"
    assert lines[9] == "x: row 10: 3 columns instead of 9"
    assert lines[10:] == ["and 4 more"]


def test_the_header_counts_as_a_row() -> None:
    text = ",".join(COLUMNS) + "\n" + GOOD[0] + "\n1,2\n"
    with pytest.raises(BadCandidatesError, match="row 3: 2 columns"):
        parse_rows(text, COLUMNS, "x")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("last", [False, True])
def test_line_ends_and_header_make_no_difference(
    end: str, header: bool, last: bool, container: Container
) -> None:
    lines = [",".join(COLUMNS), *GOOD] if header else GOOD
    container.put((end.join(lines) + (end if last else "")).encode())
    found = read_candidates(container.root / "processing/candidates/candidates.csv")
    assert found.labels.tolist() == [0, 1, 0, 1]
    assert found.features[2].tolist() == [100.0, 5.0, 0.5, -0.1, 3.0, 0.0, 0.0, 0.0]


def test_a_control_character_in_a_cell_is_escaped() -> None:
    with pytest.raises(BadCandidatesError) as caught:
        parse_rows("\x1b[31m" + "x" * 99 + ",2,3,4,5,6,7,8,0", COLUMNS, "x")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 120


def test_one_data_file_is_wanted(container: Container) -> None:
    folder = container.root / "processing" / "candidates"
    with pytest.raises(BadCandidatesError, match="found: none"):
        find_only_file(folder)
    container.put(b"", "_SUCCESS")
    container.put(rows(), "HTRU_2.CSV")
    assert find_only_file(folder).name == "HTRU_2.CSV"
    container.put(rows(), "b.csv")
    with pytest.raises(BadCandidatesError, match=r"found: HTRU_2.CSV, b.csv"):
        find_only_file(folder)


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_any_text_gives_rows_or_an_explanation(text: str) -> None:
    try:
        found = parse_rows(text, COLUMNS, "x")
    except BadCandidatesError as error:
        assert str(error)
    else:
        assert {len(row) for row in found} == {len(COLUMNS)}


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(*[FINITE] * len(FEATURES)), min_size=1, max_size=5), st.data())
def test_formatted_candidates_read_back_exactly(
    table: list[tuple[float, ...]], data: st.DataObject
) -> None:
    size = len(table)
    labels = data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    features: NDArray[np.float64] = np.array(table)
    text = format_candidates(Candidates(features, np.array(labels)))
    found = np.array(parse_rows(text, COLUMNS, "x"))
    assert found[:, :-1].tolist() == features.tolist()
    assert found[:, -1].tolist() == labels


def test_files_are_written_together_or_not_at_all(container: Container) -> None:
    container.put(b"a file, no folder", "taken")
    taken = container.root / "processing/candidates/taken"
    with pytest.raises(OSError, match="taken"):
        write_files({container.root / "first.csv": b"1", taken / "second.csv": b"2"})
    assert container.files() == []
