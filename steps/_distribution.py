"""Distributed training by framework images: the hyperparameters that switch it on.

The names are those of AWS's open ``sagemaker-training`` toolkit (``sagemaker_training/params.py``)
as the framework estimators of SDK 2 set them (``_distribution_configuration``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from steps import _fragments as f
from steps._contract import Problem, Step

_MPI_OPTIONS = f.text("Further options of mpirun.", "-verbose", literal=True)

DISTRIBUTION = f.block(
    "How the job's instances train together.",
    {
        "torch_distributed": f.boolean("PyTorch's `torchrun`.", True, literal=True),
        "parameter_server": f.boolean("TensorFlow's parameter servers.", True, literal=True),
        "multi_worker_mirrored_strategy": f.boolean(
            "TensorFlow's MultiWorkerMirroredStrategy.", True, literal=True
        ),
        "smdistributed_dataparallel": f.one_of(
            "SageMaker's data-parallel library: true, or its options.",
            f.boolean("Use it.", True, literal=True),
            f.block("Use it.", {"options": _MPI_OPTIONS}, {"options": "-verbose"}),
            examples=[True, {"options": "-verbose"}],
        ),
        "smdistributed_modelparallel": f.named(
            "SageMaker's model-parallel library, with its parameters; beside `mpi` or "
            "`torch_distributed`.",
            f.anything("The parameter's value.", 2),
            {"partitions": 2, "ddp": True},
        ),
        "mpi": f.block(
            "Start the script with MPI.",
            {
                "processes_per_host": f.integer(
                    "Processes per instance.", 8, minimum=1, literal=True
                ),
                "options": _MPI_OPTIONS,
            },
            {"processes_per_host": 8},
        ),
    },
    {"torch_distributed": True},
)

_SWITCHES = {
    "parameter_server": "sagemaker_parameter_server_enabled",
    "multi_worker_mirrored_strategy": "sagemaker_multi_worker_mirrored_strategy_enabled",
    "torch_distributed": "sagemaker_torch_distributed_enabled",
}
_DATA_PARALLEL = "sagemaker_distributed_dataparallel"
_LAUNCHERS = ("mpi", "torch_distributed")


def check_distribution(step: Step) -> Iterator[Problem]:
    """Yield model parallelism that nothing starts (SDK 2's ``validate_smdistributed``)."""
    wanted = step.fields.get("distribution") or {}
    if "smdistributed_modelparallel" in wanted and not any(wanted.get(n) for n in _LAUNCHERS):
        yield Problem(
            "needs-another",
            ("distribution", "smdistributed_modelparallel"),
            "model parallelism needs `mpi` or `torch_distributed` beside it",
            "such as `mpi: {processes_per_host: 8}`",
            at_key=True,
        )


def distribution_hyperparameters(step: Step) -> dict[str, Any]:
    """Return the toolkit's hyperparameters for the step's ``distribution``."""
    wanted = step.fields.get("distribution") or {}
    made: dict[str, Any] = {}
    for name, hyperparameter in _SWITCHES.items():
        if wanted.get(name):
            made[hyperparameter] = "true"
            if name == "torch_distributed":
                made["sagemaker_instance_type"] = _instance(step)
    if "mpi" in wanted:
        mpi = wanted["mpi"] or {}
        made["sagemaker_mpi_enabled"] = "true"
        if "processes_per_host" in mpi:
            made["sagemaker_mpi_num_of_processes_per_host"] = str(mpi["processes_per_host"])
        made["sagemaker_mpi_custom_mpi_options"] = json.dumps(mpi.get("options", ""))
    data, model = (
        wanted.get(f"smdistributed_{name}") for name in ("dataparallel", "modelparallel")
    )
    if model:
        made["mp_parameters"] = json.dumps(model)
    if data or model:
        made[f"{_DATA_PARALLEL}_enabled"] = json.dumps(bool(data))
        made["sagemaker_instance_type"] = _instance(step)
    if data:
        options = data.get("options", "") if isinstance(data, Mapping) else ""
        made[f"{_DATA_PARALLEL}_custom_mpi_options"] = json.dumps(options)
    return made


def _instance(step: Step) -> Any:
    kind = (step.fields.get("instance") or {}).get("type")
    return json.dumps(kind) if isinstance(kind, str) else kind
