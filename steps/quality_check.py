"""QualityCheck: compares the quality of data or of a model's answers with a baseline.

Request: CreateProcessingJob (Amazon SageMaker API Reference), with the environment variables of the
Model Monitor image as the SDK's ``QualityCheckStep`` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _checks, _processing
from steps import _fragments as f
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Problem, Step
from steps._jobs import Arguments, variables
from steps._processing import ROOT

_CHECKS = {"data_quality": "DATA_QUALITY", "model_quality": "MODEL_QUALITY"}
_FILES = ("statistics", "constraints")
_DATASET = f"{ROOT}/input/baseline_dataset_input"
_SCRIPTS = {
    "postprocessor": (
        "post_analytics_processor_script_input",
        "post_analytics_processor_script",
    ),
    "preprocessor": ("record_preprocessor_script_input", "record_preprocessor_script"),
}
"""The input and the environment variable of each script."""
_ATTRIBUTES = (
    "inference_attribute",
    "probability_attribute",
    "ground_truth_attribute",
    "probability_threshold_attribute",
)
_OF_FORMATS = {"header": "csv", "output_columns": "csv", "lines": "json"}


def _attribute(what: str, *examples: Any) -> f.Schema:
    return f.scalar(f"{what}: a column's index or a JSONPath.", *examples)


class QualityCheck(Kind):
    """Checks data or a model's answers."""

    name = "QualityCheck"
    api_type = "QualityCheck"
    operation = "CreateProcessingJob"
    summary = "Compare the quality of data or of a model's answers with a baseline."
    about = (
        "`check: data_quality` looks at a data set's columns: types, missing values, "
        "distributions. `check: model_quality` looks at answers beside the truth: accuracy, "
        "precision, recall, error. A job with Model Monitor's image writes `statistics.json` and "
        "`constraints.json` of `dataset`, and the service compares them with a baseline: the one "
        "under `baseline`, else that of the latest approved version in the group `group`. A "
        "violation fails the step, unless `fail_on_violation: false` says otherwise.\n\n"
        "In the first run there is no baseline yet: `skip_check: true` with "
        "`register_new_baseline: true` only calculates one. Both are often parameters. "
        "`checks: [NAME]` of a RegisterModel step puts what was calculated and what was compared "
        "with into the new version, where the next run finds it.\n\n"
        "A `preprocessor` is a Python file that Model Monitor calls for every record; a "
        "`postprocessor` is called at the end. Both go into assets; nothing is uploaded while "
        "compiling."
    )
    example = (
        "data-quality:\n"
        "  type: QualityCheck\n"
        "  check: data_quality\n"
        "  instance: ml.m5.large\n"
        '  dataset: "${steps.preprocess.outputs.train}"\n'
        "  group: pulsar\n"
        '  skip_check: "${parameters.FirstRun}"\n'
        '  register_new_baseline: "${parameters.FirstRun}"\n'
    )
    required = ("check", "dataset", "instance")
    cacheable = True
    refused = _processing.REFUSED
    supplied = ("ProcessingJobName",)
    fields = {
        "check": _checks.choice_of_check(_CHECKS),
        "dataset": _checks.dataset(
            "The data that are looked at.",
            {
                "format": f.choice("The data's form.", "csv", "json", "capture", literal=True),
                "header": f.boolean("Whether the first line of CSV has names.", False,
                                    literal=True),
                "output_columns": f.choice("Where in CSV the answers stand.", "start", "end",
                                           literal=True),
                "lines": f.boolean("Whether every line of JSON is a record.", False,
                                   literal=True),
            },
        ),
        "problem_type": Field(
            f.choice(
                "What the model does.",
                "BinaryClassification",
                "MulticlassClassification",
                "Regression",
            ),
            api="Environment.problem_type",
        ),
        "inference_attribute": Field(
            _attribute("Where the answer stands", 0), api="Environment.inference_attribute"
        ),
        "probability_attribute": Field(
            _attribute("Where the probability stands", 1), api="Environment.probability_attribute"
        ),
        "ground_truth_attribute": Field(
            _attribute("Where the truth stands", 2), api="Environment.ground_truth_attribute"
        ),
        "probability_threshold_attribute": Field(
            f.scalar("From which probability on the answer is yes.", 0.5),
            api="Environment.probability_threshold_attribute",
        ),
        "preprocessor": Field(
            f.text("A script for every record: a file, or an S3 URI.", "quality/pre.py", path=True)
        ),
        "postprocessor": Field(
            f.text("A script for the end: a file, or an S3 URI.", "quality/post.py", path=True)
        ),
        **_checks.comparing_fields(*_FILES),
        **_checks.JOB_FIELDS,
    }  # fmt: skip

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer what was calculated and what it was compared with."""
        del step
        return _checks.offered(*_FILES)

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``calculated.FILE``, ``baseline.FILE`` and ``properties.NAME``."""
        return _checks.resolve(step, path, *_FILES)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield fields that belong to the other check, or to another format of the data."""
        if step.fields.get("check") == "model_quality":
            yield from _checks.wanted_elsewhere(step, ("preprocessor",), "data_quality")
            if "problem_type" not in step.fields:
                yield Problem(
                    "missing-key",
                    (),
                    "missing key `problem_type`",
                    "a check of a model's quality needs to know what the model does",
                    at_key=True,
                )
        else:
            names = ("problem_type", *_ATTRIBUTES)
            yield from _checks.wanted_elsewhere(step, names, "model_quality")
        dataset = step.fields.get("dataset") or {}
        form = dataset.get("format", "csv")
        for name, wanted in _OF_FORMATS.items():
            if name in dataset and form != wanted:
                yield Problem(
                    "needs-another",
                    ("dataset", name),
                    f"`{name}` needs `format: {wanted}`",
                    f"the format is {form}",
                    at_key=True,
                )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateProcessingJob arguments."""
        fields = step.fields
        dataset = fields.get("dataset") or {}
        inputs: dict[str, Any] = {
            "baseline_dataset_input": {"source": dataset.get("source"), "path": _DATASET}
        }
        scripts: dict[str, str] = {}
        for name, (input_name, variable) in _SCRIPTS.items():
            if name in fields:
                given = fields[name]
                source = given if _checks.is_remote(given) else context.asset(step, (name,))
                folder = f"{ROOT}/input/{input_name}"
                inputs[input_name] = {"source": source, "path": folder}
                scripts[variable] = f"{folder}/{source.rsplit('/', 1)[-1]}"
        environment: dict[str, Any] = {
            **variables(step),
            "output_path": f"{ROOT}/output",
            # Only monitoring schedules publish metrics (SDK `QualityCheckStep`).
            "publish_cloudwatch_metrics": "Disabled",
            "dataset_format": json.dumps(_format(dataset)),
            **scripts,
            "dataset_source": _DATASET,
        }
        if fields.get("check") == "model_quality":
            environment["analysis_type"] = _CHECKS["model_quality"]
            for name in ("problem_type", *_ATTRIBUTES):
                if name in fields:
                    environment[name] = fields[name]
        return _checks.check_job(
            step,
            context,
            framework="model-monitor",
            environment=environment,
            inputs=inputs,
            output=("quality_check_output", "EndOfJob"),
        )

    def members(self, step: Step, context: Context) -> Mapping[str, Any]:
        """Return the check's type, its baseline and what follows from the comparison."""
        del context
        return _checks.check_members(step, _CHECKS.get(str(step.fields.get("check")), ""))


def _format(dataset: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the data's form in the words of Model Monitor (SDK ``DatasetFormat``)."""
    form = dataset.get("format", "csv")
    if form == "json":
        return {"json": {"lines": dataset.get("lines", True)}}
    if form == "capture":
        return {"sagemakerCaptureJson": {}}
    columns = str(dataset.get("output_columns", "start")).upper()
    return {"csv": {"header": dataset.get("header", True), "output_columns_position": columns}}


KIND = QualityCheck()
