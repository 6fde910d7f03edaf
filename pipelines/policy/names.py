"""ARNs of one environment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from steps._contract import Environment
from steps._partitions import partition_of

_IMAGE = re.compile(r"(\d{12}|\*)\.dkr[.-]ecr[^.]*\.([a-z0-9-]+|\*)\.[^/]+/([^:@]+)")
_QUEUE = re.compile(r"https://sqs[.-]([a-z0-9-]+)\.[^/]+/(\d{12}|\*)/(.+)")
_UUID = re.compile(r"(?:mrk-)?[0-9a-f-]{32,36}")


@dataclass(frozen=True)
class Names:
    """Makes ARNs.

    Args:
        environment: whose account and region.
    """

    environment: Environment

    @property
    def partition(self) -> str:
        """The partition, such as ``aws``."""
        return partition_of(self.environment.region)[0]

    def arn(self, service: str, resource: str, *, account: str = "", region: str = "") -> str:
        """Return an ARN; account and region are the environment's unless given."""
        account = account or self.environment.account or "*"
        region = region or self.environment.region
        return f"arn:{self.partition}:{service}:{region}:{account}:{resource}"

    def sagemaker(self, kind: str, names: Iterable[str]) -> list[str]:
        """Return ARNs of SageMaker's resources, in both spellings of their names.

        [U] The service writes names in ARNs in small letters for some resources; whether IAM
        compares with those or with the name as given is said nowhere.
        """
        spelt = dict.fromkeys(s for name in names for s in (name, name.lower()))
        return [self.arn("sagemaker", f"{kind}/{name}") for name in spelt]

    def role(self, text: str) -> str:
        """Return a role's ARN; a name alone is one of the environment's account."""
        if text.startswith("arn:"):
            return text
        return f"arn:{self.partition}:iam::{self.environment.account or '*'}:role/{text}"

    def objects(self, bucket: str, key: str) -> str:
        """Return the ARN of objects of a bucket."""
        return f"arn:{self.partition}:s3:::{bucket}/{key}"

    def bucket(self, bucket: str) -> str:
        """Return a bucket's ARN."""
        return f"arn:{self.partition}:s3:::{bucket}"

    def repository(self, image: str) -> str:
        """Return the ARN of an image's repository in ECR; empty where it is not in ECR."""
        found = _IMAGE.match(image)
        if found is None:
            return self.arn("ecr", "repository/*", account="*") if image == "*" else ""
        return self.arn("ecr", f"repository/{found[3]}", account=found[1], region=found[2])

    def queue(self, url: str) -> str:
        """Return the ARN of a queue by its URL."""
        found = _QUEUE.match(url)
        if found is None:
            return self.arn("sqs", "*")
        return self.arn("sqs", found[3], account=found[2], region=found[1])

    def key(self, text: str) -> tuple[str, str]:
        """Return the ARN of a KMS key, and its alias where it is given by that.

        KMS Developer Guide, "Using aliases to control access to KMS keys": the ARN of an alias is
        no resource of the key's operations; the condition ``kms:ResourceAliases`` is.
        """
        alias = text[text.index("alias/") :] if "alias/" in text else ""
        if alias:
            account = text.split(":")[4] if text.startswith("arn:") else ""
            return self.arn("kms", "key/*", account=account), alias
        if text.startswith("arn:"):
            return text, ""
        return self.arn("kms", f"key/{text if _UUID.fullmatch(text) else '*'}"), ""


def s3_parts(text: str) -> tuple[str, str] | None:
    """Return bucket and key of an S3 URI; None where it is none."""
    if text == "*":
        return "*", "*"
    if not text.startswith("s3://"):
        return None
    bucket, _, key = text.removeprefix("s3://").partition("/")
    return bucket or "*", key
