"""NotebookJob: runs a notebook; in the definition JSON it is a Training step.

Request: CreateTrainingJob (Amazon SageMaker API Reference), as the SDK's ``NotebookJobStep`` writes
it. What that uploads while compiling is an asset here, and nothing carries a time.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Problem, Step
from steps._expressions import Path, PropertyRef, as_text
from steps._jobs import Arguments, cluster, present, seconds, tag_list, vpc

CHANNEL = "sagemaker_headless_execution_pipelinestep"
ENTRY_POINT = "amazon_sagemaker_scheduler"
"""The program in SageMaker's notebook images that runs the notebook."""
INSTANCE = "ml.m5.large"
DEFAULT_RUNTIME = 2 * 24 * 60 * 60
RETRIES = 1
"""Defaults of the SDK's ``NotebookJobStep``: instance, runtime, and how often the job starts anew
after a failure of the service."""


class NotebookJob(Kind):
    """Runs a notebook."""

    name = "NotebookJob"
    api_type = "Training"
    operation = "CreateTrainingJob"
    describe = "DescribeTrainingJobResponse"
    summary = "Run a Jupyter notebook from top to bottom, with parameters."
    about = (
        "The notebook runs in the kernel `kernel` of `image`: one of SageMaker's Distribution "
        "images or your own with the same program for scheduled notebooks in it. Its cell tagged "
        "`parameters` gets `arguments`, each as a text. `dependencies` are files and folders that "
        "lie beside it when it runs; `setup` is a shell script that runs first, in the same "
        "shell.\n\n"
        "The notebook as it ran, outputs included, goes below `output`, into the job's own folder. "
        "Studio shows the job where `tags` name a domain and a user profile or space."
    )
    example = (
        "explore:\n"
        "  type: NotebookJob\n"
        "  notebook: notebooks/explore.ipynb\n"
        "  image: 885854791233.dkr.ecr.us-east-1.amazonaws.com/sagemaker-distribution-prod:1-cpu\n"
        "  kernel: python3\n"
        "  arguments: {night: 2026-01-01}\n"
        "  dependencies: [notebooks/survey.py]\n"
    )
    required = ("notebook", "image", "kernel")
    cacheable = False
    retries = shared.JOB_RETRIES
    refused = {
        "TrainingJobName": "the service makes the name; to choose a prefix, turn on custom job "
        "prefixes for the pipeline",
        "ExperimentConfig.ExperimentName": "the pipeline's `experiment` says it",
        "ExperimentConfig.TrialName": "the pipeline's `experiment` says it",
        "ExperimentConfig.RunName": "the pipeline's `experiment` says it",
    }
    supplied = ("TrainingJobName",)
    fields = {
        "notebook": Field(
            f.text("The notebook.", "notebooks/explore.ipynb", path=True),
            api="InputDataConfig",
        ),
        "image": shared.image("AlgorithmSpecification.TrainingImage"),
        "kernel": Field(
            f.text("The kernel's name in the image.", "python3"), api="Environment.SM_KERNEL_NAME"
        ),
        "arguments": Field(
            f.named(
                "The notebook's parameters.",
                f.scalar("The parameter's value.", 7),
                {"seed": 7, "night": "${parameters.Night}"},
                maxProperties=100,
            ),
            api="HyperParameters",
        ),
        "dependencies": Field(
            f.listing(
                "Files and folders that the notebook needs beside it.",
                f.text("A file or folder.", "notebooks/survey.py", path=True),
                ["notebooks/survey.py", "notebooks/tables"],
                minItems=1,
            )
        ),
        "setup": Field(
            f.text("A shell script that runs before the notebook.", "notebooks/setup.sh", path=True)
        ),
        "instance": Field(
            shared.instance("", keep_alive=True).schema,
            "ResourceConfig",
            shared.instance("").short,
            default=INSTANCE,
        ),
        "output": shared.output(
            "Where the notebook goes that ran.", "OutputDataConfig.S3OutputPath"
        ),
        "environment": shared.environment(),
        "network": shared.network("VpcConfig"),
        "kms_key": shared.kms_key("OutputDataConfig.KmsKeyId"),
        "role": shared.ROLE,
        "tags": shared.TAGS,
        "max_runtime": Field(
            shared.MAX_RUNTIME.schema, "StoppingCondition.MaxRuntimeInSeconds", default="2d"
        ),
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the output and the Describe response."""
        del step
        return {"output": [], "properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``output``, the S3 URI above the job's own folder."""
        if path[0] == "output":
            place = ("OutputDataConfig", "S3OutputPath")
            return Attribute(PropertyRef(step.name, place, meaning="s3"), path[1:])
        return super().attribute(step, path)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield files that would lie at the same place, and machines beyond the one."""
        if not _text_at(step, ("notebook",)).endswith(".ipynb"):
            yield Problem(
                "bad-value",
                ("notebook",),
                f"`{_text_at(step, ('notebook',))}` is no notebook: its name ends on `.ipynb`",
                "a script is run by a Processing step",
            )
        seen: dict[str, str] = {}
        for path in _material(step):
            text = _text_at(step, path)
            name = posixpath.basename(text.rstrip("/"))
            if name in seen:
                yield Problem(
                    "path-collision",
                    path,
                    f"`{name}` is already the name of `{seen[name]}` beside the notebook",
                    "call one of them something else",
                )
            seen.setdefault(name, text)
        count = (step.fields.get("instance") or {}).get("count", 1)
        if count != 1 and "instance" in step.own:
            yield Problem(
                "bad-value",
                ("instance", "count"),
                "a notebook runs on one instance",
                "leave `count` out",
            )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the CreateTrainingJob arguments."""
        fields = step.fields
        instance = {"type": INSTANCE, **(fields.get("instance") or {}), "count": 1}
        machine = Step(step.name, step.kind, {**fields, "instance": instance}, step.own)
        network = fields.get("network") or {}
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": context.bundle(step, _material(step)),
            "S3DataDistributionType": "FullyReplicated",
        }
        return present(
            RoleArn=fields.get("role") or context.environment.role,
            RetryStrategy={"MaximumRetryAttempts": RETRIES},
            StoppingCondition={
                "MaxRuntimeInSeconds": seconds(step, context, "max_runtime") or DEFAULT_RUNTIME
            },
            EnableInterContainerTrafficEncryption=network.get("encryption", True),
            EnableNetworkIsolation=network.get("isolation"),
            AlgorithmSpecification={
                "TrainingImage": context.image(
                    step, ("image",), fields.get("image"), "training", instance["type"]
                ),
                "TrainingInputMode": "File",
                "ContainerEntrypoint": [ENTRY_POINT],
            },
            InputDataConfig=[{"ChannelName": CHANNEL, "DataSource": {"S3DataSource": source}}],
            OutputDataConfig=present(
                S3OutputPath=(fields.get("output") or {}).get("destination")
                or context.destination(step),
                KmsKeyId=fields.get("kms_key"),
            ),
            ResourceConfig=cluster(machine, context),
            VpcConfig=vpc(step),
            Tags=[*tag_list(fields.get("tags")), *tag_list(_own_tags(step))],
            Environment={
                **{name: as_text(value) for name, value in fields.get("environment", {}).items()},
                **_variables(step, context.environment.region),
            },
            HyperParameters={
                name: as_text(value) for name, value in fields.get("arguments", {}).items()
            },
        )


def _material(step: Step) -> list[Path]:
    """Return the fields whose files lie beside each other when the notebook runs."""
    paths: list[Path] = [("notebook",)]
    if "setup" in step.fields:
        paths.append(("setup",))
    return [*paths, *(("dependencies", i) for i in range(len(step.fields.get("dependencies", []))))]


def _text_at(step: Step, path: Path) -> str:
    value = step.fields[str(path[0])]
    return str(value[path[1]] if len(path) > 1 else value)


def _file(step: Step, name: str) -> str:
    return posixpath.basename(_text_at(step, (name,)))


def _own_tags(step: Step) -> Mapping[str, str]:
    """Return the tags by which Studio knows a notebook's job (the SDK's ``_prepare_tags``)."""
    return {
        "sagemaker:name": step.name,
        "sagemaker:notebook-name": _file(step, "notebook"),
        "sagemaker:notebook-job-origin": "PIPELINE_STEP",
        "sagemaker:is-studio-archived": "false",
    }


def _variables(step: Step, region: str) -> Mapping[str, object]:
    """Return what the image's scheduler reads (the SDK's ``_prepare_env_variables``)."""
    stem = re.sub(r"[^a-zA-Z0-9-]", "-", re.sub(r"^[^a-zA-Z0-9]+", "", step.name))
    made: dict[str, object] = {
        "AWS_DEFAULT_REGION": region,
        "SM_JOB_DEF_VERSION": "1.0",
        "SM_ENV_NAME": "sagemaker-default-env",
        "SM_SKIP_EFS_SIMULATION": "true",
        "SM_EXECUTION_INPUT_PATH": f"/opt/ml/input/data/{CHANNEL}",
        "SM_KERNEL_NAME": step.fields.get("kernel"),
        "SM_INPUT_NOTEBOOK_NAME": _file(step, "notebook"),
        "SM_OUTPUT_NOTEBOOK_NAME": f"{stem}.ipynb",
    }
    if "setup" in step.fields:
        made["SM_INIT_SCRIPT"] = _file(step, "setup")
    return made


KIND = NotebookJob()
