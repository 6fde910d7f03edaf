"""Clarify's configuration: what is asked of it, and the two files that it becomes.

Standard library only. The keys are those of ``ANALYSIS_CONFIG_SCHEMA_V1_0`` in the SDK's
``clarify.py``; what each check needs is what the SDK's ``ClarifyCheckStep`` and its configuration
classes ask for.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from steps._contract import Document, Problem, Step
from steps._expressions import UNKNOWN, Path, is_expression

CHECKS = {
    "data_bias": "DATA_BIAS",
    "model_bias": "MODEL_BIAS",
    "model_explainability": "MODEL_EXPLAINABILITY",
}
METHODS = {
    "data_bias": ("pre_training_bias",),
    "model_bias": ("post_training_bias",),
    "model_explainability": ("shap", "pdp", "asymmetric_shapley_value"),
}
"""What a check calculates; the keys of ``methods``."""
NEEDS_MODEL = ("model_bias", "model_explainability")

FORMATS = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonlines": "application/jsonlines",
    "parquet": "application/x-parquet",
    "image": "application/x-image",
}
KEYS = (
    "version", "dataset_type", "dataset_uri", "headers", "label", "predicted_label", "features",
    "label_values_or_threshold", "probability_threshold", "segment_config", "facet",
    "facet_dataset_uri", "facet_headers", "predicted_label_dataset_uri", "predicted_label_headers",
    "excluded_columns", "joinsource_name_or_index", "group_variable", "time_series_data_config",
    "methods", "predictor",
)  # fmt: skip
_OF_BIAS = ("label_values_or_threshold", "facet", "group_variable", "headers", "label")
_OF_ANSWERS = ("label", "probability", "label_headers", "model_name")
"""Keys of ``predictor`` that a monitoring schedule takes from elsewhere."""
_FILE = "analysis_config.json"


def config_of(step: Step) -> Mapping[str, Any]:
    """Return the step's configuration; empty where it is none."""
    config = step.fields.get("config")
    return config if isinstance(config, Mapping) else {}


def analysis(step: Step) -> dict[str, Any]:
    """Return the configuration of the check's job, with what the check implies filled in."""
    config = dict(config_of(step))
    form = (step.fields.get("dataset") or {}).get("format", "csv")
    config.setdefault("dataset_type", FORMATS.get(form, form))
    given = config.get("methods", {})
    methods = dict(given) if isinstance(given, Mapping) else {}
    if not methods and step.fields.get("check") != "model_explainability":
        for name in METHODS.get(str(step.fields.get("check")), ()):
            methods[name] = {"methods": "all"}
    methods.setdefault("report", {"name": "report", "title": "Analysis Report"})
    config["methods"] = methods
    return config


def monitoring(step: Step) -> dict[str, Any]:
    """Return the configuration that a later monitoring schedule needs."""
    config = analysis(step)
    if step.fields.get("check") != "model_explainability":
        return {name: config[name] for name in _OF_BIAS if name in config}
    made: dict[str, Any] = {
        "methods": _but(config["methods"], "report"),
        "predictor": _but(config.get("predictor"), *_OF_ANSWERS),
    }
    headers = config.get("headers")
    if isinstance(headers, list):
        # An explanation is about what the model is asked, and the label is no part of it.
        made["headers"] = [name for name in headers if name != config.get("label")]
    return made


def _but(value: Any, *names: str) -> dict[str, Any]:
    """Return a map without some of its keys."""
    items = value.items() if isinstance(value, Mapping) else ()
    return {name: part for name, part in items if name not in names}


def document(config: Mapping[str, Any]) -> Document:
    """Return a configuration as a file: the order in which its keys were written is no matter."""
    text = json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False)
    return Document(_FILE, (text + "\n").encode())


def is_settled(value: Any) -> bool:
    """Whether a value is known while compiling, in all its parts."""
    if isinstance(value, Mapping):
        return all(is_settled(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return all(is_settled(part) for part in value)
    return not is_expression(value)


def check_config(step: Step) -> Iterator[Problem]:
    """Yield what is wrong with the configuration."""
    config, check = config_of(step), str(step.fields.get("check"))
    yield from _references(config, ("config",))
    yield from _unknown(config, KEYS, ("config",))
    if "dataset_uri" in config:
        yield _refused(("config", "dataset_uri"), "the field `dataset` says where the data are")
    needed = {
        "data_bias": ("label_values_or_threshold", "facet"),
        "model_bias": ("label_values_or_threshold", "facet", "predictor"),
        "model_explainability": ("methods", "predictor"),
    }
    for name in needed.get(check, ()):
        if name not in config:
            message = f"missing key `{name}`"
            hint = f"Clarify needs it for `check: {check}`"
            yield Problem("missing-key", ("config",), message, hint, at_key=True)
    yield from _check_methods(config.get("methods"), check)
    yield from _check_predictor(config.get("predictor"), check)


def _check_methods(methods: Any, check: str) -> Iterator[Problem]:
    known = METHODS.get(check, ())
    if methods is None or is_expression(methods) or not known:
        return
    if not isinstance(methods, Mapping):
        message = "`methods` is a map of methods to their settings"
        yield Problem("wrong-type", ("config", "methods"), message, f"such as `{known[0]}`")
        return
    for name in methods:
        if name not in (*known, "report"):
            yield Problem(
                "bad-value",
                ("config", "methods", name),
                f"`check: {check}` has no method `{name}`",
                f"it has {', '.join(f'`{each}`' for each in known)}",
                at_key=True,
            )
    if check == "model_explainability" and not set(methods) & set(known):
        message = "no method explains anything"
        hint = f"write one of {', '.join(f'`{each}`' for each in known)}"
        yield Problem("needs-one-of", ("config", "methods"), message, hint, at_key=True)


def _check_predictor(predictor: Any, check: str) -> Iterator[Problem]:
    if not isinstance(predictor, Mapping):
        return
    place: Path = ("config", "predictor")
    if check not in NEEDS_MODEL:
        message = f"`check: {check}` asks no model"
        yield Problem("bad-value", place, message, "leave `predictor` out", at_key=True)
        return
    if "model_name" in predictor:
        yield _refused((*place, "model_name"), "the field `model` names the model")
    if "endpoint_name" in predictor:
        return
    for name in ("instance_type", "initial_instance_count"):
        if name not in predictor:
            message = f"missing key `{name}`"
            hint = "Clarify starts an endpoint of the model for the time of the check"
            yield Problem("missing-key", place, message, hint, at_key=True)


def _refused(path: Path, reason: str) -> Problem:
    return Problem("refused-member", path, f"`{path[-1]}` can't be set here", reason, at_key=True)


def _unknown(config: Mapping[str, Any], known: tuple[str, ...], path: Path) -> Iterator[Problem]:
    for name in config:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            yield Problem(
                "unknown-key",
                (*path, name),
                f"Clarify's configuration has no key `{name}` that this version knows",
                f"did you mean `{near[0]}`?" if near else f"it has {', '.join(known)}",
                at_key=True,
                level="warning",
            )


_INSTEAD = {
    "model_name": "the field `model` names the model, and may be a reference",
    "dataset_uri": "the field `dataset` says where the data are, and may be a reference",
}


def _references(value: Any, path: Path) -> Iterator[Problem]:
    """Yield references: the configuration is a file, and a file has no references."""
    if value is UNKNOWN:
        return  # it is wrong anyway, which was told
    if is_expression(value):
        hint = _INSTEAD.get(str(path[-1]), "use a `{{ template }}`, or write it")
        if str(path[-1]).endswith("_uri") and str(path[-1]) not in _INSTEAD:
            hint = "write a place in S3 that is the same in every execution"
        yield Problem(
            "literal-wanted",
            path,
            "a reference can't stand here: Clarify's configuration is a file that is written when "
            "the definition is compiled",
            hint,
        )
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _references(part, (*path, name))
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            yield from _references(part, (*path, index))
