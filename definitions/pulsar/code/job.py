"""How a job ends: whole files or none, and a message that the service shows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

MESSAGE_BYTES = 1024  # SageMaker keeps this much of an exit message and of a failure reason


class BadInputError(ValueError):
    """What the job was given can't be used; the message says where and why."""


def finish(work: Callable[[], None], message: Path) -> int:
    """Run the work; return the job's exit code.

    Bad input and files that can't be read or written end the job with 1 and their message, on
    standard error and in ``message`` (``/opt/ml/output/message`` becomes a processing job's
    ExitMessage, ``/opt/ml/output/failure`` a training job's FailureReason). Anything else is a
    mistake in this code and keeps its traceback.
    """
    try:
        work()
    except (BadInputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        leave_message(str(error), message)
        return 1
    return 0


def leave_message(text: str, path: Path) -> None:
    """Write the message where the service looks for it, if there is such a place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8")[:MESSAGE_BYTES])
    except OSError as error:
        print(f"note: no message left at {path}: {error}", file=sys.stderr)


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write all files or none: first under other names, then renamed one after the other."""
    drafts = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in files}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            drafts[path].write_bytes(content)
        for path, draft in drafts.items():
            draft.replace(path)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
