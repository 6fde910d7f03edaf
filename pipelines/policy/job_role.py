"""Policies of the roles that jobs and models run with.

Source: Amazon SageMaker Developer Guide, "How to use SageMaker AI execution roles", which lists
what the container and the service need for each kind of job; actions and their resources: Service
Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.policy.model import Conditions, Policy, Statement, actions, narrowed
from pipelines.policy.names import Names
from pipelines.policy.needs import JobNeeds

_NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
_NETWORK_VIEW = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def job_policy(name: str, needs: JobNeeds, names: Names) -> Policy:
    """Return what the jobs of one role need."""
    steps = ", ".join(needs.steps)
    return Policy(
        name,
        f"what the containers of these steps need: {steps}",
        "permissions",
        needs.role,
        tuple(_statements(needs, names)),
    )


def _statements(needs: JobNeeds, names: Names) -> Iterator[Statement]:
    yield from _storage(needs, names)
    yield from _keys(needs)
    if needs.repositories:
        yield Statement("PullImages", _PULL, tuple(needs.repositories))
        yield Statement("LogInToEcr", ("ecr:GetAuthorizationToken",), ("*",))
    if needs.log_groups:
        groups = [names.arn("logs", f"log-group:{group}*") for group in needs.log_groups]
        verbs = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
        yield Statement("WriteLogs", actions("logs", *verbs), tuple(groups))
        yield Statement(
            "WriteMetrics",
            ("cloudwatch:PutMetricData",),
            ("*",),
            {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        )
    if needs.subnets:
        yield from _network(needs, names)
    if needs.feature_groups:
        groups = names.sagemaker("feature-group", needs.feature_groups)
        made = actions("sagemaker", "DescribeFeatureGroup", "PutRecord")
        yield Statement("WriteFeatures", made, tuple(groups))
    if needs.file_systems:
        yield Statement(
            "SeeFileSystems",
            ("elasticfilesystem:DescribeMountTargets", "fsx:DescribeFileSystems"),
            ("*",),
        )


def _storage(needs: JobNeeds, names: Names) -> Iterator[Statement]:
    if needs.reads:
        yield Statement("ReadObjects", ("s3:GetObject",), tuple(needs.reads))
    if needs.writes:
        verbs = ("AbortMultipartUpload", "PutObject")
        yield Statement("WriteObjects", actions("s3", *verbs), tuple(needs.writes))
    listed = sorted((bucket, prefixes) for bucket, prefixes in needs.listed.items() if prefixes)
    for number, (bucket, prefixes) in enumerate(listed, 1):
        within = {"StringLike": {"s3:prefix": narrowed(prefixes)}} if "*" not in prefixes else {}
        where = (names.bucket(bucket),)
        yield Statement(f"ListBucket{number}", actions("s3", "ListBucket"), where, within)
    if needs.listed:
        buckets = tuple(names.bucket(bucket) for bucket in needs.listed)
        yield Statement("FindBuckets", actions("s3", "GetBucketLocation"), buckets)


def _keys(needs: JobNeeds) -> Iterator[Statement]:
    """Yield what is done with keys: objects are encrypted, and volumes by a grant."""
    for number, (key, aliases) in enumerate(needs.keys.items(), 1):
        verbs = ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey")
        yield Statement(f"UseKey{number}", actions("kms", *verbs), (key,), _of_aliases(aliases))
    for number, (key, aliases) in enumerate(needs.volume_keys.items(), 1):
        conditions = {**_of_aliases(aliases), "Bool": {"kms:GrantIsForAWSResource": "true"}}
        yield Statement(f"EncryptVolumes{number}", ("kms:CreateGrant",), (key,), conditions)


def _of_aliases(aliases: dict[str, None]) -> Conditions:
    if not aliases:
        return {}
    return {"ForAnyValue:StringEquals": {"kms:ResourceAliases": sorted(aliases)}}


def _network(needs: JobNeeds, names: Names) -> Iterator[Statement]:
    resources = [names.arn("ec2", "network-interface/*")]
    resources += [names.arn("ec2", f"subnet/{each}") for each in needs.subnets]
    resources += [names.arn("ec2", f"security-group/{each}") for each in needs.security_groups]
    yield Statement("JoinNetwork", _NETWORK, tuple(resources))
    yield Statement("SeeNetwork", _NETWORK_VIEW, ("*",))
