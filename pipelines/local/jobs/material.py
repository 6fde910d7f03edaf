"""Laying out a job's ``/opt/ml`` before it runs."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipelines.local.isolation import ML
from pipelines.local.jobs.context import JobContext, JobFailed

HOST = "algo-1"
"""The host name of a job's first, and here only, instance."""

NETWORK_INTERFACE = "eth0"
"""The network interface a container is told of."""


INSTANCE_GROUP = "homogeneousCluster"
"""What the service calls the one group of instances of a job that names none."""


def prepare_folder(context: JobContext) -> None:
    """Make the job's folders, empty.

    Raises:
        JobFailed: the folder holds something already.
    """
    for folder in (context.ml, context.scratch):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise JobFailed(f"the job's folder {folder} is not empty", context.log)


def inside(context: JobContext, path: str, what: str) -> Path:
    """The file or folder of this machine that a container's path below ``/opt/ml`` names.

    Args:
        context: the job.
        path: an absolute path of the container.
        what: what the path is, for the error.

    Raises:
        JobFailed: the path does not lie below ``/opt/ml``, the only place a job can be given.
    """
    pieces = PurePosixPath(path)
    top = PurePosixPath(ML)
    if top not in pieces.parents or ".." in pieces.parts or "\0" in path:
        raise JobFailed(f"{what}: {path!r} does not lie below {ML}", context.log)
    return context.ml.joinpath(*pieces.relative_to(top).parts)


def write_json(context: JobContext, name: str, value: Mapping[str, Any]) -> None:
    """Write a configuration file below ``/opt/ml``; its paths are spelled for the isolation."""
    path = context.ml / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = context.isolation.rewrite(json.dumps(value, indent=2), context.ml)
    path.write_text(text, encoding="utf-8")


def resource_configuration(request: Mapping[str, Any]) -> dict[str, Any]:
    """The content of ``resourceconfig.json``: one host, whatever the request's instance count."""
    kind = request.get("ResourceConfig", {}).get("InstanceType", "local")
    group = {"instance_group_name": INSTANCE_GROUP, "instance_type": kind, "hosts": [HOST]}
    return {
        "current_host": HOST,
        "current_instance_type": kind,
        "current_group_name": INSTANCE_GROUP,
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": NETWORK_INTERFACE,
    }


def note(context: JobContext, text: str) -> None:
    """Write a line of our own into the job's log, before the job's."""
    context.log.parent.mkdir(parents=True, exist_ok=True)
    with context.log.open("a", encoding="utf-8") as log:
        log.write(f"sagedag: {text}\n")


def note_instances(context: JobContext, count: object) -> None:
    """Say in the log when a job was meant for several machines."""
    if isinstance(count, int) and count > 1:
        note(context, f"the request asks for {count} instances; the job runs on this machine alone")


def s3_source(context: JobContext, source: Mapping[str, Any], what: str) -> str:
    """The S3 URI of an input.

    Args:
        context: the job.
        source: an S3Input of processing, or an S3DataSource of training.
        what: the input, for the error.

    Raises:
        JobFailed: it is an input that is not prepared here, such as a manifest.
    """
    kind = source.get("S3DataType", "S3Prefix")
    if "S3Uri" not in source or kind != "S3Prefix":
        found = f"S3DataType {kind}" if "S3Uri" in source else "no S3Uri"
        raise JobFailed(
            f"ClientError: {what} has {found}; only objects of an S3 prefix can be prepared here",
            context.log,
        )
    return str(source["S3Uri"])


def read_message(path: Path, length: int) -> str | None:
    """The beginning of a message file a job may have written; None when it did not.

    A link in its place is not followed.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        text = os.read(descriptor, length * 4).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    return text.strip()[:length] or None


def discard(folder: Path) -> None:
    """Remove a job's folder, however deep, also when the job took away its own permissions.

    Links are removed, never followed. What can't be removed now stays for the next run, which
    begins by trying again.
    """
    with contextlib.suppress(OSError):
        if stat.S_ISDIR(os.lstat(folder).st_mode):
            folder.chmod(0o700)
            top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                while _empty(top, top):
                    pass
            finally:
                os.close(top)
            folder.rmdir()


def _empty(folder: int, top: int) -> int:
    """Remove what lies in a folder; return how much of it could be.

    The folders of its folders are moved up to ``top``, to be emptied in turn: neither the depth nor
    the length of a path is bounded by what a job leaves behind.
    """
    done = 0
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        with contextlib.suppress(OSError):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name, dir_fd=folder)
            else:
                os.chmod(entry.name, 0o700, dir_fd=folder)
                if folder != top:
                    os.rename(entry.name, secrets.token_hex(8), src_dir_fd=folder, dst_dir_fd=top)
                else:
                    done += _empty_inner(entry.name, top)
                    os.rmdir(entry.name, dir_fd=top)
            done += 1
    return done


def _empty_inner(name: str, top: int) -> int:
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        return _empty(inner, top)
    finally:
        os.close(inner)
