"""Whether a bucket can take what a plan uploads: asked with HeadBucket, which only reads.

Sources: S3 API, "HeadBucket" (404: there is none; 403: access is denied, by
``ExpectedBucketOwner`` as well; `BucketRegion` in the answer) and "Verifying bucket ownership".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pipelines.cloud.client import Clients
from pipelines.cloud.error_codes import DENIED
from pipelines.cloud.parallel import in_parallel
from pipelines.cloud.plan import Obstacle, Plan
from pipelines.cloud.refusals import Missing, Refused
from pipelines.errors import AwsError


def find_obstacles(clients: Clients, plan: Plan) -> tuple[Obstacle, ...]:
    """Return what is wrong with the buckets that a plan uploads to; one call for each.

    Raises:
        Refused: a call was refused for a reason that is not the bucket's.
    """
    found = in_parallel(lambda bucket: find_obstacle(clients, bucket), _buckets(plan))
    return tuple(each for each in found if each is not None)


def _buckets(plan: Plan) -> Iterable[str]:
    uploads = [each.uri.removeprefix("s3://").partition("/")[0] for each in plan.uploads]
    puts = [
        str(call.request["Bucket"])
        for each in plan.pipelines
        for call in each.calls
        if call.operation == "s3:PutObject"
    ]
    return dict.fromkeys([*uploads, *puts])


def find_obstacle(clients: Clients, bucket: str) -> Obstacle | None:
    """Return what is wrong with a bucket: missing, in another region, or another account's.

    Raises:
        Refused: the call was refused for another reason (credentials, the network).
    """
    place, account = clients.place, clients.identity.account
    correct = f"correct `bucket` of the environment `{place.environment}` in environments.yaml"
    resource = f"s3://{bucket}"
    try:
        answer = clients.call("s3:HeadBucket", resource, Bucket=bucket, ExpectedBucketOwner=account)
    except Missing:
        return Obstacle(
            f"the bucket `{bucket}` does not exist",
            f"create it (`aws s3 mb s3://{bucket} --region {clients.region}`), or {correct}",
        )
    except Refused as refused:
        if refused.code not in DENIED:
            raise
        return _denied(clients, bucket, correct)
    region = str(answer.get("BucketRegion") or clients.region)
    if region != clients.region:
        return Obstacle(
            f"the bucket `{bucket}` is in {region}, the environment in {clients.region}",
            f"SageMaker wants both in the same region: {correct}, or its `region`",
        )
    return None


def _denied(clients: Clients, bucket: str, correct: str) -> Obstacle:
    """Return why a bucket did not answer: asked again whoever its owner is, it may."""
    account = clients.identity.account
    try:
        clients.call("s3:HeadBucket", f"s3://{bucket}", Bucket=bucket)
    except Refused as refused:
        if refused.code not in DENIED:
            raise
        return Obstacle(
            f"access to the bucket `{bucket}` is denied",
            f"it is another account's (names of buckets are unique over all of AWS): {correct}; or "
            "allow s3:ListBucket on it to the identity that runs this",
        )
    return Obstacle(
        f"the bucket `{bucket}` belongs to another account than {account}",
        f"if that is meant, nothing is to be done: uploads go there; else {correct}",
        stops=False,
    )


@contextmanager
def explaining_denials(clients: Clients) -> Iterator[None]:
    """Explain by the bucket, where it is the cause, that S3 denied to look at an object.

    Raises:
        AwsError: the bucket is another account's, closed or in another region.
        Refused: as it was raised inside.
    """
    try:
        yield
    except Refused as refused:
        if refused.operation != "s3:HeadObject" or refused.code not in DENIED:
            raise
        bucket = refused.resource.removeprefix("s3://").partition("/")[0]
        found = find_obstacle(clients, bucket)
        if found is None:
            raise
        raise AwsError(f"{refused.message}; {found.what}", found.way_out) from None


def check_obstacles(plan: Plan) -> None:
    """Refuse to begin what would fail at its first upload.

    Raises:
        AwsError: a bucket is missing, closed or in another region.
    """
    for each in plan.obstacles:
        if each.stops:
            raise AwsError(f"{each.what}; nothing was written", each.way_out)
