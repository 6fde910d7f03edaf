"""Distributed training by framework images: the hyperparameters that switch it on.

The names are those of AWS's open ``sagemaker-training`` toolkit (``sagemaker_training/params.py``)
as the SDK's framework estimators set them.
"""

from __future__ import annotations

import json
from typing import Any

from steps import _fragments as f
from steps._contract import Step

DISTRIBUTION = f.block(
    "How the job's instances train together.",
    {
        "parameter_server": f.boolean("TensorFlow's parameter servers.", True, literal=True),
        "torch_distributed": f.boolean("PyTorch's `torchrun`.", True, literal=True),
        "smdistributed_dataparallel": f.boolean(
            "SageMaker's data-parallel library.", True, literal=True
        ),
        "mpi": f.block(
            "Start the script with MPI.",
            {
                "processes_per_host": f.integer(
                    "Processes per instance.", 8, minimum=1, literal=True
                ),
                "options": f.text("Further options of mpirun.", "-verbose", literal=True),
            },
            {"processes_per_host": 8},
        ),
    },
    {"torch_distributed": True},
)


def distribution_hyperparameters(step: Step) -> dict[str, Any]:
    """Return the toolkit's hyperparameters for the step's ``distribution``."""
    wanted = step.fields.get("distribution") or {}
    made: dict[str, Any] = {}
    if wanted.get("parameter_server"):
        made["sagemaker_parameter_server_enabled"] = "true"
    if wanted.get("smdistributed_dataparallel"):
        made["sagemaker_distributed_dataparallel_enabled"] = "true"
        made["sagemaker_instance_type"] = _instance(step)
    if wanted.get("torch_distributed"):
        made["sagemaker_torch_distributed_enabled"] = "true"
        made["sagemaker_instance_type"] = _instance(step)
    if "mpi" in wanted:
        mpi = wanted["mpi"] or {}
        made["sagemaker_mpi_enabled"] = "true"
        if "processes_per_host" in mpi:
            made["sagemaker_mpi_num_of_processes_per_host"] = str(mpi["processes_per_host"])
        made["sagemaker_mpi_custom_mpi_options"] = json.dumps(mpi.get("options", ""))
    return made


def _instance(step: Step) -> Any:
    kind = (step.fields.get("instance") or {}).get("type")
    return json.dumps(kind) if isinstance(kind, str) else kind
