"""What a training container runs: its own entry point, a user's script, or a driver's program.

Script mode is that of AWS's framework images: hyperparameters name the script and the archive it is
in; all others become arguments and ``SM_*`` variables. Source: the README and the public behaviour
of the SageMaker Training Toolkit (github.com/aws/sagemaker-training-toolkit).
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.addresses import is_s3
from pipelines.local.isolation import Container
from pipelines.local.jobs.archive import unpack
from pipelines.local.jobs.context import JobContext, JobFailed
from pipelines.local.jobs.drivers import find_driver
from pipelines.local.jobs.drivers.notebook import is_notebook, notebook_command
from pipelines.local.jobs.images import parse_image
from pipelines.local.jobs.material import inside, write_json
from pipelines.local.jobs.process import Command
from pipelines.local.jobs.variables import script_variables

CODE = "/opt/ml/code"
"""Where script mode unpacks the user's code and runs it."""

TRAIN = "train"
"""The argument of an image that trains by its own entry point. Source: Developer Guide, "How Amazon
SageMaker AI Runs Your Training Image"."""

WORKING_DIRECTORY = "/tmp"  # noqa: S108 - the job's own
"""**[U]** The working directory of images that are not run in script mode."""


def training_command(request: Mapping[str, Any], context: JobContext) -> Command:
    """What a training job runs, its code laid out.

    Args:
        request: the resolved arguments of CreateTrainingJob.
        context: the job; its configuration files and channels are in place.

    Raises:
        JobFailed: nothing is known to run, the code cannot be had, or requirements are missing.
    """
    algorithm = request.get("AlgorithmSpecification", {})
    own = _job_variables(request, context)
    limit = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    seconds = float(limit) if limit is not None else None
    entry = [str(part) for part in algorithm.get("ContainerEntrypoint") or ()]
    arguments = [str(part) for part in algorithm.get("ContainerArguments") or ()]
    uri = str(algorithm.get("TrainingImage", ""))
    if context.isolation.runs_images:
        container = Container(uri, tuple(entry), tuple(arguments) if entry else (TRAIN,))
        _prepare_image(request, own, context)
        return Command((), own, WORKING_DIRECTORY, seconds, container=container)
    if entry:
        if is_notebook(entry):
            return notebook_command(request, context)
        listed = context.ml / "input/data/code/requirements.txt"
        interpreter = context.environments.interpreter(uri, [listed], context, installs_itself=True)
        return Command((*entry, *arguments), own, WORKING_DIRECTORY, seconds, interpreter)
    parameters = decode_hyperparameters(request.get("HyperParameters", {}))
    program = own.get("SAGEMAKER_PROGRAM") or parameters.get("sagemaker_program")
    if program:
        command = _script_command(str(program), parameters, request, context, own, seconds)
        listed = context.ml / "code/requirements.txt"
        return replace(
            command, interpreter=context.environments.interpreter(uri, [listed], context)
        )
    image = parse_image(uri)
    driver = find_driver(image, request)
    if driver is not None:
        interpreter = context.environments.interpreter(uri, [], context)
        return replace(driver.command(request, context), interpreter=interpreter)
    raise JobFailed(
        f"ImageNotRunnable: the request names no script, and what the image {image.name!r} runs by "
        "itself is not known on this machine",
        context.log,
        hint="Give a script (entry_point), or run with --job-env docker, or say in the handlers "
        f"file what stands in for it: images: {{{image.name}: 'module:function'}}.",
    )


def _prepare_image(request: Mapping[str, Any], own: Mapping[str, str], context: JobContext) -> None:
    """Place the code where an image's own toolkit finds it, without S3."""
    given = {str(name): str(value) for name, value in request.get("HyperParameters", {}).items()}
    parameters = decode_hyperparameters(given)
    if not parameters.get("sagemaker_submit_directory"):
        return
    _place_code(own, parameters, context.ml / "code", context)
    changed = {**given, "sagemaker_submit_directory": json.dumps(CODE)}
    write_json(context, "input/config/hyperparameters.json", changed)


def decode_hyperparameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters as script mode sees them: each value is JSON, or the text that is none."""
    decoded: dict[str, Any] = {}
    for name, value in given.items():
        try:
            decoded[str(name)] = json.loads(value) if isinstance(value, str) else value
        except ValueError:  # noqa: PERF203 - a handful, and each may be plain text
            decoded[str(name)] = value
    return decoded


def script_arguments(parameters: Mapping[str, Any]) -> list[str]:
    """The user's hyperparameters as ``--name value``, by name; one letter takes one dash."""
    arguments = []
    for name in sorted(parameters):
        value = parameters[name]
        if isinstance(value, Mapping):
            text = ",".join(f"{key}={value[key]}" for key in sorted(value))
        else:
            text = "" if value is None else str(value)
        arguments += [f"--{name}" if len(name) > 1 else f"-{name}", text]
    return arguments


def _job_variables(request: Mapping[str, Any], context: JobContext) -> dict[str, str]:
    given = {str(name): str(value) for name, value in request.get("Environment", {}).items()}
    return given | {"TRAINING_JOB_NAME": context.name, "TRAINING_JOB_ARN": context.arn}


def _script_command(
    program: str,
    parameters: Mapping[str, Any],
    request: Mapping[str, Any],
    context: JobContext,
    own: Mapping[str, str],
    seconds: float | None,
) -> Command:
    code = context.ml / "code"
    _place_code(own, parameters, code, context)
    script = Path(os.path.normpath(code / program))
    if not script.is_relative_to(code) or not script.is_file():
        there = ", ".join(sorted(path.name for path in code.iterdir())) or "nothing"
        raise JobFailed(
            f"ClientError: the script {program!r} is not in the job's code; there is: {there}",
            context.log,
        )
    users = {name: value for name, value in parameters.items() if not _is_ours(name)}
    arguments = script_arguments(users)
    variables = script_variables(program, users, arguments, parameters, request, context)
    environment = {**variables, "PYTHONPATH": CODE, **own}
    if program.endswith(".py"):
        package = (code / "setup.py").is_file()
        start = ["-m", program[:-3].replace("/", ".")] if package else [program]
        return Command(("python3", *start, *arguments), environment, CODE, seconds)
    line = f"./{shlex.quote(program)} {shlex.join(arguments)}"
    script.chmod(script.stat().st_mode | 0o100)
    return Command(("/bin/sh", "-c", line), environment, CODE, seconds)


def _is_ours(name: str) -> bool:
    """Whether a hyperparameter belongs to the toolkit, not to the user's script."""
    return name.startswith("sagemaker_") or name in (
        "_tuning_objective_metric",
        "default_user_module_name",
    )


def _place_code(
    own: Mapping[str, str], parameters: Mapping[str, Any], code: Path, context: JobContext
) -> None:
    """Fill ``/opt/ml/code`` from the submitted archive, or from the channel ``code``."""
    directory = str(
        own.get("SAGEMAKER_SUBMIT_DIRECTORY") or parameters.get("sagemaker_submit_directory") or ""
    )
    try:
        if directory and (is_s3(directory) or directory.startswith("file:")):
            folder = context.folder / "source"
            context.objects.download(directory, folder)
            copy_code(folder, code)
            shutil.rmtree(folder)
        elif directory and directory != CODE:
            copy_code(inside(context, directory, "sagemaker_submit_directory"), code)
        elif (context.ml / "input/data/code").is_dir():
            copy_code(context.ml / "input/data/code", code)
    except (ExecutionFailed, OSError) as problem:
        raise JobFailed(f"ClientError: the job's code: {problem}", context.log) from None


def copy_code(source: Path, code: Path) -> None:
    """Copy a folder of code, or unpack the one archive that it is or holds."""
    files = list(source.iterdir()) if source.is_dir() else [source]
    if len(files) == 1 and files[0].name.endswith((".tar.gz", ".tgz")):
        unpack(files[0], code)
    elif source.is_dir():
        shutil.copytree(source, code, dirs_exist_ok=True, symlinks=True)
    else:
        shutil.copy(source, code)
