"""Rules that ask AWS whether what a definition names is there; with ``--online`` alone.

Their findings are made by :mod:`pipelines.lint.online`.
"""

from __future__ import annotations

from typing import Literal

from pipelines.language.pages import Example, Page
from pipelines.lint.model import Rule, found_elsewhere
from pipelines.lint.rules._examples import steps


def _rule(
    code: str,
    title: str,
    meaning: str,
    reason: str,
    broken: Example,
    fixed: Example,
    level: Literal["error", "warning", "info"] = "error",
) -> Rule:
    page = Page(code, title, meaning, reason, broken, fixed, level)
    return Rule(page, "existence", found_elsewhere, cloud=True, online=True)


_TRAIN = """
train: {{type: Training, image: {{framework: xgboost, version: 1.7-1}},
        instance: ml.m5.xlarge,
        {}}}
"""


def _train(field: str) -> Example:
    return steps(_TRAIN.format(field))


_REFUSES = "The service refuses the pipeline when it is deployed, or the step when it runs."

NO_SUCH_ROLE = _rule(
    "no-such-role",
    "There is no such IAM role",
    "`iam:GetRole` does not find the pipeline's role or a step's. Only roles of the environment's "
    "account are asked about.",
    _REFUSES,
    _train('role: "arn:aws:iam::{{ account }}:role/trianing"'),
    _train('role: "arn:aws:iam::{{ account }}:role/training"'),
)
NO_SUCH_IMAGE = _rule(
    "no-such-image",
    "There is no such image",
    "`ecr:DescribeImages` does not find the image, its tag or its repository. Only images in the "
    "environment's account are asked about.",
    "The step fails when it runs: the image can't be pulled.",
    steps("""
        train: {type: Training, instance: ml.m5.xlarge,
                image: "{{ account }}.dkr.ecr.{{ region }}.amazonaws.com/trainer:2.l"}
        """),
    steps("""
        train: {type: Training, instance: ml.m5.xlarge,
                image: "{{ account }}.dkr.ecr.{{ region }}.amazonaws.com/trainer:2.1"}
        """),
)
NO_SUCH_FUNCTION = _rule(
    "no-such-function",
    "There is no such Lambda function",
    "`lambda:GetFunction` does not find the function that a Lambda step calls, its version or its "
    "alias.",
    "The step fails when it runs.",
    steps("call: {type: Lambda, function: chekc}"),
    steps("call: {type: Lambda, function: check}"),
)
NO_SUCH_QUEUE = _rule(
    "no-such-queue",
    "There is no such SQS queue",
    "`sqs:GetQueueUrl` does not find the queue that a Callback step writes to.",
    "The step fails when it runs.",
    steps("ask: {type: Callback, queue: aprovals}"),
    steps("ask: {type: Callback, queue: approvals}"),
)
NO_SUCH_KEY = _rule(
    "no-such-key",
    "There is no such KMS key, or it is switched off",
    "`kms:DescribeKey` does not find the key or its alias, or says that it is disabled or about "
    "to be deleted.",
    "Jobs that write or start with the key fail when they run.",
    _train("kms_key: alias/pipelnies"),
    _train("kms_key: alias/pipelines"),
)
NO_SUCH_BUCKET = _rule(
    "no-such-bucket",
    "There is no such bucket",
    "`s3:HeadBucket` does not find the environment's bucket, or one that a step names.",
    "Nothing can be deployed without the environment's bucket; a step without its bucket fails "
    "when it runs.",
    _train("inputs: {train: s3://surveys-2062/train}"),
    _train("inputs: {train: s3://surveys-2026/train}"),
)
NO_SUCH_NETWORK = _rule(
    "no-such-network",
    "There is no such subnet or security group",
    "`ec2:DescribeSubnets` or `ec2:DescribeSecurityGroups` does not find what `network` names.",
    "Jobs in that network fail when they run.",
    _train("network: {subnets: [subnet-0], security_groups: [sg-0a1b2c3d]}"),
    _train("network: {subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d]}"),
)
NO_SUCH_FEATURE_GROUP = _rule(
    "no-such-feature-group",
    "There is no such feature group",
    "`sagemaker:DescribeFeatureGroup` does not find the feature group that an output goes to.",
    "The job fails when it runs, after it has computed everything.",
    steps("""
        features: {type: Processing, image: {framework: sklearn, version: 1.4-2},
                   instance: ml.m5.large, command: [features],
                   outputs: {rows: {feature_group: pulsasr}}}
        """),
    steps("""
        features: {type: Processing, image: {framework: sklearn, version: 1.4-2},
                   instance: ml.m5.large, command: [features],
                   outputs: {rows: {feature_group: pulsars}}}
        """),
)
NOT_CHECKED = _rule(
    "not-checked",
    "AWS did not let a check see something",
    "The credentials may not ask about something that the definition names.",
    "It may be there or not. The message names the action that would have to be allowed.",
    _train('role: "arn:aws:iam::{{ account }}:role/training"'),
    _train("max_runtime: 1h"),
    "info",
)

RULES = (
    NO_SUCH_ROLE,
    NO_SUCH_IMAGE,
    NO_SUCH_FUNCTION,
    NO_SUCH_QUEUE,
    NO_SUCH_KEY,
    NO_SUCH_BUCKET,
    NO_SUCH_NETWORK,
    NO_SUCH_FEATURE_GROUP,
    NOT_CHECKED,
)
