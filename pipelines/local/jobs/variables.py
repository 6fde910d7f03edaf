"""The ``SM_*`` variables of script mode.

Source: the README of the SageMaker Training Toolkit (github.com/aws/sagemaker-training-toolkit),
"List of provided environment variables".
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.local.jobs.context import JobContext
from pipelines.local.jobs.material import HOST, NETWORK_INTERFACE, resource_configuration

INFO = 20
"""The toolkit's default log level."""

_FOLDERS = {
    "model_dir": "/opt/ml/model",
    "input_dir": "/opt/ml/input",
    "input_config_dir": "/opt/ml/input/config",
    "output_dir": "/opt/ml/output",
    "output_data_dir": "/opt/ml/output/data",
    "output_intermediate_dir": "/opt/ml/output/intermediate",
}


def script_variables(
    program: str,
    users: Mapping[str, Any],
    arguments: Sequence[str],
    parameters: Mapping[str, Any],
    request: Mapping[str, Any],
    context: JobContext,
) -> dict[str, str]:
    """All ``SM_*`` variables of a script.

    Args:
        program: the script's name.
        users: the user's hyperparameters.
        arguments: the script's arguments.
        parameters: all hyperparameters, the toolkit's too.
        request: the resolved arguments of CreateTrainingJob.
        context: the job.

    Returns:
        The variables; objects are JSON with sorted keys and no spaces.
    """
    channels = {
        name: f"/opt/ml/input/data/{name}"
        for name in sorted(
            str(each["ChannelName"]) for each in request.get("InputDataConfig") or ()
        )
    }
    configuration = context.ml / "input" / "config"
    inputs = json.loads((configuration / "inputdataconfig.json").read_text(encoding="utf-8"))
    resources = resource_configuration(request)
    group = resources["instance_groups"][0]
    facts: dict[str, Any] = {
        **_FOLDERS,
        "hosts": [HOST],
        "current_host": HOST,
        "current_instance_type": resources["current_instance_type"],
        "current_instance_group": group["instance_group_name"],
        "current_instance_group_hosts": [HOST],
        "instance_groups": [group["instance_group_name"]],
        "instance_groups_dict": {group["instance_group_name"]: group},
        "distribution_instance_groups": [],
        "is_hetero": False,
        "network_interface_name": NETWORK_INTERFACE,
        "num_cpus": os.cpu_count() or 1,
        "num_gpus": _gpus(),
        "log_level": parameters.get("sagemaker_container_log_level", INFO),
        "module_name": program.removesuffix(".py"),
        "module_dir": str(parameters.get("sagemaker_submit_directory") or "/opt/ml/code"),
        "user_entry_point": program,
        "framework_module": None,
        "resource_config": resources,
        "input_data_config": inputs,
    }
    snapshot = {
        **facts,
        "hyperparameters": dict(users),
        "additional_framework_parameters": _framework_parameters(parameters),
        "channel_input_dirs": channels,
        "job_name": context.name,
        "is_master": True,
        "master_hostname": HOST,
    }
    values: dict[str, Any] = {
        **facts,
        "hps": dict(users),
        "channels": sorted(channels),
        "user_args": list(arguments),
        "framework_params": snapshot["additional_framework_parameters"],
        "training_env": snapshot,
        **{f"channel_{name}": path for name, path in channels.items()},
        **{f"hp_{name}": value for name, value in users.items()},
    }
    return {f"SM_{name.upper()}": _text(value) for name, value in values.items()}


def _framework_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The ``sagemaker_`` hyperparameters that a framework adds, besides the toolkit's own."""
    ours = (
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "sagemaker_s3_output",
    )
    return {
        name: value
        for name, value in parameters.items()
        if name.startswith("sagemaker_") and name not in ours
    }


def _gpus() -> int:
    return sum(path.name[6:].isdigit() for path in Path("/dev").glob("nvidia*"))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
