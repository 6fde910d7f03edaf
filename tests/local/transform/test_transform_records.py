"""Files cut into records, records packed, filtered and joined."""

from __future__ import annotations

import gzip
import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.transform.records import BadInput, join_records, pack, read_records
from pipelines.local.transform.shaping import BadRecord, read_shaping


def records(tmp_path: Path, content: bytes, split: str, compression: str = "None") -> list[bytes]:
    file = tmp_path / "file"
    file.write_bytes(content)
    return list(read_records(file, split, compression))


def test_splitting(tmp_path: Path) -> None:
    text = b"a,1\r\nb,2\n\nc,3"
    assert records(tmp_path, text, "None") == [text]
    assert records(tmp_path, text, "Line") == [b"a,1", b"b,2", b"c,3"]
    assert records(tmp_path, gzip.compress(text), "Line", "Gzip") == [b"a,1", b"b,2", b"c,3"]
    assert records(tmp_path, b"", "None") == records(tmp_path, b"", "Line") == []
    for broken in (text, gzip.compress(text)[:-9]):
        with pytest.raises(BadInput, match="no sound Gzip file"):
            records(tmp_path, broken, "Line", "Gzip")


def test_binary_records_keep_their_framing(tmp_path: Path) -> None:
    recordio = [
        struct.pack("<II", 0xCED7230A, len(body)) + body + b"\0" * (-len(body) % 4)
        for body in (b"one", b"three")
    ]
    assert records(tmp_path, b"".join(recordio), "RecordIO") == recordio
    tf = [struct.pack("<QI", len(body), 0) + body + b"crc4" for body in (b"one", b"three")]
    assert records(tmp_path, b"".join(tf), "TFRecord") == tf
    for split, content in (("RecordIO", recordio), ("TFRecord", tf)):
        with pytest.raises(BadInput):
            records(tmp_path, b"".join(content)[:-3], split)
        with pytest.raises(BadInput):
            records(tmp_path, b"not at all such a file", split)


@given(
    lines=st.lists(st.binary(min_size=1, max_size=9).filter(lambda b: b"\n" not in b), max_size=30),
    multi=st.booleans(),
    most=st.integers(10, 40),
)
def test_payloads_hold_all_records_in_order(lines: list[bytes], multi: bool, most: int) -> None:
    payloads = list(pack(iter(lines), "Line", multi, most))
    assert [record for payload in payloads for record in payload] == lines
    assert all(len(join_records(payload, "Line")) <= most for payload in payloads)
    if not multi:
        assert all(len(payload) == 1 for payload in payloads)
    for one, other in pairwise(payloads):
        assert not multi or len(join_records([*one, other[0]], "Line")) > most


def test_a_record_beyond_the_payload_is_refused() -> None:
    with pytest.raises(BadInput, match="record 2 has 11 bytes, the longest payload 10"):
        list(pack(iter([b"1", b"x" * 11]), "Line", True, 10))
    with pytest.raises(BadInput, match="the file has 11 bytes"):
        list(pack(iter([b"x" * 11]), "None", True, 10))
    assert list(pack(iter([b"x" * 11]), "None", True, 0)) == [[b"x" * 11]]


def shape(
    source: list[bytes], prediction: bytes, kind: str, split: str = "Line", **processing: str
) -> tuple[list[bytes], bytes]:
    shaping = read_shaping({"DataProcessing": processing}, split, kind, "")
    return [shaping.for_model(each) for each in source], shaping.for_output(source, prediction)


def test_the_documentation_s_csv_examples() -> None:
    rows = [b"1,4.6,3.1", b'2,"a,b",0']
    sent, kept = shape(rows, b"0.9\n0.1\n", "text/csv", JoinSource="Input", InputFilter="$[1:]")
    assert sent == [b"4.6,3.1", b'"a,b",0']
    assert kept == b'1,4.6,3.1,0.9\n2,"a,b",0,0.1'
    only = {"JoinSource": "Input", "InputFilter": "$[1:]", "OutputFilter": "$[0,-1]"}
    assert shape(rows, b"0.9\n0.1\n", "text/csv", **only)[1] == b"1,0.9\n2,0.1"
    assert shape(rows, b"0.9,x\n0.1,y\n", "text/csv", OutputFilter="$[1]")[1] == b"x\ny"


def test_the_documentation_s_json_examples() -> None:
    rows = [b'{"id": 1, "features": [1, 2]}', b'{"id": 2, "features": [3]}']
    answers = b'{"label": "cat"}\n{"label": "dog"}\n'
    kind = "application/jsonlines"
    chosen = {"InputFilter": "$.features", "OutputFilter": "$['id','SageMakerOutput']"}
    sent, kept = shape(rows, answers, kind, JoinSource="Input", **chosen)
    assert sent == [b"[1, 2]", b"[3]"]
    assert [json.loads(line) for line in kept.splitlines()] == [
        {"id": 1, "SageMakerOutput": {"label": "cat"}},
        {"id": 2, "SageMakerOutput": {"label": "dog"}},
    ]
    _, joined = shape([b"[1, 2]"], b'{\n"label": "cat"\n}', "application/json", JoinSource="Input")
    assert json.loads(joined) == {"SageMakerInput": [1, 2], "SageMakerOutput": {"label": "cat"}}
    whole = shape([b'{"a": 1}'], b"5", "application/json", split="None", JoinSource="Input")
    assert json.loads(whole[1]) == {"a": 1, "SageMakerOutput": 5}


@pytest.mark.parametrize(
    ("source", "prediction", "processing", "told"),
    [
        ([b"1", b"2"], b"x\n", {"JoinSource": "Input"}, "answered 1 lines to 2 records"),
        ([b"1"], b"x\n", {"InputFilter": "$[3]"}, r"InputFilter \$\[3\]: there is no place 3"),
        ([b"1"], b"x", {"OutputFilter": "$.a"}, r"OutputFilter \$.a: there is no 'a' in a text"),
        ([b"\xff"], b"x", {"InputFilter": "$[0]"}, "the record is no CSV"),
    ],
)
def test_what_cannot_be_joined_or_filtered(
    source: list[bytes], prediction: bytes, processing: dict[str, str], told: str
) -> None:
    with pytest.raises(BadRecord, match=told):
        shape(source, prediction, "text/csv", **processing)


@pytest.mark.parametrize(
    ("processing", "split", "kind", "accept", "told"),
    [
        ({"InputFilter": "id"}, "Line", "text/csv", "", "does not begin with"),
        ({"JoinSource": "Input"}, "Line", "image/png", "", "neither filtered nor joined"),
        ({"JoinSource": "Input"}, "RecordIO", "text/csv", "", "split as RecordIO"),
        ({"JoinSource": "Input"}, "Line", "text/csv", "application/json", "both must be CSV"),
    ],
)
def test_requests_that_make_no_sense(
    processing: dict[str, str], split: str, kind: str, accept: str, told: str
) -> None:
    request: dict[str, Any] = {"DataProcessing": processing}
    with pytest.raises(BadRecord, match=told):
        read_shaping(request, split, kind, accept)
