"""Two deploys at once: wait until the other one has ended, and give way where it is newer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pipelines.affected import contains, how_to_deepen
from pipelines.cloud.client import Clients
from pipelines.cloud.ownership import COMMIT, DIGEST, WANTED
from pipelines.cloud.state import read_pipelines
from pipelines.cloud.wanted import Provenance
from pipelines.delivery.choice import DIRTY
from pipelines.errors import StateMoved

LOOKS = 15
PAUSE = 2.0
"""How often, and how many seconds apart, is looked whether another deploy has ended."""

GRACE = 6.0
"""Seconds that a newer deploy has to take what is its own."""


def wait_for_end(
    clients: Clients, names: Sequence[str], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until no deploy of some pipelines is under way.

    A plan made amid another deploy's calls would be overtaken by the rest of them. What does not
    move for a pause is not waited for: that deploy was interrupted.

    Raises:
        AwsError: AWS refused a call.
    """
    before = None
    for _ in range(LOOKS):
        found = read_pipelines(clients, names)
        begun = [each for each in found.values() if each is not None]
        under_way = any(each.tags.get(WANTED) != each.tags.get(DIGEST) for each in begun)
        if not under_way or found == before:
            return
        before = found
        sleep(PAUSE)


def check_not_newer(
    clients: Clients,
    names: Sequence[str],
    root: Path,
    provenance: Provenance,
    lost: StateMoved,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Refuse to take back what a deploy of another commit just brought.

    Two deploys of branches know nothing of each other, and each may have brought some of the
    pipelines. So that not both give way, the first pipeline by name decides: whose commit it has
    goes on. If the other deploy is newer it contains this commit, takes that pipeline as well, and
    is given the time for it.

    Args:
        names: the pipelines that this deploy set out to change.

    Raises:
        StateMoved: a commit is deployed that this one does not contain.
    """
    for last in (False, True):
        commits = _commits(clients, names)
        foreign = [
            name
            for name, commit in commits.items()
            if commit not in ("", provenance.commit) and not contains(root, commit)
        ]
        if not foreign:
            return
        first = commits[min(names)] == provenance.commit
        if first and last:
            return
        if not first:
            raise StateMoved(
                f"`{foreign[0]}` was deployed meanwhile from commit {commits[foreign[0]][:12]}, "
                "which this one does not contain; it was left as it is",
                how_to_deepen(root)
                or "that deploy is newer, or of another branch: deploy from the newest commit",
            ) from lost
        sleep(GRACE)
        wait_for_end(clients, names, sleep)


def _commits(clients: Clients, names: Sequence[str]) -> dict[str, str]:
    """Return the commits that pipelines were deployed from; empty where none is known."""
    return {
        name: found.tags.get(COMMIT, "").removesuffix(DIRTY) if found is not None else ""
        for name, found in read_pipelines(clients, names).items()
    }
