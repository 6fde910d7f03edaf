"""Codes about requests in the API's own words."""

from __future__ import annotations

from pipelines.language.pages import Group, Page, example

GROUP = Group(
    "Requests in the API's words",
    (
        Page(
            "unknown-image",
            "There is no such image",
            "The SageMaker SDK's own tables have no image for this framework, version, Python "
            "version, region or kind of instance. The hint lists what there is.",
            "The job could not start. An image of your own is given by its URI: `image: URI`.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 17.1}
                    instance: ml.m5.xlarge
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                """),
        ),
        Page(
            "unknown-member",
            "The API has no such field",
            "A name under `request` is not a member of the API call's request, in the version of "
            "the API that the installed botocore knows. Names are written as the API writes them: "
            "`StoppingCondition`.",
            "The service refuses requests with unknown members. For a brand-new field, update "
            "botocore.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    request: {EnableInfraChecks: true}
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    request: {InfraCheckConfig: {EnableInfraCheck: true}}
                """),
        ),
        Page(
            "missing-member",
            "The request lacks a member that the API requires",
            "After the short fields and `request` are put together, a required member is missing: "
            "a block under `request` is not complete, or null deleted what was there.",
            "The service refuses the request.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    request: {DebugHookConfig: {LocalPath: /opt/ml/output/tensors}}
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    request:
                      DebugHookConfig:
                        LocalPath: /opt/ml/output/tensors
                        S3OutputPath: s3://bucket/tensors
                """),
        ),
        Page(
            "request-type",
            "A value in the request has the wrong type",
            "A value under `request`, or one that a short field becomes, has another type than the "
            "API's field. References are judged by the type that they have when the pipeline runs.",
            "The service refuses the request.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    request: {RetryStrategy: {MaximumRetryAttempts: twice}}
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    request: {RetryStrategy: {MaximumRetryAttempts: 2}}
                """),
        ),
        Page(
            "refused-member",
            "A field can't be set inside a pipeline",
            "The API has the field, but the service fills it in or overrides it when the call is "
            "made by a pipeline. `sagedag explain KIND` lists these fields with the reasons.",
            "The service refuses the definition, or ignores the value.",
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                    request: {TrainingJobName: my-job}
                """),
            example("""
                pipeline: demo
                steps:
                  train:
                    type: Training
                    display_name: My job
                    image: {framework: xgboost, version: 1.7-1}
                    instance: ml.m5.xlarge
                """),
        ),
    ),
)
