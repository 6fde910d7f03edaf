"""EMR: a step on a cluster of Amazon EMR.

Arguments: the SDK's ``EMRStep`` and ``EMRStepConfig``; the shapes are those of AddJobFlowSteps and
RunJobFlow (Amazon EMR API Reference).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Problem, Step
from steps._expressions import as_text
from steps._jobs import Arguments, present
from steps._spark import (
    check_code,
    output_attribute,
    output_attributes,
    outputs_field,
    script,
    words,
)

SPARK_SUBMIT = ("spark-submit", "--deploy-mode", "cluster")
"""What command-runner.jar runs for ``code`` (EMR Release Guide, "Adding a Spark step")."""

_JAR = "StepConfig.HadoopJarStep"
_NOT_IN_CLUSTER = {
    "Name": "the service names the cluster",
    "Steps": "the cluster runs this step alone",
    "AutoTerminationPolicy": "the service ends the cluster after the step",
}
_NOT_IN_INSTANCES = {
    "KeepJobFlowAliveWhenNoSteps": "the service ends the cluster after the step",
    "TerminationProtected": "the service ends the cluster after the step",
}
"""What the SDK's ``EMRStep`` refuses in ``cluster_config``."""


class EMR(Kind):
    """Runs a step on an EMR cluster."""

    name = "EMR"
    api_type = "EMR"
    describe = "Step"
    service = "emr"
    parts = {
        "ClusterId": "XmlStringMaxLen256",
        "ExecutionRoleArn": "ArnType",
        "StepConfig": "StepConfig",
        "ClusterConfig": "RunJobFlowInput",
    }
    supplied = ("StepConfig.Name", "ClusterConfig.Name")
    known_as = ("AddJobFlowSteps", "RunJobFlow")
    summary = "Run a Spark script or a JAR on a cluster of Amazon EMR."
    about = (
        "`cluster` is the ID of a cluster that runs, or a map in the words of EMR's RunJobFlow; "
        "the service then starts such a cluster for this step and ends it afterwards.\n\n"
        "With `code` the cluster runs the script with `spark-submit`, from S3 and in cluster mode; "
        "what the script imports must be on the cluster. What `outputs` names is handed over "
        "behind `arguments` as `--NAME URI`, and `${steps.NAME.outputs.OUTPUT}` is the URI."
    )
    example = (
        "clean:\n"
        "  type: EMR\n"
        "  cluster: j-1ABCDEFGHIJKL\n"
        "  code: code/clean.py\n"
        "  arguments: {input: s3://bucket/raw}\n"
        "  outputs: {clean: s3://bucket/clean}\n"
    )
    required = ("cluster",)
    cacheable = True
    fields = {
        "cluster": Field(
            f.one_of(
                "The cluster: the ID of one that runs, or a map of RunJobFlow's members.",
                f.text("The cluster's ID.", "j-1ABCDEFGHIJKL"),
                f.named(
                    "A cluster of its own, in the words of EMR's RunJobFlow.",
                    f.anything("A member of RunJobFlow.", "emr-7.1.0"),
                    {
                        "ReleaseLabel": "emr-7.1.0",
                        "Instances": {
                            "InstanceGroups": [
                                {
                                    "InstanceRole": "MASTER",
                                    "InstanceType": "m5.xlarge",
                                    "InstanceCount": 1,
                                }
                            ]
                        },
                    },
                ),
                examples=["j-1ABCDEFGHIJKL"],
            ),
            api="ClusterConfig",
        ),
        "jar": Field(
            f.text("The JAR to run: an S3 URI, or `command-runner.jar`.", "s3://bucket/job.jar"),
            api=f"{_JAR}.Jar",
        ),
        "code": shared.CODE,
        "main_class": Field(
            f.text("The class to run, where the JAR's manifest names none.", "org.astro.Clean"),
            api=f"{_JAR}.MainClass",
        ),
        "arguments": shared.arguments(f"{_JAR}.Args"),
        "properties": Field(
            f.named(
                "Java properties of the step.",
                f.scalar("The property's value.", "4g"),
                {"spark.executor.memory": "4g"},
            ),
            api=f"{_JAR}.Properties[]",
        ),
        "outputs": outputs_field(f"{_JAR}.Args"),
        "on_failure": Field(
            f.choice(
                "What happens to the cluster's other steps where this one fails.",
                "TERMINATE_CLUSTER",
                "CANCEL_AND_WAIT",
                "CONTINUE",
            ),
            api="StepConfig.ActionOnFailure",
        ),
        "role": Field(
            f.text(
                "The runtime role of the step; for a cluster that runs already.",
                "arn:aws:iam::111122223333:role/emr-step",
                meaning="arn",
            ),
            api="ExecutionRoleArn",
        ),
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the outputs and what EMR's DescribeStep tells."""
        return output_attributes(step)

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``outputs.NAME``, as the SDK's ``EMRStep.emr_outputs`` does."""
        return output_attribute(step, path, ("Config", "Args"), _words_before(step))

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield what the SDK's ``EMRStep`` refuses, and a step with nothing to run."""
        yield from check_code(step, "jar")
        cluster = step.fields.get("cluster")
        if not isinstance(cluster, Mapping):
            return
        if "role" in step.own:
            yield Problem(
                "either-or",
                ("role",),
                "`role` stands beside a cluster that is made for the step",
                "the cluster's `JobFlowRole` and `ServiceRole` say it",
                at_key=True,
            )
        yield from _check_cluster(cluster)

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the cluster and the step's configuration."""
        fields = step.fields
        jar, before = fields.get("jar"), []
        if "code" in fields:
            jar = "command-runner.jar"
            before = [*_spark_words(step), script(step, context)]
        properties = fields.get("properties", {})
        config = {
            "HadoopJarStep": present(
                Jar=jar,
                Args=[*before, *words(step, context)],
                MainClass=None if "code" in fields else fields.get("main_class"),
                Properties=[{"Key": k, "Value": as_text(v)} for k, v in properties.items()],
            )
        }
        config.update(present(ActionOnFailure=fields.get("on_failure")))
        cluster = fields.get("cluster")
        if isinstance(cluster, Mapping):
            return {"StepConfig": config, "ClusterConfig": dict(cluster)}
        return present(StepConfig=config, ClusterId=cluster, ExecutionRoleArn=fields.get("role"))


def _spark_words(step: Step) -> list[Any]:
    main = step.fields.get("main_class")
    return [*SPARK_SUBMIT, *(["--class", main] if main is not None else [])]


def _words_before(step: Step) -> int:
    """Return how many words stand before the step's own arguments."""
    return len(_spark_words(step)) + 1 if "code" in step.fields else 0


def _check_cluster(cluster: Mapping[str, Any]) -> Iterator[Problem]:
    for name, reason in _NOT_IN_CLUSTER.items():
        if name in cluster:
            message = f"`{name}` can't be set in a cluster that is made for the step"
            yield Problem("refused-member", ("cluster", name), message, reason, at_key=True)
    instances = cluster.get("Instances")
    if not isinstance(instances, Mapping):
        # One that is misspelt is told by the API's model.
        if not get_close_matches("Instances", cluster, 1, 0.7):
            hint = "which machines the cluster has"
            yield Problem("missing-key", ("cluster",), "missing key `Instances`", hint, at_key=True)
        return
    for name, reason in _NOT_IN_INSTANCES.items():
        if name in instances:
            message = f"`{name}` can't be set in a cluster that is made for the step"
            path = ("cluster", "Instances", name)
            yield Problem("refused-member", path, message, reason, at_key=True)
    if ("InstanceGroups" in instances) == ("InstanceFleets" in instances):
        yield Problem(
            "needs-one-of",
            ("cluster", "Instances"),
            "`Instances` has either `InstanceGroups` or `InstanceFleets`",
            at_key=True,
        )


KIND = EMR()
