from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_place import Place

from pipelines.local.serving import Host


@pytest.fixture
def model_place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("served"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def host(shared_place: Place) -> Host:
    """One server for the tests that leave it as it was."""
    return shared_place.host(workers=2, max_bytes=100_000)
