"""The addresses of AWS's own images, worked out offline.

The rules are those of `retrieve` in the SageMaker SDK's `image_uris` (3.27), over the same tables.
They differ on purpose in two points: the version of a framework that has several must be given,
because the newest one changes with every upgrade of the SDK; and a version that does not exist is
refused where the SDK would silently take the only one there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pipelines.service.image_configs import (
    Config,
    UnknownImage,
    frameworks,
    load_config,
    offered,
    refuse_choice,
    registry_host,
    scopes,
    versions,
)

__all__ = ["UnknownImage", "frameworks", "resolve", "versions"]

_GRAVITON_FAMILIES = ("m6g", "m6gd", "c6g", "c6gd", "c6gn", "c7g", "r6g", "r6gd")
_GRAVITON_FRAMEWORKS = frozenset({"tensorflow", "pytorch", "xgboost", "sklearn"})
_BASE_PYTHON = "sagemaker-base-python"
_ALIKE = {"training", "inference"}
_GRAVITON_SCOPE = "inference_graviton"
_GRAVITON_TAGS = {
    ("xgboost", "1.5-1"): "1.5-1-arm64",
    ("xgboost", "1.3-1"): "1.3-1-arm64",
    ("sklearn", "1.0-1"): "1.0-1-arm64-cpu-py3",
}
# Frameworks whose tags take a caller's container version although their tables name none.
_CONTAINER_VERSIONED = frozenset({"huggingface", "pytorch-smp", "spark"})
_NEURON_REPOSITORIES = frozenset(
    {
        "pytorch-training-neuron",
        "pytorch-training-neuronx",
        "huggingface-vllm-inference-neuronx",
    }
)
_NEURON_TRANSFORMERS = frozenset(
    {"huggingface-pytorch-inference-neuron", "huggingface-pytorch-inference-neuronx"}
)
_TRAINING_COMPILERS = frozenset(
    {"huggingface-pytorch-trcomp-training", "huggingface-tensorflow-trcomp-training"}
)
# Rebuilt images for P4d instances and the distributed training libraries.
_REBUILT = {
    "tensorflow-2.3-gpu-py37": "cu110-ubuntu18.04-v3",
    "tensorflow-2.3.1-gpu-py37": "cu110-ubuntu18.04",
    "tensorflow-2.3.2-gpu-py37": "cu110-ubuntu18.04",
    "tensorflow-1.15-gpu-py37": "cu110-ubuntu18.04-v8",
    "tensorflow-1.15.4-gpu-py37": "cu110-ubuntu18.04",
    "tensorflow-1.15.5-gpu-py37": "cu110-ubuntu18.04",
    "mxnet-1.8-gpu-py37": "cu110-ubuntu16.04-v1",
    "mxnet-1.8.0-gpu-py37": "cu110-ubuntu16.04",
    "pytorch-1.6-gpu-py36": "cu110-ubuntu18.04-v3",
    "pytorch-1.6.0-gpu-py36": "cu110-ubuntu18.04",
    "pytorch-1.6-gpu-py3": "cu110-ubuntu18.04-v3",
    "pytorch-1.6.0-gpu-py3": "cu110-ubuntu18.04",
}
# The first releases that no longer run on P2 instances.
_WITHOUT_P2 = {"pytorch": (1, 13), "tensorflow": (2, 12)}


@dataclass(frozen=True)
class _Wanted:
    framework: str
    region: str
    version: str | None
    py_version: str | None
    scope: str | None
    instance_type: str | None
    base_framework_version: str | None
    container_version: str | None
    accelerator_type: str | None
    sdk_version: str | None
    inference_tool: str | None
    training_compiler: bool
    smdistributed: bool
    serverless: bool

    @property
    def family(self) -> str:
        """The instance family, such as `m5` of `ml.m5.xlarge`; empty when there is none."""
        found = re.match(r"^ml[._]([a-z\d\-]+)\.?\w*$", self.instance_type or "")
        return found.group(1) if found else ""

    @property
    def on_graviton(self) -> bool:
        return self.family in _GRAVITON_FAMILIES

    @property
    def compiled(self) -> bool:
        """Whether the image has SageMaker's training compiler."""
        return self.training_compiler and self.framework in {"huggingface", "pytorch"}

    @property
    def table(self) -> str:
        """The name of the SDK's table; the training compiler and AWS's chips have their own."""
        if self.compiled:
            return f"{self.framework}-training-compiler"
        if self.tool in {"neuron", "neuronx"} and self.framework in {"huggingface", "pytorch"}:
            return f"{self.framework}-{self.tool}"
        return self.framework

    @property
    def tool(self) -> str | None:
        """The inference tool, which AWS's own chips imply."""
        fixed = self.inference_tool
        if fixed or self.training_compiler or self.framework not in {"huggingface", "pytorch"}:
            return fixed
        return "neuron" if self.family.startswith(("inf", "trn")) else None


def resolve(
    framework: str,
    *,
    region: str,
    version: str | None = None,
    py_version: str | None = None,
    scope: str | None = None,
    instance_type: str | None = None,
    base_framework_version: str | None = None,
    container_version: str | None = None,
    accelerator_type: str | None = None,
    sdk_version: str | None = None,
    inference_tool: str | None = None,
    training_compiler: bool = False,
    smdistributed: bool = False,
    serverless: bool = False,
) -> str:
    """Returns the address of AWS's image for a framework or built-in algorithm.

    Args:
        framework: a name of `frameworks()`, such as `sklearn` or `kmeans`.
        version: needed where there are several; `versions()` lists them.
        py_version: such as `py3`; needed where the version has images for several.
        scope: `training`, `inference`, … ; of no effect where images are for one thing alone.
        instance_type: needed where images differ by processor.
        base_framework_version: for `huggingface`: such as `pytorch2.1.0`.
        container_version, sdk_version, inference_tool, accelerator_type: as the SDK takes them.
        training_compiler, smdistributed, serverless: whether the job uses SageMaker's training
            compiler, its distributed libraries, or a serverless endpoint.

    Raises:
        UnknownImage: there is no such image; the hint says what there is.
    """
    wanted = _Wanted(
        framework,
        region,
        version,
        py_version,
        scope,
        instance_type,
        base_framework_version,
        container_version,
        accelerator_type,
        sdk_version,
        inference_tool,
        training_compiler,
        smdistributed,
        serverless,
    )
    config, scope = _choose_config(wanted)
    chosen = _choose_version(wanted, config)
    images: Config = config["versions"][_unalias(chosen, config)]
    if framework == "huggingface":
        images = _choose_base(wanted, images)
    python = _choose_python(wanted, images)
    image: Config = images.get(python) or images if python else images
    if region not in image["registries"]:
        refuse_choice(framework, "region", region, tuple(image["registries"]))
    tag = _tag(wanted, config, image, chosen, python, scope)
    repository = image["repository"]
    if framework == _BASE_PYTHON:
        repository = f"{repository}-{_choose_base_python(py_version)}"
    address = f"{image['registries'][region]}.dkr.{registry_host(region)}/{repository}"
    return f"{address}:{tag}" if tag else address


def _choose_config(wanted: _Wanted) -> tuple[Config, str | None]:
    """Returns the part of a table that has the wanted scope, and that scope."""
    framework, scope = wanted.framework, wanted.scope
    if not wanted.compiled:
        load_config(framework)
        _check_chips(wanted)
        if framework in _GRAVITON_FRAMEWORKS and wanted.on_graviton:
            scope = _GRAVITON_SCOPE
        elif scope is None and framework in {"xgboost", "sklearn"}:
            scope = "training"
    config = load_config(wanted.table)
    if wanted.accelerator_type:
        if not wanted.accelerator_type.startswith("ml.eia"):
            message = f"`{wanted.accelerator_type}` is not an Elastic Inference accelerator."
            raise UnknownImage(message, "Their names begin with `ml.eia`.", "accelerator_type")
        scope = "eia"
    if "versions" in config and "scope" not in config:
        return config, scope
    known = scopes(config)
    if len(known) == 1 or (not scope and "scope" in config and set(known) == _ALIKE):
        scope = known[0]
    if scope is None or scope not in known:
        refuse_choice(wanted.framework, "scope", scope, known)
    return (config if "scope" in config else config[scope]), scope


def _check_chips(wanted: _Wanted) -> None:
    chip = ""
    if "trn" in (wanted.instance_type or "") and wanted.framework != "pytorch":
        chip = "Trainium"
    elif wanted.on_graviton and wanted.framework not in _GRAVITON_FRAMEWORKS:
        chip = "Graviton"
    if chip:
        message = f"{wanted.framework} has no image for {chip} instances."
        hint = f"`{wanted.instance_type}` is one; choose another instance type."
        raise UnknownImage(message, hint, "instance_type")


def _choose_version(wanted: _Wanted, config: Config) -> str:
    known = offered(config)
    version = wanted.version
    if version is None and len(config["versions"]) == 1:
        return str(next(iter(config["versions"])))
    if version is None or version not in known:
        refuse_choice(wanted.table, "version", version, known)
    return version


def _unalias(version: str | None, config: Config) -> Any:
    return config.get("version_aliases", {}).get(version, version)


def _choose_base(wanted: _Wanted, images: Config) -> Config:
    """Returns the images of Transformers for one release of PyTorch or TensorFlow."""
    aliases = images.get("version_aliases", {})
    known = tuple(name for name in (*images, *aliases) if name != "version_aliases")
    base = wanted.base_framework_version
    if base not in known:
        refuse_choice(wanted.framework, "base_framework_version", base, known)
    found: Config = images[aliases.get(base, base)]
    return found


def _choose_python(wanted: _Wanted, images: Config) -> str | None:
    known = tuple(images.get("py_versions", ()) if "repository" in images else images)
    if not known or (wanted.py_version is None and wanted.framework == "spark"):
        return None
    if wanted.py_version is None and len(known) == 1:
        return str(known[0])
    if wanted.py_version not in known:
        refuse_choice(wanted.framework, "py_version", wanted.py_version, known)
    return wanted.py_version


def _choose_base_python(py_version: str | None) -> str:
    """Returns the ending of the repository of plain Python; the table does not have it.

    Source: `get_base_python_image_uri` in the SDK's `image_uris`, which names these two.
    """
    short = (py_version or "310").removeprefix("py")
    if short not in {"310", "38"}:
        refuse_choice(_BASE_PYTHON, "py_version", py_version, ("38", "310"))
    return short


def _choose_processor(wanted: _Wanted, known: tuple[str, ...]) -> str | None:
    kind = wanted.instance_type
    if not known:
        return None
    if len(known) == 1 and not kind:
        return known[0]
    if wanted.serverless:
        return "cpu"
    if not kind:
        message = f"The image of {wanted.framework} depends on the instance type."
        raise UnknownImage(message, "Give the instance type.", "instance_type")
    family = wanted.family
    if kind.startswith("local"):
        processor = "cpu" if kind == "local" else "gpu"
    elif kind.startswith("neuron"):
        processor = "neuron"
    elif not family:
        message = f"`{kind}` is not an instance type."
        raise UnknownImage(message, "They look like `ml.m5.xlarge`.", "instance_type")
    elif family in known:
        processor = family
    elif family.startswith(("inf", "trn")):
        processor = family[:3]
    else:
        processor = "gpu" if family[0] in "gp" else "cpu"
    if processor not in known:
        message = f"{wanted.framework} has no image for `{kind}`, whose processor is {processor}."
        hint = f"There are images for {' and '.join(known)}."
        raise UnknownImage(message, hint, "instance_type")
    return processor


def _tag(
    wanted: _Wanted,
    config: Config,
    image: Config,
    version: str,
    python: str | None,
    scope: str | None,
) -> str:
    processors = tuple(config.get("processors") or image.get("processors") or ())
    processor = _choose_processor(wanted, processors)
    container = _container_version(wanted, image, processor)
    prefix = image.get("tag_prefix", version)
    if wanted.framework == "huggingface":
        prefix = _transformers_prefix(wanted, config, image, version)
    shown = processor if image.get("processor_in_tag", True) else None
    _check_p2(wanted, version)
    arm = wanted.on_graviton or scope == _GRAVITON_SCOPE
    if wanted.framework in {"xgboost", "sklearn"} and arm:
        return _graviton_tag(wanted, version)
    parts = (prefix, wanted.tool or shown, python, container)
    tag = "-".join(part for part in parts if part)
    if wanted.framework in {"xgboost", "sklearn"}:
        return tag
    rebuilt = _REBUILT.get(f"{wanted.framework}-{tag}")
    if rebuilt and wanted.instance_type and (wanted.family == "p4d" or wanted.smdistributed):
        tag = f"{tag}-{rebuilt}"
    if wanted.framework == "sagemaker-tritonserver" and shown == "gpu":
        # The SDK strips these letters, not this ending; the tags come out right.
        tag = tag.rstrip("-gpu")
    return tag


def _graviton_tag(wanted: _Wanted, version: str) -> str:
    if wanted.family and not wanted.on_graviton:
        message = f"`{wanted.instance_type}` is not a Graviton instance."
        hint = f"Their families are {', '.join(_GRAVITON_FAMILIES)}."
        raise UnknownImage(message, hint, "instance_type")
    known = tuple(one for name, one in _GRAVITON_TAGS if name == wanted.framework)
    if version not in known:
        refuse_choice(f"{wanted.framework} for Graviton", "version", version, known)
    return _GRAVITON_TAGS[wanted.framework, version]


def _container_version(wanted: _Wanted, image: Config, processor: str | None) -> str | None:
    container, repository = wanted.container_version, str(image["repository"])
    fixed = image.get("container_version")
    on_arm = repository == f"{wanted.framework}-inference-graviton"
    if fixed:
        if processor not in fixed:
            message = f"{wanted.framework} has no image for the processor {processor}."
            hint = f"There are images for {' and '.join(fixed)}."
            raise UnknownImage(message, hint, "instance_type")
        container = fixed[processor]
    elif container is not None and not (
        wanted.framework in _CONTAINER_VERSIONED or on_arm or "neuron" in repository
    ):
        message = f"The images of {wanted.framework} take no container version."
        raise UnknownImage(message, "Leave it out and give the full version.", "container_version")
    if repository in _NEURON_REPOSITORIES or (
        wanted.framework == "huggingface" and repository in _NEURON_TRANSFORMERS
    ):
        release = wanted.sdk_version or max(image.get("sdk_versions") or [""])
        if not release or not container:
            message = f"The image of {wanted.framework} needs the version of the Neuron SDK."
            raise UnknownImage(message, field="sdk_version")
        container = f"{release}-{container}"
    if on_arm or repository == f"{wanted.framework}-inference-arm64":
        container = f"{container}-sagemaker"
    return container


def _transformers_prefix(wanted: _Wanted, config: Config, image: Config, version: str) -> str:
    """Returns how a Hugging Face tag begins: the base's release, and that of Transformers."""
    repository, base = image["repository"], wanted.base_framework_version
    release = _unalias(version, config)
    if repository in _TRAINING_COMPILERS:
        release = version
    if repository in _NEURON_TRANSFORMERS:
        base = _unalias(base, config["versions"].get(release, {}))
    number = re.sub(r"^(pytorch|tensorflow)", "", base or "")
    return f"{number}-transformers{release}"


def _check_p2(wanted: _Wanted, version: str) -> None:
    first = _WITHOUT_P2.get(wanted.framework)
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if wanted.family == "p2" and first is not None and numbers >= first:
        message = f"{wanted.framework} {version} does not run on P2 instances."
        hint = f"They ended with {wanted.framework} {first[0]}.{first[1]}."
        raise UnknownImage(message, hint, "instance_type")
