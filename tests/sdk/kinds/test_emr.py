"""EMR and EMR Serverless steps equal those of the SDK's classes; asset keys are excepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from side_by_side import differences, ours, theirs
from surroundings import BUCKET

pytestmark = pytest.mark.slow  # for importing the SDK
ROLE = "arn:aws:iam::123456789012:role/emr"
CLUSTER = {
    "ReleaseLabel": "emr-7.1.0",
    "Instances": {
        "InstanceGroups": [
            {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}
        ]
    },
}
DEFINITION = """
parameters: {Cluster: j-1ABCDEFGHIJKL}
steps:
  jar:
    type: EMR
    display_name: Clean
    description: Clean data
    cluster: "${parameters.Cluster}"
    jar: s3://survey/job.jar
    main_class: org.astro.Clean
    arguments: {seed: 7}
    properties: {memory: 4g}
    outputs: {clean: s3://survey/clean, rest: s3://survey/rest}
    role: arn:aws:iam::123456789012:role/emr
    cache: 7d
  script:
    type: EMR
    cluster:
      ReleaseLabel: emr-7.1.0
      Instances:
        InstanceGroups: [{InstanceRole: MASTER, InstanceType: m5.xlarge, InstanceCount: 1}]
    code: clean.py
    arguments: [--input, "${steps.jar.outputs.rest}"]
    outputs: {out: s3://survey/out}
  serverless:
    type: EMRServerless
    application: 00f1abcdefghijkl
    code: clean.py
    arguments: [--input, "${steps.script.outputs.out}"]
    spark_parameters: --conf a=b
    outputs: {out: s3://survey/more}
    configuration: {monitoringConfiguration: {s3MonitoringConfiguration: {logUri: s3://survey/l}}}
    role: arn:aws:iam::123456789012:role/emr
    tags: {team: astro}
    max_runtime: 1h
    cache: 7d
    retry: {on: [throttling], attempts: 3}
  own:
    type: EMRServerless
    application: {releaseLabel: emr-7.1.0, type: SPARK}
    code: clean.py
    arguments: ["${steps.serverless.outputs.out}"]
    role: arn:aws:iam::123456789012:role/emr
"""


def build(session: Any) -> tuple[list[Any], list[Any]]:
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.mlops.workflow.emr_step import EMRStep, EMRStepConfig
    from sagemaker.mlops.workflow.steps import CacheConfig

    cluster = ParameterString(name="Cluster", default_value="j-1ABCDEFGHIJKL")
    cache = CacheConfig(enable_caching=True, expire_after="7d")
    jar = EMRStep(
        "jar",
        "Clean",
        "Clean data",
        cluster,
        EMRStepConfig(
            "s3://survey/job.jar",
            args=["--seed", "7"],
            main_class="org.astro.Clean",
            properties=[{"Key": "memory", "Value": "4g"}],
            output_args={"clean": "s3://survey/clean", "rest": "s3://survey/rest"},
        ),
        cache_config=cache,
        execution_role_arn=ROLE,
    )
    command = ["spark-submit", "--deploy-mode", "cluster", "CODE"]
    script = EMRStep(
        "script",
        None,
        None,
        None,
        EMRStepConfig(
            "command-runner.jar",
            args=[*command, "--input", jar.emr_outputs["rest"]],
            output_args={"out": "s3://survey/out"},
        ),
        cluster_config=CLUSTER,
    )
    return [cluster], [jar, script, *serverless(script.emr_outputs["out"], cache)]


def serverless(source: Any, cache: Any) -> list[Any]:
    from sagemaker.core.workflow.properties import Properties
    from sagemaker.mlops.workflow.emr_serverless_step import (
        EMRServerlessJobConfig,
        EMRServerlessStep,
    )
    from sagemaker.mlops.workflow.retry import StepExceptionTypeEnum, StepRetryPolicy

    throttling = StepExceptionTypeEnum(value="Step.THROTTLING")
    existing = EMRServerlessStep(
        "serverless",
        None,
        None,
        EMRServerlessJobConfig(
            {
                "sparkSubmit": {
                    "entryPoint": "CODE",
                    "entryPointArguments": ["--input", source, "--out", "s3://survey/more"],
                    "sparkSubmitParameters": "--conf a=b",
                }
            },
            ROLE,
            {"monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": "s3://survey/l"}}},
            60,
            tags={"team": "astro"},
        ),
        application_id="00f1abcdefghijkl",
        cache_config=cache,
        retry_policies=[StepRetryPolicy(exception_types=[throttling], max_attempts=3)],
    )
    # The SDK loads no members of GetJobRun's response, so that its properties are empty.
    assert not hasattr(existing.properties, "jobRun")
    place = "jobRun.jobDriver.sparkSubmit.entryPointArguments[3]"
    written = Properties("serverless", place, step=existing)
    driver = {"entryPoint": "CODE", "entryPointArguments": [written]}
    own = EMRServerlessStep(
        "own",
        None,
        None,
        EMRServerlessJobConfig({"sparkSubmit": driver}, ROLE),
        application_config={"releaseLabel": "emr-7.1.0", "type": "SPARK"},
    )
    return [existing, own]


def without_keys(value: Any) -> Any:
    """The value with CODE for the code's place: our key is the digest of the code."""
    if isinstance(value, dict):
        return {name: without_keys(part) for name, part in value.items()}
    if isinstance(value, list):
        return [without_keys(part) for part in value]
    is_code = isinstance(value, str) and value.startswith(f"s3://{BUCKET}/")
    return "CODE" if is_code and value.endswith("/clean.py") else value


def test_the_steps_are_the_same(aws: str, tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_text("print('clean')\n", "utf-8")
    made = without_keys(ours(tmp_path, DEFINITION))
    assert list(differences(made, theirs(aws, build))) == []
