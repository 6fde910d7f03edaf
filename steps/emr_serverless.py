"""EMRServerless: a Spark job without a cluster of one's own.

Arguments: the SDK's ``EMRServerlessStep`` and ``EMRServerlessJobConfig``; the shapes are those of
StartJobRun and CreateApplication (EMR Serverless API Reference).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from steps import _fragments as f
from steps import _shared_fields as shared
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Problem, Step
from steps._expressions import as_text
from steps._jobs import Arguments, present, seconds
from steps._spark import output_attribute, output_attributes, outputs_field, script, words

_SUBMIT = "JobConfig.jobDriver.sparkSubmit"
_ARGUMENTS = ("jobRun", "jobDriver", "sparkSubmit", "entryPointArguments")
"""Where GetJobRun tells the script's arguments. [U]: the SDK names GetJobRun's response as what
references read, but loads none of its members; that the service resolves them is not documented.
"""


class EMRServerless(Kind):
    """Runs a Spark job on EMR Serverless."""

    name = "EMRServerless"
    api_type = "EMRServerless"
    known_as = ("StartJobRun",)
    describe = "GetJobRunResponse"
    service = "emr-serverless"
    parts = {
        "ExecutionRoleArn": "IAMRoleArn",
        "JobConfig": "StartJobRunRequest",
        "ApplicationId": "ApplicationId",
        "ApplicationConfig": "CreateApplicationRequest",
    }
    supplied = (
        "JobConfig.applicationId",
        "JobConfig.clientToken",
        "ApplicationConfig.clientToken",
    )
    summary = "Run a Spark script on Amazon EMR Serverless."
    about = (
        "`application` is the ID of an application that exists, or a map in the words of EMR "
        "Serverless's CreateApplication; the service then makes one for the step.\n\n"
        "`code` is a Spark script; what it imports must be in the application's image. What "
        "`outputs` names is handed over behind `arguments` as `--NAME URI`, and "
        "`${steps.NAME.outputs.OUTPUT}` is the URI. A Hive job is said under `request`, as "
        "`JobConfig.jobDriver.hive`."
    )
    example = (
        "clean:\n"
        "  type: EMRServerless\n"
        "  application: 00f1abcdefghijkl\n"
        "  code: code/clean.py\n"
        "  arguments: {input: s3://bucket/raw}\n"
        "  outputs: {clean: s3://bucket/clean}\n"
        '  spark_parameters: "--conf spark.executor.memory=4g"\n'
    )
    required = ("application",)
    cacheable = True
    retries = shared.STEP_RETRIES
    fields = {
        "application": Field(
            f.one_of(
                "The application: the ID of one that exists, or a map of CreateApplication's "
                "members.",
                f.text("The application's ID.", "00f1abcdefghijkl"),
                f.named(
                    "An application of its own, in the words of CreateApplication.",
                    f.anything("A member of CreateApplication.", "emr-7.1.0"),
                    {"releaseLabel": "emr-7.1.0", "type": "SPARK"},
                ),
                examples=["00f1abcdefghijkl", {"releaseLabel": "emr-7.1.0", "type": "SPARK"}],
            ),
            api="ApplicationConfig",
        ),
        "code": shared.CODE,
        "arguments": shared.arguments(f"{_SUBMIT}.entryPointArguments"),
        "spark_parameters": Field(
            f.text("Options of spark-submit.", "--conf spark.executor.memory=4g"),
            api=f"{_SUBMIT}.sparkSubmitParameters",
        ),
        "outputs": outputs_field(f"{_SUBMIT}.entryPointArguments"),
        "configuration": Field(
            f.named(
                "What differs from the application's configuration: a map of "
                "ConfigurationOverrides.",
                f.anything("A member of ConfigurationOverrides.", {}),
                {"monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": "s3://b/l"}}},
            ),
            api="JobConfig.configurationOverrides",
        ),
        "role": Field(shared.ROLE.schema, api="ExecutionRoleArn", default=shared.ROLE.default),
        "tags": Field(shared.TAGS.schema, api="JobConfig.tags"),
        "max_runtime": Field(shared.MAX_RUNTIME.schema, api="JobConfig.executionTimeoutMinutes"),
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the outputs and what GetJobRun tells."""
        return output_attributes(step)

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``outputs.NAME``."""
        return output_attribute(step, path, _ARGUMENTS, 0)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield a step with nothing to run."""
        config = step.fields.get("request", {}).get("JobConfig")
        if "code" not in step.fields and not (
            isinstance(config, Mapping) and "jobDriver" in config
        ):
            hint = "the Spark script; a Hive job is written under `request`"
            yield Problem("missing-key", (), "missing key `code`", hint, at_key=True)

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the role, the job and the application."""
        fields = step.fields
        role = fields.get("role") or context.environment.role
        application = fields.get("application")
        own = isinstance(application, Mapping)
        runtime = seconds(step, context, "max_runtime")
        job: Arguments = {"executionRoleArn": role}
        if "code" in fields:
            job["jobDriver"] = {
                "sparkSubmit": present(
                    entryPoint=script(step, context),
                    entryPointArguments=words(step, context),
                    sparkSubmitParameters=fields.get("spark_parameters"),
                )
            }
        job.update(
            present(
                applicationId=None if own else application,
                configurationOverrides=fields.get("configuration"),
                # Whole minutes, and never less than what was asked for.
                executionTimeoutMinutes=None if runtime is None else -(-runtime // 60),
                tags={name: as_text(value) for name, value in fields.get("tags", {}).items()},
            )
        )
        made: Arguments = {"ExecutionRoleArn": role, "JobConfig": job}
        made["ApplicationConfig" if own else "ApplicationId"] = application
        return made


KIND = EMRServerless()
