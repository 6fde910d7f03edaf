"""Objects of S3, listed and fetched: what a local run reads where it was allowed to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.cloud.client import Clients
from pipelines.cloud.refusals import Missing
from pipelines.errors import AwsError


@dataclass(frozen=True)
class RemoteObject:
    """An object as S3 lists it; ``modified`` is in seconds since 1970."""

    key: str
    size: int
    modified: float
    etag: str


class RemoteObjects:
    """Reads S3 with the user's own credentials.

    Args:
        connect: gives the clients; called when something is first read.
        tell: gets a sentence about each object that is fetched.
    """

    def __init__(self, connect: Callable[[], Clients], tell: Callable[[str], None]) -> None:
        self._connect = connect
        self._tell = tell
        self._clients: Clients | None = None

    def keys(self, bucket: str, prefix: str) -> Iterator[RemoteObject]:
        """Yield the objects whose key begins with a prefix; none where there is no such bucket.

        Raises:
            AwsError: S3 refuses, or there are no credentials.
        """
        try:
            for each in self._aws().pages(
                "s3:ListObjectsV2",
                f"s3://{bucket}/{prefix}",
                "Contents",
                Bucket=bucket,
                Prefix=prefix,
            ):
                modified = each["LastModified"].timestamp()
                yield RemoteObject(each["Key"], each["Size"], modified, each["ETag"])
        except Missing:
            return

    def fetch(self, bucket: str, key: str, target: Path, limit: int | None = None) -> bool:
        """Write an object's content to a file; whether there is such an object.

        Args:
            limit: the most bytes that it may have.

        Raises:
            AwsError: S3 refuses, there are no credentials, or it is larger.
        """
        uri = f"s3://{bucket}/{key}"
        clients = self._aws()
        try:
            answer = clients.call("s3:GetObject", uri, Bucket=bucket, Key=key)
        except Missing:
            return False
        size = answer["ContentLength"]
        if limit is not None and size > limit:
            raise AwsError(f"{uri} has {size:,} bytes, which is more than {limit:,}")
        with clients.calling("s3:GetObject", uri), target.open("wb") as stream:
            for chunk in answer["Body"].iter_chunks(1 << 20):
                stream.write(chunk)
        self._tell(f"fetched {uri} from S3")
        return True

    def _aws(self) -> Clients:
        if self._clients is None:
            self._clients = self._connect()
        return self._clients
