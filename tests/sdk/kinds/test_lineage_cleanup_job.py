"""Lineage, Cleanup and Job steps equal those of the SDK's classes; no generated field is excepted.

The SDK quotes numbers in a Job's document, and says that the service then sees a text; only texts
are compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from side_by_side import differences, ours, theirs

pytestmark = pytest.mark.slow  # for importing the SDK

DEFINITION = """
parameters: {Owner: astro, Place: s3://survey/tmp/b.csv}
steps:
  record:
    type: Lineage
    actions:
      nightly: {type: ModelTraining, source: s3://survey/run, source_type: S3ETag,
                description: Nightly, status: Completed, properties: {owner: "${parameters.Owner}"}}
    artifacts: {model: {type: Model, source: s3://survey/model.tar.gz, properties: {form: joblib}}}
    contexts: {survey: {type: Survey, source: s3://survey, source_type: S3, description: HTRU2,
                        properties: {beams: 13}}}
    associations:
      - {source: nightly, destination: model, type: Produced}
      - {source: model, destination: "arn:aws:sagemaker:us-east-1:123456789012:context/pulsars"}
  again:
    type: Lineage
    depends_on: [record]
    associations: [{source: "${steps.record.actions.nightly}",
                    destination: "${steps.record.contexts.survey}", type: AssociatedWith}]
  tidy:
    type: Cleanup
    depends_on: [again, {step: query, when: any}]
    of: {query: {}, split: [s3://survey/tmp/a.csv, "${parameters.Place}"]}
  tidy-all: {type: Cleanup, of: [query, other-query]}
  query: {type: Raw, api_type: Athena, arguments: {}}
  other-query: {type: Raw, api_type: Athena, arguments: {}}
  split: {type: Raw, api_type: Processing, arguments: {}}
  judge:
    type: Job
    category: DataQualityEvaluation
    schema_version: 1.0.0
    role: arn:aws:iam::123456789012:role/pipelines
    config:
      OutputDataConfig: {S3OutputPath: s3://survey/quality/}
      Input: "${parameters.Owner}"
      Labels: [a "b", 1, 0.5, true, null, {}, [], "${steps.record.artifacts.model}", é]
    tags: {team: astro}
    cache: 30d
    retry: [{on: [throttling], attempts: 3}, {on: [resource_limit], attempts: 3}]
  plain:
    type: Job
    category: DataTransformation
    schema_version: 1.0.0
    config: {Input: s3://survey/data}
"""

CLEANED_UP = ("query", "other-query", "split")
"""The SDK wants steps of these names, of whatever type."""


def build(session: Any) -> tuple[list[Any], list[Any]]:
    from sagemaker.core.workflow.parameters import ParameterString

    owner = ParameterString(name="Owner", default_value="astro")
    record, again = lineage(session, owner)
    judge, plain, *cleaned_up = jobs(session, owner, record)
    place = ParameterString(name="Place", default_value="s3://survey/tmp/b.csv")
    return [owner, place], [record, again, *cleanups(place), judge, plain, *cleaned_up]


def lineage(session: Any, owner: Any) -> list[Any]:
    from sagemaker.core.lineage.action import Action
    from sagemaker.core.lineage.artifact import Artifact
    from sagemaker.core.lineage.context import Context
    from sagemaker.mlops.workflow.lineage_step import (
        LineageAssociation,
        LineageEntityReference,
        LineageStep,
    )

    action = Action.create(
        "nightly",
        "s3://survey/run",
        "S3ETag",
        "ModelTraining",
        "Nightly",
        "Completed",
        {"owner": owner},
        sagemaker_session=session,
    )
    artifact = Artifact.create(
        "model",
        "s3://survey/model.tar.gz",
        artifact_type="Model",
        properties={"form": "joblib"},
        sagemaker_session=session,
    )
    context = Context.create(
        "survey",
        "s3://survey",
        "S3",
        "Survey",
        "HTRU2",
        {"beams": "13"},
        sagemaker_session=session,
    )
    nightly = LineageEntityReference("nightly", "Action")
    model = LineageEntityReference("model", "Artifact")
    pulsars = LineageEntityReference(arn="arn:aws:sagemaker:us-east-1:123456789012:context/pulsars")
    record = LineageStep(
        "record",
        [action],
        [artifact],
        [context],
        [LineageAssociation(nightly, model, "Produced"), LineageAssociation(model, pulsars)],
    )
    made = LineageEntityReference(arn=record.properties.ActionArns["nightly"])
    survey = LineageEntityReference(arn=record.properties.ContextArns["survey"])
    again = LineageStep(
        "again",
        associations=[LineageAssociation(made, survey, "AssociatedWith")],
        depends_on=["record"],
    )
    return [record, again]


def cleanups(place: Any) -> list[Any]:
    from sagemaker.mlops.workflow.cleanup_step import CleanupStep, S3CleanupSource
    from sagemaker.mlops.workflow.step_dependency import StepDependency, TriggerCondition

    tidy = CleanupStep(
        "tidy",
        [S3CleanupSource("query"), S3CleanupSource("split", ["s3://survey/tmp/a.csv", place])],
        depends_on=["again", StepDependency("query", TriggerCondition.ANY)],
    )
    both = [S3CleanupSource("query"), S3CleanupSource("other-query")]
    return [tidy, CleanupStep("tidy-all", both)]


def jobs(session: Any, owner: Any, record: Any) -> list[Any]:
    from sagemaker.core.workflow.pipeline_capture import capture_create_job_request
    from sagemaker.core.workflow.pipeline_context import runnable_by_pipeline
    from sagemaker.mlops.workflow.retry import (
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )
    from sagemaker.mlops.workflow.steps import CacheConfig, JobStep

    class Producer:
        """What every producer of CreateJob does."""

        _pipeline_caller_name = "create_job"
        sagemaker_session = session

        @runnable_by_pipeline
        def run(self, category: str, config: Any, tags: Any = None) -> None:
            capture_create_job_request(
                self.sagemaker_session,
                job_name="generated",
                role_arn="arn:aws:iam::123456789012:role/pipelines",
                job_category=category,
                schema_version="1.0.0",
                job_config=config,
                tags=tags,
            )

    model = record.properties.ArtifactArns["model"]
    config = {
        "OutputDataConfig": {"S3OutputPath": "s3://survey/quality/"},
        "Input": owner,
        "Labels": ['a "b"', 1, 0.5, True, None, {}, [], model, "é"],
    }
    tags = [{"Key": "team", "Value": "astro"}]
    judge = JobStep(
        "judge",
        Producer().run("DataQualityEvaluation", config, tags),
        cache_config=CacheConfig(enable_caching=True, expire_after="30d"),
        retry_policies=[
            StepRetryPolicy(
                exception_types=[StepExceptionTypeEnum(value="Step.THROTTLING")], max_attempts=3
            ),
            SageMakerJobStepRetryPolicy(
                exception_types=[SageMakerJobExceptionTypeEnum(value="SageMaker.RESOURCE_LIMIT")],
                max_attempts=3,
            ),
        ],
    )
    names = ("plain", *CLEANED_UP)
    request = {"Input": "s3://survey/data"}
    return [judge, *(JobStep(n, Producer().run("DataTransformation", request)) for n in names)]


@pytest.fixture(scope="module")
def built(aws: str) -> dict[str, Any]:
    return theirs(aws, build)


def test_the_steps_are_the_same(built: dict[str, Any], tmp_path: Path) -> None:
    mine = ours(tmp_path, DEFINITION)
    for name in CLEANED_UP:
        assert mine.pop(name)["Type"] != built.pop(name)["Type"]
    assert list(differences(mine, built)) == []
