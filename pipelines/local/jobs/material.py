"""Laying out a job's ``/opt/ml`` before it runs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
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
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        text = stream.read(length * 4).decode("utf-8", "replace")
    return text.strip()[:length] or None


def discard(folder: Path) -> None:
    """Remove a job's folder, also when the job took away its own permissions."""

    def open_up(_function: object, path: str, _problem: object) -> None:
        # What can't be removed now stays for the next run, which begins by trying again.
        with contextlib.suppress(OSError):
            for each in (Path(path).parent, Path(path)):
                if each.is_relative_to(folder) and not each.is_symlink():
                    each.chmod(0o700)
            if Path(path).is_dir() and not Path(path).is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                Path(path).unlink(missing_ok=True)

    if folder.exists():
        shutil.rmtree(folder, onerror=open_up)
