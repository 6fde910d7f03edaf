"""Many calls at once, but not too many."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pipelines.cloud.client import PARALLEL

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], most: int = PARALLEL
) -> list[Result]:
    """Return what ``work`` gives for every item, in their order; at most ``most`` at once.

    The first error ends it: what has not begun then does not begin, what is under way ends.
    """
    listed = list(items)
    if len(listed) < 2:
        return [work(item) for item in listed]
    pool = ThreadPoolExecutor(max_workers=min(most, len(listed)), thread_name_prefix="aws")
    try:
        return list(pool.map(work, listed))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
