"""Where both majors of the SDK know an image, its address is the same.

The SDK's other major is looked for in the folder of packages that SAGEDAG_OTHER_SDK names; `make
test-sdk2` names that of the ordinary environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from every_image import INSTANCES, every_image

from pipelines.service import image_configs
from pipelines.service.images import UnknownImage, resolve

OTHER = Path(os.environ.get("SAGEDAG_OTHER_SDK", ""), "sagemaker")
REGIONS = ("us-east-1", "eu-west-1", "cn-north-1")
# Its short version 0.4 moved on, and the processor in its tags was renamed.
CHANGED = "huggingface-vllm-neuronx"

Key = tuple[tuple[str, Any], ...]


def addresses() -> dict[Key, str]:
    """The address of every image, for a few regions and kinds of instance."""
    found = {}
    for image in every_image():
        for instance in INSTANCES:
            for region in REGIONS:
                wanted = {**image, "instance_type": instance, "region": region}
                try:
                    found[tuple(wanted.items())] = resolve(**wanted)
                except UnknownImage:
                    continue
    return found


@pytest.fixture
def other_sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the tables be those of the SDK's other major."""
    caches = (
        image_configs.config_folder,
        image_configs._names,
        image_configs.load_config,
        image_configs.frameworks,
    )
    spec = SimpleNamespace(submodule_search_locations=[str(OTHER)])
    monkeypatch.setattr(image_configs, "find_spec", lambda _: spec)
    for cache in caches:
        cache.cache_clear()
    yield
    monkeypatch.undo()
    for cache in caches:
        cache.cache_clear()


@pytest.fixture(scope="module")
def here() -> dict[Key, str]:
    return addresses()


@pytest.mark.skipif(
    not os.environ.get("SAGEDAG_OTHER_SDK"),
    reason="SAGEDAG_OTHER_SDK does not name the packages of an environment with the other SDK",
)
def test_both_majors_say_the_same(here: dict[Key, str], other_sdk: None) -> None:
    assert image_configs.config_folder().is_relative_to(OTHER)
    there = addresses()
    both = here.keys() & there.keys()
    assert len(both) > 5000
    assert len({dict(key)["framework"] for key in both}) > 55
    different = [dict(key) for key in both if here[key] != there[key]]
    assert [each for each in different if each["framework"] != CHANGED] == []
    assert different, f"{CHANGED} need not be excepted any longer"
