"""Laying out a serving container: the model unpacked, the code in place, the program beside it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import ExecutionFailed
from pipelines.local.isolation import ML
from pipelines.local.jobs import JobContext, JobFailed
from pipelines.local.jobs.archive import unpack
from pipelines.local.jobs.images import parse_image
from pipelines.local.jobs.material import inside, prepare_folder
from pipelines.local.jobs.toolkit import copy_code
from pipelines.local.serving.containers import Container

PROGRAM = Path(__file__).with_name("program")
PACKAGE = "sagedag_serving"
"""What the program is called where it runs; no user's module is."""

MODEL, CODE = f"{ML}/model", f"{ML}/code"
DEFAULT_SCRIPT = "inference.py"
"""The script that the PyTorch and Hugging Face images look for when they are given none."""


@dataclass(frozen=True)
class Code:
    """A container's code: its folder and script; the script is empty where there is none."""

    folder: str
    script: str


def lay_out(container: Container, context: JobContext) -> Code:
    """Fill a serving job's ``/opt/ml``; return where its code is.

    Raises:
        JobFailed: the model or the code cannot be had, or nothing is known that would serve it.
    """
    prepare_folder(context)
    for folder in ("model", "code", "serving"):
        (context.ml / folder).mkdir()
    _place_model(container, context)
    code = _place_code(container, context)
    if code.script:
        script = inside(context, f"{code.folder}/{code.script}", "SAGEMAKER_PROGRAM")
        if not script.is_file():
            raise JobFailed(
                f"ClientError: the script {code.script!r} is not in the model's code", context.log
            )
    elif image_kind(container) != "xgboost":
        name = parse_image(container.image).name
        raise JobFailed(
            f"ImageNotRunnable: the model names no script, and what the image {name!r} serves by "
            "itself is not known on this machine",
            context.log,
            hint="Give a script (SAGEMAKER_PROGRAM, or code/inference.py inside the model's "
            "archive), or run with docker isolation, or name a stand-in for the step in the "
            "handlers file.",
        )
    return code


def place_program(context: JobContext) -> Path:
    """Copy the server beside the job, where it may read it; return the folder to import from."""
    folder = context.folder / "bin" / "serving"
    target = folder / PACKAGE
    target.mkdir(parents=True, exist_ok=True)
    for source in PROGRAM.glob("*.py"):
        shutil.copyfile(source, target / source.name)
    return folder


def image_kind(container: Container) -> str:
    """Return which image's defaults hold for a container."""
    name = parse_image(container.image).name.rpartition("/")[2]
    return "xgboost" if name in ("sagemaker-xgboost", "xgboost") else name


def _place_model(container: Container, context: JobContext) -> None:
    if not container.model:
        return
    folder = context.ml / "model"
    try:
        if not container.packed:
            context.objects.download(container.model, folder)
            return
        fetched = context.folder / "model-data"
        context.objects.download(container.model, fetched)
        unpack(_one_archive(fetched, container.model), folder)
        shutil.rmtree(fetched)
    except (ExecutionFailed, OSError) as problem:
        raise JobFailed(f"ClientError: the model data: {problem}", context.log) from None


def _one_archive(folder: Path, uri: str) -> Path:
    files = [each for each in folder.rglob("*") if each.is_file()]
    if len(files) != 1:
        raise ExecutionFailed(f"{uri} is not one archive, but {len(files)} objects")
    return files[0]


def _place_code(container: Container, context: JobContext) -> Code:
    """Put the code where the variables say it is; in ``/opt/ml/code`` where it comes from S3."""
    script = container.environment.get("SAGEMAKER_PROGRAM", "")
    directory = container.environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if directory.startswith(f"file://{ML}/"):
        directory = directory.removeprefix("file://")
    if directory.startswith(f"{ML}/"):
        folder = directory
        inside(context, folder, "SAGEMAKER_SUBMIT_DIRECTORY")
    elif directory:
        folder = CODE
        source = context.folder / "source"
        try:
            context.objects.download(directory, source)
            copy_code(source, context.ml / "code")
        except (ExecutionFailed, OSError) as problem:
            raise JobFailed(f"ClientError: the model's code: {problem}", context.log) from None
        shutil.rmtree(source)
    else:
        folder = f"{MODEL}/code"
    here = inside(context, folder, "SAGEMAKER_SUBMIT_DIRECTORY")
    if not script and (here / DEFAULT_SCRIPT).is_file():
        script = DEFAULT_SCRIPT
    return Code(folder, script)
