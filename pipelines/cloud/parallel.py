"""Many calls at once, but not too many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pipelines.cloud.client import PARALLEL

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREADS = "sagedag-aws"


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], most: int = PARALLEL
) -> list[Result]:
    """Return what ``work`` gives for every item, in their order; at most ``most`` at once.

    The first error ends it: what has not begun then does not begin, what is under way ends.
    """
    listed = list(items)
    if len(listed) < 2:
        return [work(item) for item in listed]
    pool = ThreadPoolExecutor(min(most, len(listed)), thread_name_prefix=_THREADS)
    waits = True
    try:
        return list(pool.map(work, listed))
    except KeyboardInterrupt:
        waits = False  # what is under way may hang: the command ends without it
        raise
    finally:
        pool.shutdown(wait=waits, cancel_futures=True)


def is_busy() -> bool:
    """Whether calls are still under way, after an interruption."""
    return any(each.name.startswith(_THREADS) for each in threading.enumerate())
