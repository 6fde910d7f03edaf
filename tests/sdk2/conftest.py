"""What SDK 2's own classes need around them, and no tests of them where SDK 3 is installed."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# The guards and the comparison are those of the tests with SDK 3.
sys.path[:0] = [str(HERE.parent / "sdk"), str(HERE.parent / "sdk" / "kinds")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    version = metadata.version("sagemaker")
    if version.startswith("2."):
        return
    reason = f"compares with SDK 2's own classes, and {version} is installed (make test-sdk2)"
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skip(reason=reason))
