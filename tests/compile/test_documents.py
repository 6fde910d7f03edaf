"""Files that kinds make while compiling: assets whose content decides the key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import pipelines
from pipelines.assets import make_asset, make_document

HEAD = """
pipeline: documents
steps:
  bias:
    type: ClarifyCheck
    check: data_bias
    instance: ml.m5.large
    dataset: s3://survey/train.csv
"""
CONFIG = "    config: {label: 0, label_values_or_threshold: [1], facet: [{name_or_index: 2}]}\n"


def compiled(folder: Path, text: str) -> pipelines.Compiled:
    path = folder / "pipeline.yaml"
    path.write_text(HEAD + text, "utf-8")
    return pipelines.compile(path)


def place_of(found: pipelines.Compiled) -> str:
    arguments: Any = found.definition["Steps"][0]["Arguments"]
    place: str = arguments["ProcessingInputs"][0]["S3Input"]["S3Uri"]
    return place


def published(found: pipelines.Compiled) -> dict[str, bytes]:
    return dict(item for asset in found.assets for item in asset.objects())


def test_the_file_is_published_where_the_step_looks_for_it(tmp_path: Path) -> None:
    found = compiled(tmp_path, CONFIG)
    config = json.loads(published(found)[place_of(found)])
    assert config["label"] == 0
    assert config["methods"]["pre_training_bias"] == {"methods": "all"}


def test_the_order_of_keys_is_no_matter_and_a_value_is(tmp_path: Path) -> None:
    place = place_of(compiled(tmp_path, CONFIG))
    turned = "    config: {facet: [{name_or_index: 2}], label: 0, label_values_or_threshold: [1]}\n"
    assert place_of(compiled(tmp_path, turned)) == place
    assert place_of(compiled(tmp_path, CONFIG.replace("label: 0", "label: 1"))) != place


def test_a_file_is_the_asset_that_the_same_file_on_disk_would_be(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}\n")
    on_disk = make_asset(tmp_path / "a.json", "s3://bucket", tmp_path)
    made = make_document("a.json", b"{}\n", "s3://bucket")
    assert made.uri == on_disk.uri
    assert dict(made.objects()) == dict(on_disk.objects())


def test_what_nobody_refers_to_is_not_published(tmp_path: Path) -> None:
    assert len(compiled(tmp_path, CONFIG).assets) == 1
    reader = '  reader: {type: Fail, message: "see ${steps.bias.config}"}\n'
    found = compiled(tmp_path, CONFIG + reader)
    message: Any = found.definition["Steps"][1]["Arguments"]["ErrorMessage"]
    first, place = message["Std:Join"]["Values"]
    assert first == "see "
    config = json.loads(published(found)[place])
    assert config == {"facet": [{"name_or_index": 2}], "label": 0, "label_values_or_threshold": [1]}


def test_it_can_be_referred_to_in_request_and_step_fields(tmp_path: Path) -> None:
    fields = '    step_fields: {More: ["${steps.bias.config}"]}\n'
    reader = f"  reader:\n    type: Fail\n    message: stop\n{fields}"
    found = compiled(tmp_path, CONFIG + reader)
    step: Any = found.definition["Steps"][1]
    assert step["More"][0] in published(found)


@pytest.mark.parametrize(
    "value", ['"${execution.id}"', '["${execution.id}"]', '{a: "${execution.id}"}']
)
def test_a_reference_in_it_is_told_at_its_place(tmp_path: Path, value: str) -> None:
    with pytest.raises(pipelines.InvalidDefinition) as caught:
        compiled(tmp_path, CONFIG.replace("label: 0", f"label: {value}"))
    found: Any = caught.value.diagnostics
    assert [(each.code, each.span.line) for each in found] == [("literal-wanted", 9)]
