"""ClarifyCheck: compares bias in data or answers, or a model's explanations, with a baseline.

Request: CreateProcessingJob (Amazon SageMaker API Reference), as the SDK's ``ClarifyCheckStep``
writes it. The configuration that the SDK uploads while compiling is an asset here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _checks, _clarify, _processing
from steps import _fragments as f
from steps._contract import Attribute, Context, Document, Field, Kind, NoAttribute, Problem, Step
from steps._expressions import DocumentRef
from steps._jobs import Arguments, present, variables
from steps._processing import ROOT

_FILES = ("constraints",)


class ClarifyCheck(Kind):
    """Checks bias or explanations."""

    name = "ClarifyCheck"
    api_type = "ClarifyCheck"
    operation = "CreateProcessingJob"
    summary = "Compare bias, or what a model's answers hang on, with a baseline."
    about = (
        "`check: data_bias` looks for bias in a data set before training, `model_bias` for bias in "
        "a model's answers, `model_explainability` for what its answers hang on. A job with "
        "Clarify's image calculates it, and the service compares it with a baseline as for "
        "QualityCheck; a baseline of Clarify has constraints only.\n\n"
        "`config` is Clarify's analysis configuration, in its own words: `label`, "
        "`label_values_or_threshold`, `facet`, `methods`, `predictor` and so on. `dataset_type` "
        "and the report are filled in, for bias `methods` too. It becomes a file among the assets "
        "when the definition is compiled, so no reference can stand in it: `dataset` and `model` "
        "take references.\n\n"
        "For `model_bias` and `model_explainability` Clarify starts an endpoint of `model` for the "
        "time of the check, on what `config.predictor` says. `${steps.NAME.config}` is the "
        "configuration that a later monitoring schedule needs; `checks: [NAME]` of a RegisterModel "
        "step puts it into the new version, with the constraints."
    )
    example = (
        "data-bias:\n"
        "  type: ClarifyCheck\n"
        "  check: data_bias\n"
        "  instance: ml.m5.large\n"
        '  dataset: "${steps.preprocess.outputs.train}"\n'
        "  config:\n"
        "    headers: [mean, skew, telescope, pulsar]\n"
        "    label: pulsar\n"
        "    label_values_or_threshold: [1]\n"
        "    facet: [{name_or_index: telescope, value_or_threshold: [2]}]\n"
        "  group: pulsar\n"
    )
    required = ("check", "dataset", "config", "instance")
    cacheable = True
    refused = _processing.REFUSED
    supplied = ("ProcessingJobName",)
    fields = {
        "check": _checks.choice_of_check(_clarify.CHECKS),
        "dataset": _checks.dataset(
            "The data that are looked at.",
            {
                "format": f.choice("The data's form.", *_clarify.FORMATS, literal=True),
                "distribution": f.choice(
                    "What every instance gets.", "FullyReplicated", "ShardedByS3Key"
                ),
                "compression": f.choice("Unpack it on the way.", "None", "Gzip"),
            },
        ),
        "model": Field(
            f.text(
                "The name of the model that is asked.",
                "${steps.create-model.model}",
                meaning="model-name",
            ),
            api="ModelName",
        ),
        "config": Field(
            {
                "type": "object",
                "description": "Clarify's analysis configuration, in its own names.",
                "examples": [
                    {
                        "label": "pulsar",
                        "label_values_or_threshold": [1],
                        "facet": [{"name_or_index": "telescope"}],
                    }
                ],
            }
        ),
        **_checks.comparing_fields(*_FILES),
        **_checks.JOB_FIELDS,
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer what was calculated, what it was compared with, and the configuration."""
        del step
        return {**_checks.offered(*_FILES), "config": []}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``calculated.FILE``, ``baseline.FILE``, ``properties.NAME`` and ``config``."""
        if path[0] == "config":
            return Attribute(DocumentRef(step.name, "config"), path[1:])
        return _checks.resolve(step, path, *_FILES)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield what is wrong with the configuration, and a model too many or too few."""
        check = str(step.fields.get("check"))
        if check not in _clarify.NEEDS_MODEL:
            yield from _checks.wanted_elsewhere(step, ("model",), "model_bias")
        elif "model" not in step.fields:
            yield Problem(
                "missing-key",
                (),
                "missing key `model`",
                "the name of the model that is asked, usually `${steps.NAME.model}` of a "
                "CreateModel step",
                at_key=True,
            )
        yield from _clarify.check_config(step)

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateProcessingJob arguments."""
        dataset = step.fields.get("dataset") or {}
        analysis = _clarify.analysis(step)
        # What can't be written was told by `check`.
        source = ""
        if _clarify.is_settled(analysis):
            source = context.document(_clarify.document(analysis))
        is_image = analysis["dataset_type"] == _clarify.FORMATS["image"]
        inputs = {
            "analysis_config": {"source": source, "path": f"{ROOT}/input/config"},
            "dataset": present(
                source=dataset.get("source"),
                path=f"{ROOT}/input/data",
                distribution=dataset.get("distribution"),
                compression=dataset.get("compression"),
            ),
        }
        return _checks.check_job(
            step,
            context,
            framework="clarify",
            environment=variables(step),
            inputs=inputs,
            output=("analysis_result", "Continuous" if is_image else "EndOfJob"),
        )

    def members(self, step: Step, context: Context) -> Mapping[str, Any]:
        """Return the check's type, its baseline, what follows, and the model."""
        del context
        check = str(step.fields.get("check"))
        made = _checks.check_members(step, _clarify.CHECKS.get(check, ""))
        if check in _clarify.NEEDS_MODEL:
            made.update(present(ModelName=step.fields.get("model")))
        return made

    def document(self, step: Step, name: str) -> Document:
        """Return the configuration for monitoring schedules."""
        del name
        made = _clarify.monitoring(step)
        return _clarify.document(made if _clarify.is_settled(made) else {})


KIND = ClarifyCheck()
