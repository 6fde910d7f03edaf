"""Deleting runs: what goes, and what must stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from local_samples import IMAGE, document, get, output_of, processing, register, training

from pipelines.local import pruning
from pipelines.local.history import History
from pipelines.local.options import Selection
from pipelines.local.pruning import delete, doom
from pipelines.local.registry import Registry
from pipelines.local.store import open_store, read_store

CACHE = {"Enabled": True}


def objects(place: Any, run: str) -> list[str]:
    return [
        p.name for p in sorted((place.store / "s3").rglob("*")) if p.is_file() and run in str(p)
    ]


def test_a_deleted_run_takes_its_outputs_and_logs_along(
    place: Any, runs: Callable[..., str]
) -> None:
    first = place.run(document(processing("one"))).record.id
    second = place.run(document(processing("one"))).record.id
    assert objects(place, first) == ["bad.json", "report.json"]
    asked = runs("delete", first, text="n\n", code=1)
    assert f"{first}  sample    Succeeded" in asked and "Delete 1 run with " in asked
    assert len(objects(place, first)) == 2
    told = runs("delete", first, "--yes")
    assert re.search(r"Deleted 1 run with [1-9]\d* B\.", told)
    assert objects(place, first) == [] and len(objects(place, second)) == 2
    assert not (place.store / "logs" / first).exists()
    assert (place.store / "logs" / second).exists()
    assert "there is no run" in runs("show", first, code=2)
    # Other runs go on as before.
    assert place.run(document(processing("one"))).status == "Succeeded"


def test_what_a_later_run_reuses_stays(place: Any, runs: Callable[..., str]) -> None:
    pipeline = document(processing("one", CacheConfig=CACHE))
    first = place.run(pipeline).record.id
    second = place.run(pipeline)
    assert second.steps["one"].cache_source
    refused = runs("delete", first, "-y", code=2)
    assert f"run {second.record.id} reuses results of run {first}" in refused
    pruned = runs("prune", "--keep", "1", "-y")
    assert f"Kept because later runs reuse their results: {first}" in pruned
    assert "nothing to delete" in pruned
    third = place.run(pipeline)
    assert third.steps["one"].cache_source.endswith(first)
    warned = runs("delete", first, "-y", "--force")
    assert "1 result of steps can then no more be reused." in warned
    # The objects are named by the runs that reuse them, so these stay whole.
    assert objects(place, first) == ["bad.json", "report.json"]
    assert place.run(pipeline).steps["one"].cache_source is None


def test_prune_keeps_the_latest_runs_and_the_latest_success_of_each_pipeline(
    place: Any, runs: Callable[..., str]
) -> None:
    good, bad = document(processing("one")), document(processing("one", "fail"))
    good_ones = [place.run(good).record.id, place.run(good).record.id]
    failed = [place.run(bad).record.id for _ in range(2)]
    other = place.run(good, name="other").record.id
    told = runs("prune", "--keep", "1", "-y")
    assert "Deleted 2 runs with " in told
    with read_store(place.store) as store:
        left = [record.id for record in History(store).executions()]
    assert left == [other, failed[1], good_ones[1]]
    # What stayed is enough to run a part of the pipeline.
    two = document(processing("one"), processing("two"))
    part = place.run(two, selection=Selection(only=("one",)))
    assert part.status == "Succeeded"


def test_registered_models_keep_what_they_are_made_of(place: Any, runs: Callable[..., str]) -> None:
    model = get("Steps.train.ModelArtifacts.S3ModelArtifacts")
    containers = [{"Image": IMAGE, "ModelDataUrl": model}]
    pipeline = document(
        processing("prepare"),
        training("train", output_of("prepare")),
        register("register", Containers=containers),
    )
    ran = place.run(pipeline)
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert "model.tar.gz" in objects(place, ran.record.id)
    runs("delete", "latest", "-y")
    assert objects(place, ran.record.id) == ["model.tar.gz"]
    with read_store(place.store) as store:
        assert len(Registry(store).packages_of(ran.record.id)) == 1


def test_deleting_that_was_killed_can_be_done_again(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = document(processing("one", CacheConfig=CACHE))
    run = place.run(pipeline).record

    class Killed(BaseException):
        pass

    def killed(path: Path, top: Path) -> None:
        raise Killed

    with monkeypatch.context() as patched, open_store(place.store) as store:
        patched.setattr(pruning, "_remove_empty", killed)
        with pytest.raises(Killed):
            delete(store, doom(store, [run]))
    assert len(objects(place, run.id)) == 1
    # The half that is left is not taken for a result.
    assert place.run(pipeline).steps["one"].cache_source is None
    with open_store(place.store) as store:
        delete(store, doom(store, [run]))
    assert objects(place, run.id) == []
