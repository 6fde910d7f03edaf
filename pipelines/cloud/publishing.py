"""Publishing assets: every object checked by its digest, the manifest last."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

from pipelines.assets import Asset, manifest_of
from pipelines.cloud.client import Clients
from pipelines.cloud.parallel import in_parallel
from pipelines.cloud.plan import Upload
from pipelines.cloud.state import place_of
from pipelines.errors import AwsError, UsageError

ASSETS_AT_ONCE = 3
FILES_AT_ONCE = 4

Told = Callable[[str, int], None]
"""Gets the URI of what was sent, and its size."""


def publish(clients: Clients, upload: Upload, root: Path, tell: Told) -> None:
    """Send an asset's files and archive, then its manifest: only that makes it complete.

    An upload that was cut off is begun anew; nobody reads an asset without its manifest.

    Args:
        root: the folder that the upload's sources lie below.
        tell: gets every object that was sent.

    Raises:
        Refused: a call was refused.
        AwsError: what arrived is not what was sent.
        DefinitionError: a file changed since the plan was made.
        UsageError: the upload is not sound (a plan that was tampered with).
    """
    objects = list(asset_of(upload, root).objects())
    *files, (manifest, data) = objects

    def send(item: tuple[str, bytes]) -> None:
        put(clients, *item)
        tell(item[0], len(item[1]))

    in_parallel(send, files, FILES_AT_ONCE)
    send((manifest, data))


def asset_of(upload: Upload, root: Path) -> Asset:
    """Return the asset that an upload describes, its files below ``root``.

    Raises:
        UsageError: a file leads out of ``root``, or the digest is not that of the files.
    """
    base, _, digest = upload.uri.rpartition("/assets/sha256/")
    if hashlib.sha256(manifest_of(upload.files)).hexdigest() != digest:
        raise UsageError(f"the plan's asset {upload.uri} is not what its digest says", _ANEW)
    if len(upload.sources) != len(upload.files):
        raise UsageError(f"the plan's asset {upload.uri} lacks files", _ANEW)
    home = root.resolve()
    files: list[tuple[str, Path | bytes]] = []
    for (name, _, sha256), source in zip(upload.files, upload.sources, strict=True):
        if not source:
            files.append((name, _made(upload, name, sha256)))
            continue
        path = (home / source).resolve()
        if not path.is_relative_to(home):
            raise UsageError(f"the plan names {source}, which is outside of {root}", _ANEW)
        files.append((name, path))
    return Asset(base, tuple(files), digest, upload.files)


def _made(upload: Upload, name: str, sha256: str) -> bytes:
    """Return a file that was made while compiling."""
    try:
        content = base64.b64decode(upload.made[name], validate=True)
    except (KeyError, ValueError) as error:
        raise UsageError(f"the plan's asset {upload.uri} lacks {name}", _ANEW) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UsageError(f"the plan's {name} is not what its digest says", _ANEW)
    return content


_ANEW = "make a new plan with `sagedag plan --out FILE`"


def put(clients: Clients, uri: str, data: bytes) -> None:
    """Send one object; S3 checks its SHA-256 on arrival, and so do we.

    Raises:
        Refused: the call was refused.
        AwsError: what arrived is not what was sent.
    """
    bucket, key = place_of(uri)
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    answer = clients.call(
        "s3:PutObject", uri, Bucket=bucket, Key=key, Body=data, ChecksumSHA256=digest
    )
    if answer.get("ChecksumSHA256", digest) != digest:
        raise AwsError(
            f"s3:PutObject ({uri}): what arrived is not what was sent",
            "run it again: what is not complete is sent anew",
        )


def publish_all(clients: Clients, uploads: tuple[Upload, ...], root: Path, tell: Told) -> None:
    """Publish assets, some at once.

    Raises:
        see :func:`publish`.
    """
    in_parallel(lambda upload: publish(clients, upload, root, tell), uploads, ASSETS_AT_ONCE)
