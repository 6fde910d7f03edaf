"""How many training jobs of a search run at once, beside steps."""

from __future__ import annotations

from typing import Any

import pytest
from local_samples import document
from tuning_samples import categories, put_code, request

from pipelines.local.jobs import Room
from pipelines.local.observer import Observer


def test_a_room_keeps_the_next_free_place_for_a_step_that_waits() -> None:
    room, calls = Room(2), []
    room.listen(lambda: calls.append("freed"))
    assert room.enter()
    assert room.enter_more()
    assert not room.enter_more()
    room.leave()
    assert room.enter_more()
    assert calls == []
    assert not room.enter()  # a step waits from here on
    room.leave()
    assert calls == ["freed"]
    assert not room.enter_more()
    assert room.enter()


class Counter(Observer):
    """Counts the trials that run at the same time."""

    def __init__(self) -> None:
        self.now: set[tuple[str, str]] = set()
        self.most = 0

    def progress(self, step: str, progress: Any) -> None:
        if progress.state == "running":
            self.now.add((step, progress.part))
        else:
            self.now.discard((step, progress.part))
        self.most = max(self.most, len(self.now))


def search(name: str, depths: list[str]) -> dict[str, Any]:
    arguments = request(
        categories("depth", *depths),
        strategy="Grid", jobs=None, parallel=4, mode="slow", output=f"s3://bucket/{name}",
    )  # fmt: skip
    return {"Name": name, "Type": "Tuning", "Arguments": arguments}


@pytest.mark.parametrize(("places", "depths"), [(1, ["3", "4"]), (3, ["3", "4", "5"])])
def test_two_searches_never_run_more_jobs_than_there_are_places(
    run: Any, place: Any, places: int, depths: list[str]
) -> None:
    put_code(place.store)
    counter = Counter()
    searches = (search("one", depths), search("two", depths))
    ran = run(document(*searches), parallelism=places, observer=counter)
    assert ran.status == "Succeeded", ran.record.failure_reason
    assert counter.most == places
    for name in ("one", "two"):
        assert ran.steps[name].properties["TrainingJobStatusCounters"]["Completed"] == len(depths)
