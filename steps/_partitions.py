"""Names of things that live in an account and region; standard library only.

The partitions and their domains are those of botocore's ``endpoints.json``.
"""

from __future__ import annotations

from steps._contract import Environment

_PARTITIONS = (
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eu-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
)
"""How a partition's regions begin, the partition's name, and its domain."""


def partition_of(region: str) -> tuple[str, str]:
    """Return the partition's name and the domain of its services for a region."""
    for prefix, name, domain in _PARTITIONS:
        if region.startswith(prefix):
            return name, domain
    return "aws", "amazonaws.com"


def arn(environment: Environment, service: str, resource: str) -> str:
    """Return the ARN of a resource in the environment's account and region."""
    partition, _ = partition_of(environment.region)
    return f"arn:{partition}:{service}:{environment.region}:{environment.account}:{resource}"


def queue_url(environment: Environment, name: str) -> str:
    """Return the URL of an SQS queue (SQS Developer Guide, "Queue name and URL")."""
    _, domain = partition_of(environment.region)
    return f"https://sqs.{environment.region}.{domain}/{environment.account}/{name}"
