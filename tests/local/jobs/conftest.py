"""Real jobs in real modes; a mode that does not work here is skipped with its reason."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from job_workshop import Workshop

from pipelines.local.isolation import probe_all
from pipelines.local.jobs.material import discard


def working_modes() -> list[Any]:
    return [
        pytest.param(
            probe.name,
            marks=() if probe.works else pytest.mark.skip(reason=f"{probe.name}: {probe.reason}"),
        )
        for probe in probe_all()
    ]


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """Jobs in the mode that this machine would choose by itself."""
    made = Workshop(tmp_path / "project", "auto")
    made.project.mkdir()
    yield made
    discard(made.project)


@pytest.fixture(params=working_modes())
def every_mode(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workshop]:
    """Jobs in each mode that works here."""
    made = Workshop(tmp_path / "project", request.param)
    made.project.mkdir()
    yield made
    discard(made.project)


@pytest.fixture
def outside_tmp() -> Iterator[Path]:
    """A folder that no private /tmp hides: what is hidden there is hidden by a mask."""
    place = next(each for each in (Path("/var/lib"), Path.home()) if os.access(each, os.W_OK))
    made = Path(tempfile.mkdtemp(prefix="sagedag-test-", dir=place))
    made.chmod(0o755)
    yield made
    discard(made)


@pytest.fixture(params=[each for each in working_modes() if each.values[0] in ("userns", "bwrap")])
def confined(request: pytest.FixtureRequest, outside_tmp: Path) -> Workshop:
    """Jobs in each mode that protects."""
    made = Workshop(outside_tmp / "project", request.param)
    made.project.mkdir()
    return made
