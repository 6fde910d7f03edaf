"""Lineage is recorded and read again; Cleanup really deletes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from local_samples import document, get, join, output_of, processing, training

from pipelines.local.encoding import plain
from pipelines.local.lineage import Lineage, list_associations
from pipelines.local.store import read_store
from pipelines.service.checking import check
from pipelines.service.shapes import output_shape


def lineage(name: str = "record", **more: Any) -> dict[str, Any]:
    arguments = {
        "Actions": [
            {
                "ActionName": "nightly",
                "ActionType": "ModelTraining",
                "Source": {"SourceUri": get("Steps.job.ProcessingJobArn")},
                "Status": "Completed",
            }
        ],
        "Artifacts": [
            {
                "ArtifactName": "data",
                "ArtifactType": "DataSet",
                "Source": {"SourceUri": output_of("job")},
                "Properties": {"rows": "3"},
            }
        ],
        "Contexts": [
            {"ContextName": "survey", "ContextType": "Survey", "Source": {"SourceUri": "s3://s"}}
        ],
        "Associations": [
            {
                "Source": {"Name": "nightly", "Type": "Action"},
                "Destination": {"Name": "data", "Type": "Artifact"},
                "AssociationType": "Produced",
            },
            {
                "Source": {"Arn": get("Steps.job.ProcessingJobArn")},
                "Destination": {"Name": "survey", "Type": "Context"},
            },
        ],
    }
    return {"Name": name, "Type": "Lineage", "Arguments": {**arguments, **more}}


def test_lineage_is_recorded_with_its_associations_and_read_again(run: Any) -> None:
    arns = [get(f"Steps.record.{kind}Arns['{name}']") for kind, name in
            (("Action", "nightly"), ("Artifact", "data"), ("Context", "survey"))]  # fmt: skip
    ran = run(document(processing("job"), lineage(), processing("use", *arns)))
    assert ran.status == "Succeeded", ran.record.failure_reason
    action, artifact, context = ran.report("use")["words"]
    assert action.endswith(":action/nightly") and context.endswith(":context/survey")
    assert ":artifact/" in artifact
    with read_store(ran.folder / ".sagedag") as store:
        found = Lineage(store)
        job = ran.steps["job"].properties["ProcessingJobArn"]
        made = found.associations(source=action)
        assert [(each.destination, each.type) for each in made] == [(artifact, "Produced")]
        assert [each.source for each in found.associations(destination=context)] == [job]
        assert [each.kind for each in found.entities(execution=ran.record.id)] == [
            "Action", "Artifact", "Context",
        ]  # fmt: skip
        entity = found.find(artifact)
        assert entity is not None and entity.description["Properties"] == {"rows": "3"}
        answer = list_associations(found, made)
    summary = answer["AssociationSummaries"][0]
    assert (summary["SourceName"], summary["DestinationType"]) == ("nightly", "DataSet")
    assert not list(check(plain(answer), output_shape("ListAssociations")))


def test_the_same_things_recorded_again_stay_one(run: Any) -> None:
    run(document(processing("job"), lineage()))
    ran = run(document(processing("job"), lineage()))
    with read_store(ran.folder / ".sagedag") as store:
        names = [each.name for each in Lineage(store).entities()]
    # The data of another run is another artifact; action and context are the same.
    assert sorted(names) == ["data", "data", "nightly", "survey"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"Actions": [{"ActionName": "a", "ActionType": "x"}]}, "has no Source.SourceUri"),
        ({"Contexts": [{"ContextName": "a b", "ContextType": "x", "Source": {"SourceUri": "s"}}]},
         "`a b` is no ContextName"),
        ({"Associations": [{"Source": {"Name": "x", "Type": "Action"}, "Destination": {}}]},
         "the Action `x`, which is not here"),
        ({"Associations": [{"Source": {"Arn": "x"}, "Destination": {}}]}, "`x`, which is no ARN"),
        ({"Associations": [{"AssociationType": "Likes"}]}, "`Likes`, none of ContributedTo"),
    ],
)  # fmt: skip
def test_lineage_that_cannot_be_fails_whole(run: Any, more: Any, says: str) -> None:
    ran = run(document(processing("job"), lineage(**more)))
    assert says in ran.steps["record"].failure_reason
    with read_store(ran.folder / ".sagedag") as store:
        assert not Lineage(store).entities()


def tidy(*sources: Any, **more: Any) -> dict[str, Any]:
    names = [source["StepName"] for source in sources]
    arguments = {"Resources": {"S3": list(sources)}}
    return {"Name": "tidy", "Type": "Cleanup", "Arguments": arguments, "DependsOn": names, **more}


def objects(ran: Any) -> list[str]:
    top = ran.folder / ".sagedag/s3"
    return sorted(p.relative_to(top).as_posix() for p in top.rglob("*") if p.is_file())


def test_cleanup_deletes_what_is_named_and_a_training_steps_own(run: Any, place: Any) -> None:
    (place.folder / "rows.csv").write_text("1\n")
    one = {"StepName": "job", "S3Uris": [join(output_of("job"), "/bad.json")]}
    ran = run(
        document(processing("job"), training("train", "rows.csv"), tidy(one, {"StepName": "train"}))
    )
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert [Path(name).name for name in objects(ran)] == ["report.json"]
    told = ran.steps["tidy"].metadata["Cleanup"]
    assert told == {"CleanedSteps": ["job", "train"], "FailedSteps": [], "SkippedSteps": []}
    assert list((ran.folder / ".sagedag/s3/bucket").rglob("models")) == []


def test_cleanup_cleans_up_after_a_failure(run: Any) -> None:
    step = tidy(
        {"StepName": "job", "S3Uris": [output_of("job")]},
        {"StepName": "bad"},
        DependsOn=["job", {"Step": "bad", "Trigger": "Any"}],
    )
    ran = run(document(processing("job"), processing("bad", "fail"), step))
    assert ran.status == "CompletedWithFailures"
    assert objects(ran) == []
    told = ran.steps["tidy"].metadata["Cleanup"]
    assert (told["CleanedSteps"], told["SkippedSteps"]) == (["job"], ["bad"])


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("s3://bucket/keep/a.csv", "does not lie below the step's outputs"),
        ("s3://bucket", "does not lie below the step's outputs"),
        ("rows.csv", "does not lie below the step's outputs"),
    ],
)
def test_cleanup_deletes_nothing_else(run: Any, place: Any, uri: str, says: str) -> None:
    (place.folder / "rows.csv").write_text("1\n")
    keep = place.store / "s3/bucket/keep/a.csv"
    keep.parent.mkdir(parents=True)
    keep.write_text("x")
    ran = run(document(processing("job"), tidy({"StepName": "job", "S3Uris": [uri]})))
    assert ran.statuses["tidy"] == "Failed"
    assert says in ran.steps["tidy"].failure_reason
    assert keep.exists() and (place.folder / "rows.csv").exists()
    assert len(objects(ran)) == 3


def test_cleanup_cannot_climb_out_of_the_store(run: Any) -> None:
    uri = join(output_of("job"), "/../../../../../store.sqlite")
    ran = run(document(processing("job"), tidy({"StepName": "job", "S3Uris": [uri]})))
    assert ran.statuses["tidy"] == "Failed"
    assert (ran.folder / ".sagedag/store.sqlite").exists()
