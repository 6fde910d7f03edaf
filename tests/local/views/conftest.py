from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.cli import root
from pipelines.errors import SagedagError


@pytest.fixture
def runs(place: Any) -> Callable[..., str]:
    """Call ``sagedag runs`` on the place's store; gives what it prints and what it refuses."""

    def call(*arguments: str, code: int = 0, text: str | None = None) -> str:
        full = ["runs", *arguments, "--store", str(place.store)]
        result = CliRunner().invoke(root, full, input=text)
        found, said = result.exit_code, result.output
        if isinstance(result.exception, SagedagError):
            found = result.exception.exit_code
            said += f"{result.exception.message} ({result.exception.hint})"
        assert found == code, said + repr(result.exception)
        return said

    return call
