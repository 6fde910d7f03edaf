from __future__ import annotations

from pathlib import Path

import pytest
from containers import EXAMPLE, Container, Ended, run_script


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Container, dict[str, Ended]]:
    """A container after all three jobs, each a process, on the shipped data."""
    done = Container(tmp_path_factory.mktemp("pulsar"))
    done.put((EXAMPLE / "data" / "candidates.csv").read_bytes())
    ended = {"preprocess": run_script("preprocess.py", *done.preprocess_arguments())}
    arguments = ("--model", "random-forest", "--n-estimators", "10", "--seed", "7")
    environment = done.training_environment()
    ended["train"] = run_script("train.py", *arguments, environment=environment)
    done.pack_model()
    ended["evaluate"] = run_script("evaluate.py", *done.evaluate_arguments())
    return done, ended
