"""Image addresses against the SageMaker SDK's own `image_uris.retrieve`."""

from __future__ import annotations

import functools
import importlib
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from every_image import APART, INSTANCES, REGIONS, every_image

from pipelines.errors import SagedagError
from pipelines.service import image_configs
from pipelines.service.images import UnknownImage, frameworks, resolve, versions

EXTRAS: dict[str, tuple[Any, ...]] = {
    "training_compiler": (True,),
    "inference_tool": ("neuron", "neuronx"),
    "container_version": ("cu1",),
    "accelerator_type": ("ml.eia1.medium", "wrong"),
    "smdistributed": (True,),
    "serverless": (True,),
    "sdk_version": ("2.9",),
}
# Where each of the SDK's majors has the functions that answers are compared with.
MAJOR = metadata.version("sagemaker")[0]
SDK = {
    "3": ("sagemaker.core.image_uris", "sagemaker.core.common_utils"),
    "2": ("sagemaker.image_uris", "sagemaker.utils"),
}[MAJOR]


@pytest.fixture(scope="module")
def retrieve() -> Iterator[Callable[..., str]]:
    """The SDK's function, its tables and endpoint resolver kept between calls."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }.items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        image_uris = importlib.import_module(SDK[0])
        common_utils = importlib.import_module(SDK[1])
        resolver = common_utils._botocore_resolver()
        patch.setattr(common_utils, "_botocore_resolver", lambda: resolver)
        cached = functools.cache(image_uris.config_for_framework)
        patch.setattr(image_uris, "config_for_framework", cached)
        patch.setattr(image_uris.logger, "disabled", True)
        yield image_uris.retrieve


def sdk_arguments(wanted: dict[str, Any]) -> dict[str, Any]:
    """Writes the arguments of `resolve` as the SDK's."""
    renamed = {"scope": "image_scope", "training_compiler": "training_compiler_config"}
    given = {renamed.get(name, name): value for name, value in wanted.items()}
    if given.pop("smdistributed", False):
        given["distribution"] = {"smdistributed": {}}
    if given.pop("serverless", False):
        given["serverless_inference_config"] = object()
    return given


def alike(ours: str | None, theirs: str | None, wanted: dict[str, Any]) -> bool:
    """Whether the two are the same address.

    Major 2 writes a short version of Transformers into a tag as it is given, where major 3 and this
    product write the version that it stands for, which is the tag that there is.
    """
    if ours and theirs and MAJOR == "2" and wanted["framework"] == "huggingface":
        version = rf"transformers{wanted['version']}(\.\d+)?-"
        ours, theirs = re.sub(version, "", ours), re.sub(version, "", theirs)
    return ours == theirs


def is_deliberate(wanted: dict[str, Any]) -> bool:
    """Whether only we refuse, and mean to: the two exceptions of the module's docstring.

    The version of a framework with several must be given, since the newest changes with every
    upgrade of the SDK; a version that does not exist is refused where the SDK silently takes the
    only one there is.
    """
    # Chips and the training compiler lead to tables of their own.
    names = [wanted["framework"]]
    names += [f"{names[0]}-{more}" for more in ("neuron", "neuronx", "training-compiler")]
    configs = [image_configs.load_config(name) for name in names if name in frameworks()]
    parts = [part for config in configs for _, part in image_configs.scoped(config)]
    if wanted["version"] is None:
        return any(len(part["versions"]) > 1 for part in parts)
    known = [set(image_configs.offered(part)) for part in parts if len(part["versions"]) == 1]
    return any(wanted["version"] not in one for one in known)


def test_every_image_is_what_the_sdk_says(retrieve: Callable[..., str]) -> None:
    chance = random.Random(7)
    equal = refused = deliberate = 0
    seen: set[str] = set()
    for image in every_image():
        for instance in chance.sample(INSTANCES, 4):
            wanted = {
                **image,
                "instance_type": instance,
                "region": chance.choice((REGIONS[0], REGIONS[0], *REGIONS)),
            }
            wanted["scope"] = chance.choice((image["scope"], image["scope"], None, "training"))
            for name, values in EXTRAS.items():
                if chance.random() < 0.03:
                    wanted[name] = chance.choice(values)
            theirs: str | None
            try:
                theirs = retrieve(**sdk_arguments(wanted))
            except Exception:  # noqa: BLE001 - the SDK refuses with whatever its code stumbles over
                theirs = None
            try:
                ours: str | None = resolve(**wanted)
                field = ""
            except UnknownImage as error:
                ours, field = None, error.field
            if ours is None and theirs is not None and field == "version":
                assert is_deliberate(wanted), wanted
                deliberate += 1
                continue
            assert alike(ours, theirs, wanted), (wanted, ours, theirs)
            equal += ours is not None
            refused += ours is None
            seen.update([wanted["framework"]] if ours else [])
    assert equal > 1500
    assert refused > 1000
    assert deliberate > 10
    assert len(seen) > 0.85 * len(frameworks())


@pytest.mark.skipif(MAJOR == "2", reason="SDK 2 has no lists of frameworks and versions")
def test_the_lists_are_the_sdks(retrieve: Callable[..., str]) -> None:
    image_uris = importlib.import_module(SDK[0])
    assert list(frameworks()) == image_uris.list_frameworks()
    for framework in frameworks():
        assert set(versions(framework)) == set(image_uris.list_versions(framework))
    assert set(versions("pytorch", "training")) == set(
        image_uris.list_versions("pytorch", "training")
    )


def test_plain_python(retrieve: Callable[..., str]) -> None:
    image_uris = importlib.import_module(SDK[0])
    for short in ("310", "38"):
        theirs = image_uris.get_base_python_image_uri("eu-west-1", short)
        assert resolve(APART, region="eu-west-1", py_version=f"py{short}") == theirs
    default = image_uris.get_base_python_image_uri("us-west-2")
    assert resolve(APART, region="us-west-2") == default
    with pytest.raises(UnknownImage):
        resolve(APART, region="us-west-2", py_version="27")


def test_known_addresses() -> None:
    scikit = resolve(
        "sklearn",
        region="us-east-1",
        version="1.2-1",
        scope="training",
        instance_type="ml.m5.xlarge",
        py_version="py3",
    )
    assert scikit == (
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    )
    china = resolve("kmeans", region="cn-north-1")
    assert china == "390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/kmeans:1"


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"framework": "skleran"}, "framework", "Did you mean `sklearn`"),
        ({"framework": "instance_gpu_info"}, "framework", "no framework"),
        ({"framework": "../sklearn"}, "framework", "no framework"),
        ({"framework": "x" * 9999}, "framework", "no framework"),
        ({"version": None}, "version", "needs a version. There are `0.20.0`"),
        ({"version": "1.2"}, "version", "Did you mean `1.2-1`?"),
        ({"framework": "zzz"}, "framework", "Some are `sklearn`"),
        ({"region": "eu-west-11"}, "region", "Did you mean `eu-west-1`"),
        ({"py_version": "py2"}, "py_version", "There are `py3`"),
        ({"scope": "serving"}, "scope", "`inference`"),
        ({"instance_type": "ml.p3.2xlarge"}, "instance_type", "images for cpu"),
        ({"instance_type": "big"}, "instance_type", "look like `ml.m5.xlarge`"),
        (
            {
                "framework": "pytorch",
                "version": "2.1.0",
                "py_version": "py310",
                "instance_type": None,
            },
            "instance_type",
            "depends on the instance type",
        ),
        ({"framework": "kmeans", "version": "7"}, "version", "There are `1`"),
        (
            {"framework": "huggingface", "version": "4.28.1"},
            "base_framework_version",
            "`pytorch2.0.0`",
        ),
    ],
)
def test_refusals_say_what_there_is(changes: dict[str, Any], field: str, said: str) -> None:
    wanted = {
        "framework": "sklearn",
        "version": "1.2-1",
        "region": "us-east-1",
        "scope": "training",
        "instance_type": "ml.m5.xlarge",
        **changes,
    }
    with pytest.raises(UnknownImage) as error:
        resolve(**wanted)
    assert error.value.field == field
    said_all = f"{error.value.message} {error.value.hint}"
    assert said in said_all
    assert len(said_all) < 400


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[str] | None], None]]:
    """Lets a test say where the SDK is installed."""
    caches = (image_configs.config_folder, image_configs._names, image_configs.load_config)

    def move(places: list[str] | None) -> None:
        spec = None if places is None else SimpleNamespace(submodule_search_locations=places)
        monkeypatch.setattr(image_configs, "find_spec", lambda _: spec)
        for cache in (*caches, image_configs.frameworks):
            cache.cache_clear()

    yield move
    monkeypatch.undo()
    for cache in (*caches, image_configs.frameworks):
        cache.cache_clear()


def test_the_older_sdk_keeps_its_tables_elsewhere(tmp_path: Path, elsewhere: Any) -> None:
    table = (image_configs.config_folder() / "kmeans.json").read_text()
    expected = resolve("kmeans", region="eu-west-1")
    (tmp_path / "image_uri_config").mkdir()
    (tmp_path / "image_uri_config" / "kmeans.json").write_text(table)
    elsewhere([str(tmp_path / "first"), str(tmp_path)])
    assert frameworks() == ("kmeans",)
    assert resolve("kmeans", region="eu-west-1") == expected


def test_a_missing_or_damaged_sdk_is_said(tmp_path: Path, elsewhere: Any) -> None:
    elsewhere(None)
    with pytest.raises(SagedagError, match="not installed"):
        resolve("kmeans", region="eu-west-1")
    (tmp_path / "image_uri_config").mkdir()
    (tmp_path / "image_uri_config" / "kmeans.json").write_text('{"versions": ')
    elsewhere([str(tmp_path)])
    with pytest.raises(SagedagError, match="cannot be read"):
        resolve("kmeans", region="eu-west-1")


def test_chips_have_tables_of_their_own() -> None:
    with pytest.raises(UnknownImage, match="pytorch-neuron has no version"):
        resolve("pytorch", region="us-east-1", version="2.1", instance_type="ml.trn1.2xlarge")


def test_the_sdk_is_not_imported() -> None:
    program = (
        "import sys\n"
        "from pipelines.service.images import resolve\n"
        "resolve('sklearn', region='us-east-1', version='1.2-1', scope='training')\n"
        "heavy = {'sagemaker', 'botocore', 'boto3', 'regex'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program], check=True, cwd=root)
