"""The SDK's definitions, made once for all tests of this folder: it takes seconds to import."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import producers
import pytest
import surroundings
from errata import ERRATA
from jsonschema import Draft7Validator
from schema_patch import patched

PUBLISHED = Path(__file__).parents[2] / ".." / "shared/conformance/pipeline-definition.schema.json"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    version = metadata.version("sagemaker")
    if version.startswith("3."):
        return
    reason = f"compares with SDK 3's own classes, and {version} is installed"
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    with surroundings.aws_server() as endpoint_url:
        yield endpoint_url


@pytest.fixture(scope="session")
def sdk_example(aws: str) -> dict[str, Any]:
    return producers.produce(aws)


@pytest.fixture(scope="session")
def sdk_variants(aws: str) -> dict[str, Any]:
    return producers.produce_variants(aws)


@pytest.fixture(scope="session")
def published() -> dict[str, Any]:
    if not PUBLISHED.is_file():
        pytest.skip("AWS's published schema of pipeline definitions is not beside the repository")
    schema: dict[str, Any] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return schema


@pytest.fixture(scope="session")
def schema(published: dict[str, Any]) -> dict[str, Any]:
    made = patched(published, ERRATA)
    Draft7Validator.check_schema(made)
    return made
