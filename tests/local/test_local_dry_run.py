"""--dry-run: everything is resolved and checked, nothing is started."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local_samples import (
    compare,
    condition,
    document,
    fail,
    get,
    join,
    json_get,
    model,
    output_of,
    processing,
    register,
    training,
)
from test_conformance_11_for_each import ITEM, for_each, in_round

from pipelines.definition import read_definition
from pipelines.local.dry_run import Foreseen, foresee
from pipelines.local.isolation import choose
from pipelines.local.options import RunOptions, Selection
from pipelines.local.stand_ins import StandIns
from pipelines.local.store import open_store

ON = {"Enabled": True, "ExpireAfter": "1d"}


@pytest.fixture
def dry(place: Any) -> Any:
    def look(definition: Any, **options: Any) -> dict[str, Foreseen]:
        with open_store(place.store) as store:
            found = foresee(
                read_definition(definition),
                name="sample",
                base=place.folder,
                store=store,
                isolation=choose("auto"),
                options=RunOptions(**options),
            )
        assert not any((place.store / "work").glob("*"))
        return {step.name: step for step in found}

    return look


def line(**more: Any) -> dict[str, Any]:
    gate = condition(
        "gate",
        compare("GreaterThan", json_get("first", "score"), 0.5),
        then=[register("yes", Containers=[{"Image": "i", "ModelDataUrl": MODEL}])],
        other=[fail("no", join("only ", json_get("first", "score")))],
    )
    first = processing("first", get("Parameters.Word"), data="rows.csv", **more)
    steps = [training("train", output_of("first")), gate, first]
    return document(*steps, Parameters=[{"Name": "Word", "Type": "String", "DefaultValue": "w"}])


MODEL = get("Steps.train.ModelArtifacts.S3ModelArtifacts")


def test_the_order_and_the_arguments_are_told_and_nothing_runs(dry: Any, place: Any) -> None:
    (place.folder / "rows.csv").write_text("1\n")
    found = dry(line(), parameters={"Word": "x"})
    assert list(found).index("first") < list(found).index("train") < list(found).index("yes")
    assert not any(step.problems for step in found.values())
    arguments = found["first"].request["AppSpecification"]["ContainerArguments"]
    assert arguments == ["x"]
    channel = found["train"].request["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    assert channel["S3Uri"] == "s3://bucket/runs/EXECUTION-ID/first"
    data = found["yes"].request["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert data.endswith("/pipelines-EXECUTION-ID-train/output/model.tar.gz")
    assert (found["yes"].fate, found["yes"].note) == ("perhaps", "if `gate` is true")
    assert found["no"].request == {"ErrorMessage": "only <Steps.first.report: score>"}
    with pytest.raises(Exception, match="nothing has run yet"):
        place.ran()


def test_what_would_fail_is_told_at_once(dry: Any) -> None:
    lost = processing("lost", data="nowhere.csv")
    entry = processing("entry")
    del entry["Arguments"]["AppSpecification"]["ContainerEntrypoint"]
    image = training("image", "rows.csv")
    del image["Arguments"]["AlgorithmSpecification"]["ContainerEntrypoint"]
    image["Arguments"]["AlgorithmSpecification"]["TrainingImage"] = "1.dkr.ecr/kmeans:1"
    del image["Arguments"]["InputDataConfig"]
    shape = processing("shape")
    shape["Arguments"]["RoleArn"] = 7
    ask = {"Name": "ask", "Type": "Lambda", "FunctionArn": "arn:aws:lambda:r:1:function:judge"}
    mixed = condition("mixed", compare("Equals", 1, "a"))
    loop = for_each("loop", "nights", in_round("fold"))
    spark = {"Name": "spark", "Type": "EMR", "Arguments": {}}
    steps = [lost, entry, image, shape, ask, mixed, loop, spark]
    found = dry(document(*steps), stand_ins=StandIns())
    assert {name: step.problems[0].splitlines()[0][:44] for name, step in found.items()} == {
        "lost": "there is nothing at nowhere.csv",
        "entry": "the request has no ContainerEntrypoint, and ",
        "image": "the request names no script, and nothing sta",
        "shape": "CreateProcessingJob refuses the request: `Ro",
        "ask": "nothing stands in for the Lambda function `j",
        "mixed": '1 cannot be compared with "a": one is a numb',
        "loop": "IterableItems is no JSON list: nights",
        "spark": "nothing stands in for the step `spark` of ty",
    }
    assert "lambdas:\n    judge:" in found["ask"].problems[0]


def test_what_would_be_reused_leads_on_with_its_real_values(dry: Any, run: Any, place: Any) -> None:
    (place.folder / "rows.csv").write_text("1\n")
    definition = line(CacheConfig=ON)
    ran = run(definition)
    found = dry(definition)
    assert (found["first"].fate, found["first"].note) == ("reused", f"from run {ran.record.id}")
    # The condition's value is real then, and so is the branch.
    assert found["gate"].note == "true"
    assert (found["yes"].fate, found["no"].fate) == ("runs", "left out")


def test_rounds_are_worked_out_where_the_items_are_known(dry: Any) -> None:
    fold = in_round("fold", ITEM)
    found = dry(document(for_each("loop", ["a", "b"], fold)))
    assert found["loop"].note == "2 rounds"
    assert found["fold-0"].request["AppSpecification"]["ContainerArguments"] == ["a"]
    later = for_each("loop", json_get("first", "words"), fold)
    assert dry(document(processing("first"), later))["loop"].note == "items are known later"


def test_a_selection_is_shown_with_its_sources_values(dry: Any, run: Any, place: Any) -> None:
    (place.folder / "rows.csv").write_text("1\n")
    ran = run(line())
    found = dry(line(), selection=Selection(only=("train",)))
    assert list(found) == ["train"]
    channel = found["train"].request["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    assert ran.record.id in channel["S3Uri"] and not found["train"].problems


def test_unknown_values_pass_where_another_type_is_wanted(dry: Any) -> None:
    step = model("made", EnableNetworkIsolation=json_get("first", "score"))
    found = dry(document(processing("first"), step))
    assert not found["made"].problems
    assert json.dumps(found["made"].request)


def test_declared_outputs_of_any_shape_are_no_reason_to_end(dry: Any) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/111122223333/reviews"
    for declared in ("text", 7, [7], [{"OutputName": 1}], {"a": "b"}):
        step = {"Name": "ask", "Type": "Callback", "SqsQueueUrl": url, "Arguments": {}}
        seen = dry(document({**step, "OutputParameters": declared}))
        assert "callbacks:" in str(seen["ask"].problems)
