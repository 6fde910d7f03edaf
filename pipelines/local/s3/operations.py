"""What each S3 operation does to the object store."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import unquote

from pipelines.local.addresses import ObjectRefused, split
from pipelines.local.buckets import Entry
from pipelines.local.files import copy_file
from pipelines.local.objects import ObjectStore
from pipelines.local.s3.documents import (
    MAX_PARTS,
    document,
    read_deletions,
    read_parts,
    timestamp,
)
from pipelines.local.s3.files import byte_range, etag, limited, open_object, write_chunks
from pipelines.local.s3.listing import Found, list_objects
from pipelines.local.s3.messages import Answer, Request
from pipelines.local.s3.problems import S3Error
from pipelines.local.s3.uploads import Uploads

OWNER: list[tuple[str, object]] = [("ID", "local"), ("DisplayName", "local")]

_SUBRESOURCES = frozenset(
    {
        "acl", "cors", "encryption", "lifecycle", "policy", "tagging", "versions", "website",
        "notification", "replication", "object-lock", "legal-hold", "retention", "torrent",
        "select", "restore", "attributes",
    }
)  # fmt: skip
"""What S3 keeps of buckets and objects besides the objects, and a local store does not."""


def answer(request: Request, objects: ObjectStore, uploads: Uploads) -> Answer:
    """Do what a request asks for.

    Raises:
        S3Error: it cannot be done.
        SagedagError: the store refuses a name.
        OSError: the store cannot be read or written.
    """
    service = _Service(request, objects, uploads)
    if not request.bucket:
        return service.list_buckets()
    try:
        split(f"s3://{request.bucket}")
    except ObjectRefused as refused:
        raise S3Error("InvalidBucketName", refused.message) from None
    return service.on_object() if request.key else service.on_bucket()


class _Service:
    """One request's work."""

    def __init__(self, request: Request, objects: ObjectStore, uploads: Uploads) -> None:
        self._request = request
        self._objects = objects
        self._uploads = uploads

    def list_buckets(self) -> Answer:
        if self._request.method not in ("GET", "HEAD"):
            raise S3Error("MethodNotAllowed", "a bucket is wanted")
        made = [
            ("Bucket", [("Name", name), ("CreationDate", timestamp(0))])
            for name in self._objects.buckets()
        ]
        members: list[tuple[str, object]] = [("Owner", OWNER), ("Buckets", made)]
        return Answer.of_text(document("ListAllMyBucketsResult", members))

    def on_bucket(self) -> Answer:
        """Answer for a bucket. Every bucket exists: a local run makes them as it writes."""
        request, query = self._request, self._request.query
        if request.method in ("HEAD", "PUT"):
            return Answer(headers={"Location": f"/{request.bucket}"})
        if request.method == "POST" and "delete" in query:
            return self._delete_several()
        if request.method == "DELETE":
            if self._objects.search(request.uri):
                raise S3Error("BucketNotEmpty", "the bucket is not empty")
            return Answer(204)
        if request.method != "GET":
            raise S3Error("MethodNotAllowed", f"{request.method} is nothing to do to a bucket")
        if "location" in query:
            return Answer.of_text(document("LocationConstraint", []))
        if "versioning" in query:
            return Answer.of_text(document("VersioningConfiguration", []))
        if "uploads" in query:
            found = self._uploads.of(request.bucket)
            made = [("Upload", [("Key", key), ("UploadId", name)]) for key, name in found]
            members: list[tuple[str, object]] = [("Bucket", request.bucket), *made]
            return Answer.of_text(document("ListMultipartUploadsResult", members))
        if unknown := set(query) & _SUBRESOURCES:
            raise S3Error("NotImplemented", f"?{min(unknown)} is not kept by a local run")
        return Answer.of_text(list_objects(request.bucket, query, self._found))

    def on_object(self) -> Answer:
        request, query = self._request, self._request.query
        if unknown := set(query) & _SUBRESOURCES:
            raise S3Error("NotImplemented", f"?{min(unknown)} is not kept by a local run")
        if request.method in ("GET", "HEAD"):
            return self._list_parts() if "uploadId" in query else self._get()
        if request.method == "PUT":
            return self._put_part() if "uploadId" in query else self._put()
        if request.method == "POST" and "uploads" in query:
            self._objects.find(request.uri)
            name = self._uploads.begin(request.bucket, request.key)
            members: list[tuple[str, object]] = [
                ("Bucket", request.bucket),
                ("Key", request.key),
                ("UploadId", name),
            ]
            return Answer.of_text(document("InitiateMultipartUploadResult", members))
        if request.method == "POST" and "uploadId" in query:
            return self._complete()
        if request.method == "DELETE":
            if "uploadId" in query:
                self._uploads.end(query["uploadId"], request.bucket, request.key)
            else:
                self._delete(request.key)
            return Answer(204)
        raise S3Error("MethodNotAllowed", f"{request.method} is nothing to do to an object")

    def _found(self, prefix: str) -> Iterator[Found]:
        try:
            entries = self._objects.search(f"s3://{self._request.bucket}/{prefix}")
        except ObjectRefused as refused:
            if "symbolic link" in refused.message:
                raise S3Error("AccessDenied", refused.message) from None
            # No object's name can begin like this.
            return
        found = {}
        for entry in entries:
            key = entry.uri.removeprefix(f"s3://{self._request.bucket}/")
            # A job may delete what another lists.
            with contextlib.suppress(FileNotFoundError):
                status = entry.path.stat()
                found[key] = Found(key, status.st_size, status.st_mtime, etag(entry.path, status))
        for remote in self._objects.upstream_keys(f"s3://{self._request.bucket}/{prefix}"):
            found.setdefault(
                remote.key, Found(remote.key, remote.size, remote.modified, remote.etag)
            )
        yield from (found[key] for key in sorted(found))

    def _get(self) -> Answer:
        entry = self._existing(self._request.uri)
        content = open_object(entry.path)
        try:
            status = os.fstat(content.fileno())
            tag = etag(entry.path, status)
            self._check_conditions(tag, status.st_mtime)
            if self._request.headers.get("If-None-Match") in (tag, tag.strip('"'), "*"):
                content.close()
                return Answer(304, {"ETag": tag})
            start, length, partial = byte_range(self._request.headers.get("Range"), status.st_size)
            content.seek(start)
        except BaseException:
            content.close()
            raise
        headers = {
            "ETag": tag,
            "Last-Modified": formatdate(status.st_mtime, usegmt=True),
            "Accept-Ranges": "bytes",
            "Content-Type": self._request.query.get("response-content-type", "binary/octet-stream")
            .replace("\n", " ")
            .replace("\r", " "),
            "Content-Length": str(length),
        }
        if partial:
            headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{status.st_size}"
        return Answer(206 if partial else 200, headers, content, length)

    def _check_conditions(self, tag: str, modified: float) -> None:
        headers = self._request.headers
        wanted = headers.get("If-Match")
        if wanted is not None and wanted.strip('"') not in (tag.strip('"'), "*"):
            raise S3Error("PreconditionFailed", "the object is another than If-Match says")
        since = headers.get("If-Unmodified-Since")
        if since is not None and wanted is None:
            try:
                moment = parsedate_to_datetime(since).timestamp()
            except (TypeError, ValueError):
                return
            if int(modified) > moment:
                raise S3Error("PreconditionFailed", "the object was written since")

    def _put(self) -> Answer:
        request = self._request
        if request.key.endswith("/"):
            return self._put_folder()
        self._check_write_conditions()
        source = request.headers.get("x-amz-copy-source")
        if source is not None:
            return self._copy(source)
        with self._objects.writing(request.uri) as temporary:
            write_chunks(temporary, self._body())
        entry = self._existing(request.uri)
        return Answer(headers={"ETag": etag(entry.path)})

    def _body(self) -> Iterator[bytes]:
        headers = self._request.headers
        if headers.get("Content-Length") is None and headers.get("Transfer-Encoding") is None:
            raise S3Error("MissingContentLength", "the request says no Content-Length")
        return self._request.body

    def _put_folder(self) -> Answer:
        """Accept the empty object ``folder/`` that browsers of buckets write.

        Folders come with what is in them here; there is nothing to keep.
        """
        split(self._request.uri)
        if any(self._request.body):
            raise S3Error("InvalidArgument", "a key that ends in / can hold no content here")
        return Answer(headers={"ETag": f'"{hashlib.md5(usedforsecurity=False).hexdigest()}"'})

    def _check_write_conditions(self) -> None:
        headers = self._request.headers
        found = self._objects.find(self._request.uri)
        if headers.get("If-None-Match") == "*" and found is not None:
            raise S3Error("PreconditionFailed", "the object exists already")
        wanted = headers.get("If-Match")
        if wanted is not None and (
            found is None or wanted.strip('"') not in (etag(found.path).strip('"'), "*")
        ):
            raise S3Error("PreconditionFailed", "the object is another than If-Match says")

    def _copy(self, source: str) -> Answer:
        entry = self._copied(source)
        wanted = self._request.headers.get("x-amz-copy-source-if-match")
        if wanted is not None and wanted.strip('"') != etag(entry.path).strip('"'):
            raise S3Error("PreconditionFailed", "the source is another than is expected")
        with self._objects.writing(self._request.uri) as temporary:
            copy_file(entry.path, temporary)
        made = self._existing(self._request.uri)
        members: list[tuple[str, object]] = [
            ("LastModified", timestamp(made.path.stat().st_mtime)),
            ("ETag", etag(made.path)),
        ]
        return Answer.of_text(document("CopyObjectResult", members))

    def _copied(self, source: str) -> Entry:
        """Return the object that a copy's source names."""
        path = unquote(source.partition("?")[0], errors="surrogateescape").removeprefix("/")
        return self._existing(f"s3://{path}")

    def _put_part(self) -> Answer:
        request, query = self._request, self._request.query
        number = query.get("partNumber", "")
        if not number.isdigit() or not 1 <= int(number) <= MAX_PARTS:
            raise S3Error("InvalidArgument", f"the part number is none of 1 to {MAX_PARTS}")
        source = request.headers.get("x-amz-copy-source")
        if source is None:
            tag = self._uploads.receive(
                query["uploadId"], request.bucket, request.key, int(number), self._body()
            )
            return Answer(headers={"ETag": f'"{tag}"'})
        path = self._copied(source).path
        with open_object(path) as content:
            size = os.fstat(content.fileno()).st_size
            start, length, _ = byte_range(request.headers.get("x-amz-copy-source-range"), size)
            content.seek(start)
            tag = self._uploads.receive(
                query["uploadId"],
                request.bucket,
                request.key,
                int(number),
                limited(content, length),
            )
        members: list[tuple[str, object]] = [
            ("LastModified", timestamp(path.stat().st_mtime)),
            ("ETag", f'"{tag}"'),
        ]
        return Answer.of_text(document("CopyPartResult", members))

    def _list_parts(self) -> Answer:
        request = self._request
        name = request.query["uploadId"]
        made = [
            (
                "Part",
                [("PartNumber", part.number), ("ETag", f'"{part.etag}"'), ("Size", part.size)],
            )
            for part in self._uploads.parts(name, request.bucket, request.key)
        ]
        members: list[tuple[str, object]] = [
            ("Bucket", request.bucket),
            ("Key", request.key),
            ("UploadId", name),
            ("IsTruncated", "false"),
            *made,
        ]
        return Answer.of_text(document("ListPartsResult", members))

    def _complete(self) -> Answer:
        request = self._request
        name = request.query["uploadId"]
        wanted = read_parts(request.document())
        self._check_write_conditions()
        with self._objects.writing(request.uri) as temporary:
            self._uploads.assemble(name, request.bucket, request.key, wanted, temporary)
        self._uploads.end(name, request.bucket, request.key)
        made = self._existing(request.uri)
        members: list[tuple[str, object]] = [
            ("Location", f"/{request.bucket}/{request.key}"),
            ("Bucket", request.bucket),
            ("Key", request.key),
            ("ETag", etag(made.path)),
        ]
        return Answer.of_text(document("CompleteMultipartUploadResult", members))

    def _delete_several(self) -> Answer:
        keys, quiet = read_deletions(self._request.document())
        members: list[tuple[str, object]] = []
        for key in keys:
            problem = self._deleted(key)
            if problem:
                told = [("Key", key), ("Code", "InvalidArgument"), ("Message", problem)]
                members.append(("Error", told))
            elif not quiet:
                members.append(("Deleted", [("Key", key)]))
        return Answer.of_text(document("DeleteResult", members))

    def _deleted(self, key: str) -> str:
        """Delete an object; why that cannot be, or nothing."""
        try:
            self._delete(key)
        except ObjectRefused as refused:
            return refused.message
        return ""

    def _delete(self, key: str) -> None:
        if not key.endswith("/"):
            self._objects.delete(f"s3://{self._request.bucket}/{key}")

    def _existing(self, uri: str) -> Entry:
        found = None if uri.endswith("/") else self._objects.find(uri)
        if found is None:
            raise S3Error("NoSuchKey", f"there is no object {uri} in the local store")
        return found
