"""Data sets of every format as tables, sketches of numbers, and distances between distributions."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from check_steps import FIRST, quality
from hypothesis import given, settings
from hypothesis import strategies as st
from local_samples import document

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")

from pipelines.local.jobs.drivers.analysis import columns, drift, tables  # noqa: E402 - skips
from pipelines.local.jobs.drivers.analysis.problems import UserError  # noqa: E402


def read(folder: Path, form: dict[str, Any]) -> dict[str, list[Any]]:
    table = tables.read_table(folder, tables.read_format(json.dumps(form)))
    return {name: [None if pd.isna(each) else each for each in table[name]] for name in table}


def test_csv_without_a_header_and_in_several_files(tmp_path):
    (tmp_path / "a.csv").write_text('1,"x, y"\n,z\n')
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"3,x\n"))
    (tmp_path / "_SUCCESS").write_text("")
    made = read(tmp_path, {"csv": {"header": False}})
    assert made == {"_c0": [1, None, 3], "_c1": ["x, y", "z", "x"]}
    (tmp_path / "c.csv").write_text("3\n")
    with pytest.raises(UserError, match="different numbers of columns"):
        read(tmp_path, {"csv": {"header": False}})


def test_json_and_json_lines_nest(tmp_path):
    records = [{"a": 1, "b": {"c": [True, "x"]}}, {"a": None, "b": {"c": [False, "y"]}}]
    expected = {"a": [1, None], "b.c.0": ["true", "false"], "b.c.1": ["x", "y"]}
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, records)))
    assert read(tmp_path, {"json": {"lines": True}}) == expected
    (tmp_path / "data.jsonl").write_text(json.dumps(records))
    assert read(tmp_path, {"json": {"lines": False}}) == expected
    (tmp_path / "data.jsonl").write_text("{]\n")
    with pytest.raises(UserError, match="line 1 is no JSON"):
        read(tmp_path, {"json": {"lines": True}})


def test_parquet_keeps_its_types(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"n": [1, 2], "x": [0.5, None], "s": ["a", None]}).to_parquet(
        tmp_path / "d.parquet"
    )
    table = tables.read_table(tmp_path, tables.read_format('{"parquet": {}}'))
    kinds = [columns.inferred_type(table[name]) for name in table]
    assert kinds == ["Integral", "Fractional", "String"]


def test_captured_requests_have_the_answer_first(tmp_path):
    def side(data: str, kind: str, encoding: str) -> dict[str, str]:
        return {"observedContentType": kind, "mode": "INPUT", "data": data, "encoding": encoding}

    packed = base64.b64encode(b"3,x").decode()
    records = [
        {"endpointInput": side("1,y", "text/csv", "CSV"),
         "endpointOutput": side("0.5", "text/csv", "CSV")},
        {"endpointInput": side(packed, "text/csv", "BASE64"),
         "endpointOutput": side("0.25", "text/csv", "CSV")},
    ]  # fmt: skip
    lines = [json.dumps({"captureData": each, "eventVersion": "0"}) for each in records]
    (tmp_path / "capture.jsonl").write_text("\n".join(lines))
    made = read(tmp_path, {"sagemakerCaptureJson": {}})
    assert made == {"_c0": [0.5, 0.25], "_c1": [1, 3], "_c2": ["y", "x"]}


@given(st.integers(1, 20000), st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_a_sketch_stands_for_all_numbers_and_ranks_stay_near(count, seed):
    numbers = np.random.default_rng(seed).normal(size=count)
    levels = columns.sketch_of(numbers)
    weights = [(item, 2**n) for n, part in enumerate(levels) for item in part]
    assert sum(weight for _, weight in weights) == count
    assert len(weights) <= columns.SKETCH_SIZE + len(levels)
    known, heights = zip(*weights, strict=True)
    distance = drift.numeric_distance(numbers, known, heights, robust=False)
    assert distance <= 2 ** (len(levels) - 1) / count


def test_distances_by_hand():
    # Of (1, 2, 3, 4) and (3, 4, 5, 6): below 3 lies a half of the first and nothing of the other.
    simple = drift.numeric_distance(
        np.array([3.0, 4, 5, 6]), [1, 2, 3, 4], [1, 1, 1, 1], robust=False
    )
    assert simple == 0.5
    # 1.8 · √(8 / 16) is more than that.
    assert drift.numeric_distance(np.array([3.0, 4, 5, 6]), [1, 2, 3, 4], [1] * 4, robust=True) == 0
    shares = drift.categorical_distance({"a": 3, "b": 1}, {"a": 1, "c": 1}, robust=False)
    assert shares == 0.5


def test_categories_by_chi_squared():
    pytest.importorskip("scipy")
    before = pd.DataFrame({"kind": pd.array(["a", "b"] * 50, dtype="string")})
    now = pd.DataFrame({"kind": pd.array(["a", "b", "b"] * 33, dtype="string")})
    constraints = columns.suggest(before)
    rules = {**columns.MONITORING["distribution_constraints"], "categorical_drift_method":
             "ChiSquared", "categorical_comparison_threshold": 0.05}  # fmt: skip
    constraints["monitoring_config"] = {**columns.MONITORING, "distribution_constraints": rules}
    (found,) = drift.find_violations(now, constraints, columns.describe(before))
    assert found["constraint_check_type"] == "baseline_drift_check"
    # χ² = 199 · (50·66 - 50·33)² / (83 · 116 · 100 · 99) = 5.68, of one degree of freedom.
    assert float(found["description"].split()[3]) == pytest.approx(0.0171, abs=2e-4)
    assert drift.find_violations(before, constraints, columns.describe(before)) == []


def test_thresholds_and_overrides_of_an_edited_baseline_hold():
    before, now = pd.DataFrame({"n": range(100)}), pd.DataFrame({"n": range(30, 130)})
    constraints, statistics = columns.suggest(before), columns.describe(before)
    # Robust takes 1.8 · √(200 / 10000) = 0.25 off the distance of 0.3.
    assert drift.find_violations(now, constraints, statistics) == []
    rules = {**columns.MONITORING["distribution_constraints"], "comparison_method": "Simple"}
    constraints["monitoring_config"] = {**columns.MONITORING, "distribution_constraints": rules}
    (found,) = drift.find_violations(now, constraints, statistics)
    assert found["constraint_check_type"] == "baseline_drift_check"
    distance, threshold = (float(found["description"].split()[n]) for n in (3, 6))
    assert (distance, threshold) == (pytest.approx(0.3), 0.1)
    override = {"distribution_constraints": {"comparison_threshold": 0.31}}
    constraints["features"][0]["monitoringConfigOverrides"] = override
    assert drift.find_violations(now, constraints, statistics) == []
    rules["comparison_threshold"] = 0.05
    constraints["features"][0]["monitoringConfigOverrides"] = {}
    constraints["monitoring_config"]["evaluate_constraints"] = "Disabled"
    assert drift.find_violations(now, constraints, statistics) == []


def test_a_processing_step_with_the_image_runs_it_too(place):
    (place.folder / "base.csv").write_text("n\n1\n2\n")
    step = quality("baseline", "base.csv", **FIRST)
    plain = {"Name": "baseline", "Type": "Processing", "Arguments": step["Arguments"]}
    ran = place.run(document(plain))
    assert ran.status == "Succeeded", ran.steps["baseline"].failure_reason
    (made,) = (place.store / "s3").rglob("baseline/constraints.json")
    assert json.loads(made.read_text())["features"][0]["name"] == "n"
