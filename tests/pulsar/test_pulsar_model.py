from __future__ import annotations

import gzip
import io
import json
import pickle
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import classifiers
import evaluate
import inference
import numpy as np
import pytest
from candidates import FEATURES, BadCandidatesError
from classifiers import BadModelError, read_model_archive
from containers import CODE, Container, Ended
from hypothesis import given, settings
from hypothesis import strategies as st

Finished = tuple[Container, dict[str, Ended]]
ROW = [140.5625, 55.68, -0.23, -0.69, 3.19, 19.1, 7.97, 74.2]


def model_files(finished: Finished) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (finished[0].root / "model").iterdir()}


def pack(path: Path, files: dict[str, bytes], *others: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for other in others:
            archive.addfile(other, io.BytesIO(b"x" * other.size))
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def link(name: str, kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize("prefix", ["", "./"])
def test_an_archive_is_read_with_or_without_leading_dot(
    prefix: str, finished: Finished, tmp_path: Path
) -> None:
    files = {prefix + name: content for name, content in model_files(finished).items()}
    folder = link("code", tarfile.DIRTYPE, "")
    model = read_model_archive(pack(tmp_path / "model.tar.gz", files, folder))
    assert model.predict(np.array([ROW])).tolist() == [0]


@pytest.mark.parametrize(
    "member",
    [
        link("model.joblib", tarfile.SYMTYPE),
        link("model.joblib", tarfile.LNKTYPE),
        link("pipe", tarfile.FIFOTYPE),
        link("disk", tarfile.BLKTYPE),
        tarfile.TarInfo("../outside"),
        tarfile.TarInfo("a/../../outside"),
        tarfile.TarInfo("/etc/cron.d/x"),
    ],
    ids=lambda member: member.name,
)
def test_hostile_members_are_refused(
    member: tarfile.TarInfo, finished: Finished, tmp_path: Path
) -> None:
    path = pack(tmp_path / "model.tar.gz", model_files(finished), member)
    with pytest.raises(BadModelError, match="has no place in a model archive"):
        read_model_archive(path)
    assert [p.name for p in tmp_path.iterdir()] == ["model.tar.gz"]


def test_an_archive_that_unpacks_too_far_is_refused(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifiers, "MAX_BYTES", 1 << 20)
    large = tarfile.TarInfo("zeros")
    large.size = 1 << 21
    path = pack(tmp_path / "model.tar.gz", model_files(finished), large)
    with pytest.raises(BadModelError, match="unpacks to more than 1 MiB"):
        read_model_archive(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"no tar" * 200), gzip.compress(b"x" * 9999)[:20]],
    ids=["empty", "text", "no tar", "cut"],
)
def test_what_is_no_archive_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(content)
    with pytest.raises(BadModelError, match=r"model\.tar\.gz: "):
        read_model_archive(path)


def spoil(name: str, change: Callable[[bytes], bytes | None], files: dict[str, bytes]) -> None:
    changed = change(files.pop(name))
    if changed is not None:
        files[name] = changed


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("model.joblib", lambda _: None, "model.joblib is missing"),
        ("metadata.json", lambda _: None, "metadata.json is missing"),
        ("metadata.json", lambda _: b"{", "metadata.json is not JSON"),
        ("metadata.json", lambda _: b"[]", "trained on other features"),
        (
            "metadata.json",
            lambda old: json.dumps({**json.loads(old), "features": ["a"]}).encode(),
            "trained on other features",
        ),
        ("model.joblib", lambda _: b"garbage", "can't be loaded"),
        ("model.joblib", lambda old: old[:500], "can't be loaded"),
        ("model.joblib", lambda _: pickle.dumps({"a": 1}), "holds no classifier"),
    ],
)
def test_a_damaged_model_is_explained(
    name: str,
    change: Callable[[bytes], bytes | None],
    expected: str,
    finished: Finished,
    tmp_path: Path,
) -> None:
    files = model_files(finished)
    spoil(name, change, files)
    with pytest.raises(BadModelError, match=expected):
        read_model_archive(pack(tmp_path / "model.tar.gz", files))


def test_a_model_of_another_scikit_learn_is_refused(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / "model.tar.gz", model_files(finished))
    monkeypatch.setattr("sklearn.base.__version__", "1.4.0")
    with pytest.raises(BadModelError, match="train and use a model with one version"):
        read_model_archive(path)


def test_evaluation_without_a_model_ends_with_the_reason(container: Container) -> None:
    assert evaluate.main(container.evaluate_arguments()) == 1
    assert "no such model archive" in container.message()
    assert container.files() == []


def serve(finished: Finished, body: str | bytes, kind: str, accept: str) -> tuple[str, str]:
    model = inference.model_fn(str(finished[0].root / "model"))
    found = inference.predict_fn(inference.input_fn(body, kind), model)
    return inference.output_fn(found, accept)


LINE = ",".join(map(str, ROW))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (LINE, "text/csv"),
        (LINE.encode() + b"\r\n", "text/csv; charset=utf-8"),
        (",".join(FEATURES) + "\n" + LINE, "Text/CSV"),
        (json.dumps([ROW]), "application/json"),
        (json.dumps({"instances": [ROW]}).encode(), "application/json"),
        (json.dumps({"instances": [dict(zip(FEATURES, ROW, strict=True))]}), "application/json"),
    ],
)
def test_every_form_of_a_request_means_the_same(
    body: str | bytes, kind: str, finished: Finished
) -> None:
    text, media_type = serve(finished, body, kind, "application/json")
    assert media_type == "application/json"
    assert json.loads(text) == {"predictions": [{"class": 0, "probability": 0.0}]}


def test_predictions_agree_with_the_report(finished: Finished) -> None:
    test_set = (finished[0].root / "processing/test/test.csv").read_text().splitlines()[1:]
    body = "\n".join(line.rpartition(",")[0] for line in test_set)
    text, media_type = serve(finished, body, "text/csv", "text/csv")
    assert media_type == "text/csv"
    counts = {"0": {"0": 0, "1": 0}, "1": {"0": 0, "1": 0}}
    for line, answer in zip(test_set, text.splitlines(), strict=True):
        found, chance = answer.split(",")
        assert 0.0 <= float(chance) <= 1.0
        counts[line[-1]][found] += 1
    report = json.loads((finished[0].root / "processing/report/metrics.json").read_text())
    assert report["binary_classification_metrics"]["confusion_matrix"] == counts


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("image/png, text/csv;q=0.5", "text/csv"),
        ("text/*", "text/csv"),
    ],
)
def test_the_answer_has_the_first_type_offered(accept: str, media_type: str) -> None:
    assert inference.output_fn(np.array([[1, 0.75]]), accept)[1] == media_type


def test_an_answer_that_is_not_offered_is_refused() -> None:
    with pytest.raises(BadCandidatesError, match="only application/json and text/csv"):
        inference.output_fn(np.array([[1, 0.75]]), "application/x-npy")


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (LINE + "\n1,2,3", "text/csv", "row 2: 3 columns instead of 8"),
        (LINE + ",0", "text/csv", "row 1: 9 columns instead of 8"),
        (LINE.replace("19.1", "nan"), "text/csv", r"row 1, column 6 \(dm_snr_standard_dev"),
        (b"\xff", "text/csv", "no UTF-8"),
        ("", "text/csv", "empty"),
        (LINE, "application/x-npy", "text/csv or application/json is wanted"),
        ("{", "application/json", "not JSON"),
        ("[" * 100_000, "application/json", "not JSON"),
        ("{}", "application/json", "a list of rows"),
        ("[]", "application/json", "a list of rows"),
        ("[1]", "application/json", "row 1: neither a list nor an object"),
        (json.dumps([ROW, ROW[:7]]), "application/json", "row 2: 7 columns instead of 8"),
        (json.dumps([[*ROW[:7], "1"]]), "application/json", r"row 1, column 8 .*'1' is not a"),
        (json.dumps([[True, *ROW[1:]]]), "application/json", "row 1, column 1 .*'True'"),
        (json.dumps([[None, *ROW[1:]]]), "application/json", "row 1, column 1"),
        ("[[NaN,1,1,1,1,1,1,1]]", "application/json", "row 1, column 1 .*'nan'"),
        ("[[1" + "0" * 400 + ",1,1,1,1,1,1,1]]", "application/json", "row 1, column 1"),
        ('[{"profile_mean": 1}]', "application/json", "row 1: no profile_standard_deviation"),
        ('[{"x": 1}]', "application/json", "row 1: unknown column 'x'"),
    ],
)
def test_a_malformed_request_is_explained(body: str | bytes, kind: str, expected: str) -> None:
    with pytest.raises(BadCandidatesError, match=expected):
        inference.input_fn(body, kind)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from([*FEATURES, "instances"]), inner)
    ),
)


@settings(deadline=None, max_examples=100)
@given(
    JSON.map(json.dumps) | st.text() | st.binary(),
    st.sampled_from(["text/csv", "application/json"]),
)
def test_any_request_gives_rows_or_an_explanation(body: str | bytes, kind: str) -> None:
    try:
        found = inference.input_fn(body, kind)
    except BadCandidatesError as error:
        assert str(error)
    else:
        assert found.shape[1] == len(FEATURES)


def test_serving_needs_nothing_but_numpy_and_scikit_learn() -> None:
    allowed = {"candidates", "classifiers", "job", "joblib", "numpy", "sklearn"}
    allowed |= set(sys.stdlib_module_names)
    for name in ("inference", "classifiers", "candidates", "job"):
        for line in (CODE / f"{name}.py").read_text().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                assert words[1].split(".")[0] in allowed, line
