"""ClarifyCheck steps, run: bias of data, of a served model, and what its answers hang on."""

from __future__ import annotations

import io
import json
import tarfile
import textwrap
from typing import Any

import pytest
from check_steps import FIRST, clarify
from local_samples import IMAGE, document, get, model

from pipelines.local.objects import ObjectStore

pytest.importorskip("pandas")

ROWS = ["1,0,5,1", "1,0,6,1", "1,0,7,1", "1,0,8,0", "0,1,5,1", "0,1,6,0", "0,1,7,0", "0,1,8,0"]
HEADERS = ["kind", "twist", "size", "label"]

BIAS = {
    "dataset_type": "text/csv",
    "label": "label",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "kind", "value_or_threshold": [0]}],
    "methods": {"pre_training_bias": {"methods": "all"}, "report": {"name": "report"}},
}

# Says 3·kind + 2·size, or whether it is above a limit.
SCRIPT = textwrap.dedent(
    """
    def model_fn(model_dir):
        return 3.0, 0.0, 2.0

    def input_fn(body, content_type):
        assert content_type == "text/csv"
        return [[float(word) for word in line.split(",")] for line in body.splitlines()]

    def predict_fn(rows, weights):
        return [sum(w * each for w, each in zip(weights, row)) for row in rows]

    def output_fn(prediction, accept):
        return "".join(f"{int(each > 14)},{each}\\n" for each in prediction), "text/csv"
    """
)


def prepare(place: Any, rows: list[str] = ROWS, config: Any = BIAS) -> None:
    (place.folder / "data.csv").write_text("\n".join([",".join(HEADERS), *rows]) + "\n")
    folder = place.folder / "config"
    folder.mkdir(exist_ok=True)
    (folder / "analysis_config.json").write_text(json.dumps(config))


CONFIG = "config/analysis_config.json"


def analysis(ran: Any, name: str = "analysis.json") -> Any:
    folder = ran.folder / ".sagedag/s3/bucket/runs" / ran.record.id / "check"
    text = (folder / name).read_text()
    return json.loads(text) if name.endswith(".json") else text


def metrics(section: Any, facet: str = "kind") -> dict[str, Any]:
    (entry,) = section["facets"][facet]
    return {each["name"]: each["value"] for each in entry["metrics"]}


def test_bias_of_data_is_measured_and_compared(place):
    prepare(place)
    first = place.run(document(clarify("check", "data.csv", CONFIG, "DATA_BIAS", **FIRST)))
    assert first.status == "Succeeded", first.steps["check"].failure_reason
    made = analysis(first)["pre_training_bias_metrics"]
    assert (made["label"], made["label_value_or_threshold"]) == ("label", "1")
    assert made["facets"]["kind"][0]["value_or_threshold"] == "0"
    values = metrics(made)
    assert values["CI"] == 0
    assert values["DPL"] == 3 / 4 - 1 / 4
    assert values["CDDL"] is None
    known = first.steps["check"].properties
    assert known["BaselineUsedForDriftCheckConstraints"].endswith("/check/analysis.json")
    supplied = {"SuppliedBaselineConstraints": known["CalculatedBaselineConstraints"]}
    same = place.run(document(clarify("check", "data.csv", CONFIG, "DATA_BIAS", **supplied)))
    assert same.status == "Succeeded", same.steps["check"].failure_reason
    prepare(place, [*ROWS[:3], "1,0,8,1", *ROWS[4:]])
    worse = place.run(document(clarify("check", "data.csv", CONFIG, "DATA_BIAS", **supplied)))
    assert worse.status == "Failed"
    reason = worse.steps["check"].failure_reason
    assert "- kind 0 DPL (bias_drift_check): Value 0.75 exceeds threshold 0.5" in reason
    assert worse.steps["check"].metadata["ClarifyCheck"]["ViolationReport"]


@pytest.fixture
def made_model(place: Any) -> dict[str, Any]:
    """A step that makes a model whose weights are 3, 0 and 2."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        info = tarfile.TarInfo("code/inference.py")
        info.size = len(SCRIPT.encode())
        archive.addfile(info, io.BytesIO(SCRIPT.encode()))
    ObjectStore(place.store / "s3").put("s3://bucket/model.tar.gz", stream.getvalue())
    container = {
        "Image": IMAGE,
        "ModelDataUrl": "s3://bucket/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
    }
    return model("make", PrimaryContainer=container)


def test_a_models_answers_are_asked_for(place, made_model):
    methods = {"post_training_bias": {"methods": ["DPPL", "DI", "AD"]}}
    prepare(place, config={**BIAS, "methods": methods, "predictor": {"label": 0}})
    ran = place.run(document(made_model, clarify(
        "check", "data.csv", CONFIG, "MODEL_BIAS", ModelName=get("Steps.make.ModelName"), **FIRST
    )))  # fmt: skip
    assert ran.status == "Succeeded", ran.steps["check"].failure_reason
    # 3·kind + 2·size > 14: of kind 1 those of size 6 to 8, of kind 0 that of size 8.
    values = metrics(analysis(ran)["post_training_bias_metrics"])
    assert values["DPPL"] == 3 / 4 - 1 / 4
    assert values["DI"] == pytest.approx(1 / 3)
    # Right are two of kind 1 (sizes 6, 7), two of kind 0 (sizes 6, 7).
    assert values["AD"] == 0


def test_what_answers_hang_on_is_explained(place, made_model):
    methods = {
        "shap": {"baseline": [[0, 0, 5]], "num_samples": 10},
        "pdp": {"features": ["kind"]},
    }
    predictor = {"probability": 1, "label_headers": ["score"]}
    config = {"dataset_type": "text/csv", "label": "label", "methods": methods,
              "predictor": predictor}  # fmt: skip
    prepare(place, config=config)
    steps = (made_model, clarify("check", "data.csv", CONFIG, "MODEL_EXPLAINABILITY",
                                 ModelName=get("Steps.make.ModelName"), **FIRST))  # fmt: skip
    ran = place.run(document(*steps))
    assert ran.status == "Succeeded", ran.steps["check"].failure_reason
    made = analysis(ran)["explanations"]
    # A linear model: weight times distance from the baseline; 3·½ and 2·(0+1+2+3)/4 on average.
    assert made["kernel_shap"]["score"]["global_shap_values"] == pytest.approx(
        {"kind": 1.5, "twist": 0, "size": 3}, abs=1e-9
    )
    assert made["kernel_shap"]["score"]["expected_value"] == 10
    (plot,) = made["pdp"]
    assert plot["feature_values"] == [0, 1]
    assert plot["model_predictions"] == [[13, 16]]
    head, first, *_ = analysis(ran, "explanations_shap/out.csv").splitlines()
    assert head == "kind_score,twist_score,size_score"
    assert [float(each) for each in first.split(",")] == pytest.approx([3, 0, 0], abs=1e-9)


def test_bad_configuration_fails_in_words(place):
    prepare(place, config={**BIAS, "label": "nothing"})
    ran = place.run(document(clarify("check", "data.csv", CONFIG, "DATA_BIAS", **FIRST)))
    assert "label is 'nothing'; the data have the columns kind" in (
        ran.steps["check"].failure_reason
    )
