"""Checks of data quality: real jobs over small tables, their files and what becomes of them."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from check_steps import CSV, FIRST, approve, quality
from local_samples import document

pytest.importorskip("pandas")


def table(folder: Path, name: str, text: str) -> str:
    """Write a table and return its place, relative to the definition."""
    target = folder / "tables" / name
    target.parent.mkdir(exist_ok=True)
    target.write_text(textwrap.dedent(text).lstrip())
    return f"tables/{name}"


BASELINE = """
    age,height,band
    1,1.5,L
    2,2.5,L
    3,,S
    4,4.5,L
    """


def output(ran: Any, step: str, name: str) -> Any:
    path = ran.folder / ".sagedag/s3/bucket/runs" / ran.record.id / step / f"{name}.json"
    return json.loads(path.read_text())


def calculate(place: Any, data: str, **more: Any) -> Any:
    ran = place.run(document(quality("check", data, **FIRST, **more)))
    assert ran.status == "Succeeded", ran.steps["check"].failure_reason
    return ran


def test_statistics_and_constraints_have_the_documented_form(place):
    ran = calculate(place, table(place.folder, "base.csv", BASELINE))
    statistics = output(ran, "check", "statistics")
    assert statistics["dataset"] == {"item_count": 4}
    age, height, band = statistics["features"]
    numbers = age["numerical_statistics"]
    assert (age["name"], age["inferred_type"]) == ("age", "Integral")
    assert numbers["common"] == {"num_present": 4, "num_missing": 0}
    assert [numbers[key] for key in ("mean", "sum", "min", "max")] == [2.5, 10, 1, 4]
    # The square root of (2.25 + 0.25 + 0.25 + 2.25) / 4.
    assert numbers["std_dev"] == pytest.approx(1.1180339887)
    kll = numbers["distribution"]["kll"]
    assert [bucket["count"] for bucket in kll["buckets"]] == [1, 0, 0, 1, 0, 0, 1, 0, 0, 1]
    assert kll["buckets"][0] == {"lower_bound": 1.0, "upper_bound": 1.3, "count": 1.0}
    assert kll["sketch"] == {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[1, 2, 3, 4]]}
    assert height["inferred_type"] == "Fractional"
    assert height["numerical_statistics"]["common"] == {"num_present": 3, "num_missing": 1}
    assert band["string_statistics"] == {
        "common": {"num_present": 4, "num_missing": 0},
        "distinct_count": 2.0,
        "distribution": {
            "categorical": {"buckets": [{"value": "L", "count": 3}, {"value": "S", "count": 1}]}
        },
    }
    constraints = output(ran, "check", "constraints")
    assert constraints["features"] == [
        {
            "name": "age",
            "inferred_type": "Integral",
            "completeness": 1.0,
            "num_constraints": {"is_non_negative": True},
        },
        {
            "name": "height",
            "inferred_type": "Fractional",
            "completeness": 0.75,
            "num_constraints": {"is_non_negative": True},
        },
        {"name": "band", "inferred_type": "String", "completeness": 1.0},
    ]
    assert constraints["monitoring_config"]["distribution_constraints"] == {
        "perform_comparison": "Enabled",
        "comparison_threshold": 0.1,
        "comparison_method": "Robust",
        "categorical_comparison_threshold": 0.1,
        "categorical_drift_method": "LInfinity",
    }
    properties = ran.steps["check"].properties
    where = f"s3://bucket/runs/{ran.record.id}/check"
    assert properties == {
        "CalculatedBaselineStatistics": f"{where}/statistics.json",
        "CalculatedBaselineConstraints": f"{where}/constraints.json",
        "BaselineUsedForDriftCheckStatistics": f"{where}/statistics.json",
        "BaselineUsedForDriftCheckConstraints": f"{where}/constraints.json",
    }


def violations(ran: Any) -> dict[str, str]:
    found = output(ran, "check", "constraint_violations")["violations"]
    return {f"{each['feature_name']}/{each['constraint_check_type']}": each["description"]
            for each in found}  # fmt: skip


def against(place: Any, baseline: Any, data: str, **more: Any) -> Any:
    """Check data against what an earlier run calculated."""
    known = baseline.steps["check"].properties
    supplied = {
        "SuppliedBaselineStatistics": known["CalculatedBaselineStatistics"],
        "SuppliedBaselineConstraints": known["CalculatedBaselineConstraints"],
    }
    return place.run(document(quality("check", data, **{**supplied, **more})))


def test_violations_fail_the_step_and_are_listed(place):
    rows = "".join(f"{n},{n}.5,{'ab'[n % 2]}\n" for n in range(200))
    baseline = calculate(place, table(place.folder, "base.csv", "age,height,band\n" + rows))
    changed = "".join(
        f"{'x' if n == 7 else n},{'' if n < 20 else n + 60.5},{'c' if n < 5 else 'a'},1\n"
        for n in range(200)
    )
    data = table(place.folder, "now.csv", "age,height,band,more\n" + changed)
    ran = against(place, baseline, data)
    assert ran.status == "Failed"
    found = violations(ran)
    assert found["age/data_type_check"] == (
        "Data type match requirement is not met. Expected data type: Integral, Expected match: "
        "100.0%. Observed: Only 99.5% of data is Integral."
    )
    assert found["height/completeness_check"] == (
        "Data completeness requirement is not met. Expected: 100.0%. Observed: Only 90.0% of data "
        "is complete."
    )
    assert found["Extra columns/extra_column_check"].startswith(
        "There are extra columns in current dataset. Number of columns in current dataset: 4, "
        "Number of columns in baseline constraints: 3"
    )
    assert "97.5% of values are known" in found["band/categorical_values_check"]
    # Half of the values were b, none is: 0.5, less 1.8 times the root of 400/40000.
    distance, _, rest = found["band/baseline_drift_check"].partition(" exceeds ")
    assert float(distance.removeprefix("Baseline drift distance: ")) == pytest.approx(0.32)
    assert rest == "threshold: 0.1"
    assert "height/baseline_drift_check" in found
    reason = ran.steps["check"].failure_reason
    assert "6 violations" in reason
    assert "- age (data_type_check): Data type match" in reason
    metadata = ran.steps["check"].metadata["QualityCheck"]
    assert metadata["ViolationReport"].endswith("/check/constraint_violations.json")
    assert metadata["CheckType"] == "DATA_QUALITY"

    told = against(place, baseline, data, FailOnViolation=False)
    assert told.status == "Succeeded"
    assert len(violations(told)) == 6
    assert told.steps["check"].metadata["QualityCheck"]["ViolationReport"]


def test_the_same_data_break_nothing_and_a_column_less_does(place):
    baseline = calculate(place, table(place.folder, "base.csv", BASELINE))
    same = against(place, baseline, "tables/base.csv")
    assert (same.status, violations(same)) == ("Succeeded", {})
    less = against(place, baseline, table(place.folder, "less.csv", "age,height\n1,1.5\n"))
    assert list(violations(less)) == ["Missing columns/missing_column_check"]
    assert "(band)" in less.steps["check"].failure_reason


def test_a_baseline_comes_from_the_latest_approved_version(place):
    data = table(place.folder, "base.csv", BASELINE)
    group = {"ModelPackageGroupName": "group"}
    none = place.run(document(quality("check", data, **group)))
    assert none.status == "Failed"
    assert "the group `group` has no approved version" in none.steps["check"].failure_reason
    first = place.run(
        document(quality("check", data, **FIRST, **group), approve("check", "ModelDataQuality"))
    )
    assert first.status == "Succeeded"
    used = first.packages[0].description["DriftCheckBaselines"]["ModelDataQuality"]
    assert used["Constraints"]["S3Uri"].endswith("/check/constraints.json")
    second = place.run(
        document(
            quality("check", data, **group),
            approve("check", "ModelDataQuality"),
        )
    )
    assert second.status == "Succeeded", second.steps["check"].failure_reason
    properties = second.steps["check"].properties
    # Nothing new was to be registered: the second version keeps the first one's baseline.
    assert properties["BaselineUsedForDriftCheckConstraints"] == used["Constraints"]["S3Uri"]
    assert second.record.id in properties["CalculatedBaselineConstraints"]
    bad = place.run(document(quality("check", table(place.folder, "bad.csv", "age\n1\n"), **group)))
    assert "missing_column_check" in bad.steps["check"].failure_reason


def test_scripts_run_as_in_the_container(place):
    (place.folder / "pre.py").write_text(
        "def preprocess_handler(inference_record, logger):\n"
        "    fields = inference_record.endpoint_input.data.split(',')\n"
        "    logger.warning('seen %s', fields[0])\n"
        "    if fields[0] == '2':\n"
        "        return []\n"
        "    return {'age': int(fields[0]), 'double': 2 * int(fields[0])}\n"
    )
    (place.folder / "post.py").write_text(
        "import json\nfrom pathlib import Path\n"
        "def postprocess_handler():\n"
        "    out = Path('/opt/ml/processing/output')\n"
        "    count = json.loads((out / 'statistics.json').read_text())['dataset']['item_count']\n"
        "    (out / 'count.json').write_text(json.dumps(count))\n"
    )
    scripts = {
        "record_preprocessor_script": "pre.py",
        "post_analytics_processor_script": "post.py",
    }
    ran = calculate(place, table(place.folder, "base.csv", BASELINE), scripts=scripts)
    features = output(ran, "check", "statistics")["features"]
    assert [each["name"] for each in features] == ["age", "double"]
    assert [each["numerical_statistics"]["sum"] for each in features] == [8, 16]
    assert output(ran, "check", "count") == 3
    (place.folder / "pre.py").write_text("def preprocess_handler(r):\n    return r.nothing\n")
    failed = place.run(document(quality("check", "tables/base.csv", scripts=scripts, **FIRST)))
    assert "preprocess_handler: AttributeError" in failed.steps["check"].failure_reason


def test_bad_data_fail_the_step_in_words(place):
    empty = table(place.folder, "empty.csv", "a,b\n")
    ran = place.run(document(quality("check", empty, **FIRST)))
    assert "the data have no rows" in ran.steps["check"].failure_reason


def test_what_the_handlers_file_names_stands_in(place):
    from pipelines.local.stand_ins import StandIns

    (place.folder / "mine.py").write_text(
        "import json\nfrom pathlib import Path\n"
        "def check(event, context):\n"
        "    out = Path('/opt/ml/processing/output')\n"
        "    (out / 'statistics.json').write_text('{}')\n"
        "    (out / 'constraints.json').write_text(json.dumps({'mine': True}))\n"
    )
    entry = {"function": "mine:check", "folder": str(place.folder)}
    stand_ins = StandIns({"images": {"sagemaker-model-monitor-analyzer": entry}})
    data = table(place.folder, "base.csv", BASELINE)
    ran = place.run(document(quality("check", data, **FIRST)), stand_ins=stand_ins)
    assert ran.status == "Succeeded", ran.steps["check"].failure_reason
    assert output(ran, "check", "constraints") == {"mine": True}


def test_the_cache_looks_at_what_is_documented(place):
    data = table(place.folder, "base.csv", BASELINE)
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "30d"}}
    first = place.run(document(quality("check", data, form=CSV, **FIRST, **cached)))
    again = place.run(document(quality("check", data, **FIRST, **cached, FailOnViolation=False)))
    assert again.steps["check"].cache_source == first.record.arn
    other = place.run(document(quality("check", data, **cached, SkipCheck=True,
                                       SuppliedBaselineConstraints="tables/base.csv")))  # fmt: skip
    assert not other.steps["check"].cache_source
