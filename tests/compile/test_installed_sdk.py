"""What is said where no SDK can compile, and what an SDK without the newer names compiles to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from compiled_cases import ALL, PULSAR

import pipelines
from pipelines.compiler import compile_program
from pipelines.errors import UsageError
from pipelines.service.sdk import SDK_RANGE
from steps._sdk import given, lacking, names

CACHES = (names.installed_major, names.names, given.step_class, lacking.pipeline_class)
NEWER = ("depends-on", "for-each", "lineage-cleanup-job-raw", "mlflow", "top-level")


@pytest.fixture
def another_sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let a test change what is found of the SDK."""
    for cache in CACHES:
        cache.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    for cache in CACHES:
        cache.cache_clear()


def refusal() -> UsageError:
    with pytest.raises(UsageError) as caught:
        pipelines.compile(PULSAR, environment="dev")
    assert caught.value.hint == f"install it: python -m pip install 'sagemaker{SDK_RANGE}'"
    return caught.value


def test_no_sdk_is_said(another_sdk: pytest.MonkeyPatch) -> None:
    another_sdk.setattr(names, "find_spec", lambda _: None)
    assert refusal().message == "the SageMaker SDK can't compile: it is not installed"


def test_an_sdk_without_pipelines_is_named(another_sdk: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    another_sdk.setattr(names, "find_spec", lambda _: spec)
    another_sdk.setattr(names.metadata, "version", lambda _: "3.0.1")
    expected = "the SageMaker SDK can't compile: version 3.0.1 has no `workflow` package"
    assert refusal().message == expected


@pytest.mark.parametrize("lost", [{"steps": ("Nothing",)}, {"nowhere": ("Nothing",)}])
def test_an_sdk_without_a_name_is_named(
    another_sdk: pytest.MonkeyPatch, lost: dict[str, Any]
) -> None:
    another_sdk.setattr(names, "NAMES", {**names.NAMES, **lost})
    another_sdk.setattr(names.metadata, "version", lambda _: "2.100.0")
    assert "can't compile: version 2.100.0 can't be used: " in refusal().message


@pytest.mark.parametrize(
    "case", [case for case in ALL if case.name in NEWER], ids=lambda case: case.name
)
def test_newer_names_are_not_needed(case: Any, another_sdk: pytest.MonkeyPatch) -> None:
    """Without them the same definition is written, down to the byte, on this major too."""
    later = tuple(name for members in names.LATER.values() for name in members)
    another_sdk.setattr(names, "LATER", {"a_module_that_is_absent": later})
    another_sdk.setattr(names, "STEPS", {})
    assert compile_program(case.compiled.program).definition_json == case.compiled.definition_json
