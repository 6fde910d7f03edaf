"""--sample: the first rows of what comes from outside."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_samples import document, output_of, processing

from pipelines.errors import ExecutionFailed
from pipelines.local.sampling import cut

ON = {"Enabled": True, "ExpireAfter": "1d"}


@pytest.mark.parametrize(
    ("text", "rows", "kept"),
    [
        (b"a,b\n1,2\n3,4\n5,6\n", 2, b"a,b\n1,2\n3,4\n"),
        (b"1,2\r3,4\r5,6\r", 2, b"1,2\r3,4\r"),
        (b'x,"a\nb"\r\n1,"q"\r\n2,"z"\r\n', 1, b'x,"a\nb"\r\n1,"q"\r\n'),
        (b"a;b\n1;2\n3;4", 1, b"a;b\n1;2\n"),
        (b"a,b\nc,d\ne,f\n", 1, b"a,b\n"),
        (b"1\n2", 5, b"1\n2"),
        (b"", 3, b""),
        (b"\xff,1\n\xfe,2\n", 1, b"\xff,1\n"),
        (b"1\r\n" * 70000, 3, b"1\r\n" * 3),
    ],
)
def test_a_csv_file_is_cut_after_whole_records(
    tmp_path: Path, text: bytes, rows: int, kept: bytes
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(text)
    cut(path, rows)
    assert path.read_bytes() == kept


FIELD = st.text("ab\"',\n\r ", max_size=4)


@settings(deadline=None)
@given(st.lists(st.lists(FIELD, min_size=2, max_size=3), min_size=1, max_size=8), st.integers(1, 9))
def test_what_is_kept_is_the_beginning_of_the_records(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], count: int
) -> None:
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(rows)
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    path.write_bytes(stream.getvalue().encode())
    cut(path, count)
    with path.open(newline="") as kept:
        assert list(csv.reader(kept)) == rows[:count]


def test_parquet_is_cut_and_keeps_its_columns(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    parquet.write_table(pyarrow.table({"a": list(range(1000)), "b": ["x"] * 1000}), path)
    cut(path, 7)
    assert parquet.read_table(path).to_pydict() == {"a": list(range(7)), "b": ["x"] * 7}
    path.write_bytes(b"no parquet")
    with pytest.raises(ExecutionFailed, match="cannot be sampled"):
        cut(path, 7)


def test_a_sampled_run_cuts_what_comes_from_outside_alone(run: Any, place: Any) -> None:
    (place.folder / "data").mkdir()
    (place.folder / "data/rows.csv").write_text("1\n2\n3\n")
    (place.folder / "data/note.md").write_text("# a\n" * 9)
    first = processing("first", data="data", CacheConfig=ON)
    grow = first["Arguments"]["AppSpecification"]
    grow["ContainerEntrypoint"] = ["python3", "-c", GROW]
    second = processing("second", data=output_of("first"))
    whole = run(document(first, second))
    ran = run(document(first, second), sample=2)
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert ran.report("second")["seen"] == {
        "big.csv": "9\n" * 50, "note.md": "# a\n" * 9, "rows.csv": "1\n2\n",
    }  # fmt: skip
    assert whole.report("second")["seen"]["rows.csv"] == "1\n2\n3\n"
    assert ran.record.options == {"sample": 2}
    # A result of a sample is one for samples of the same size alone.
    again = run(document(first, second), sample=2)
    assert again.steps["first"].cache_source == ran.record.arn
    assert again.report("second")["seen"]["big.csv"] == "9\n" * 50
    assert run(document(first, second), sample=1).steps["first"].cache_source is None
    assert (place.folder / "data/rows.csv").read_text() == "1\n2\n3\n"


GROW = """
import shutil
from pathlib import Path
out = Path("/opt/ml/processing/out")
for path in Path("/opt/ml/processing/data").iterdir():
    shutil.copy(path, out)
(out / "big.csv").write_text("9\\n" * 50)
"""
