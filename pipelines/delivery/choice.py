"""Which definitions a deploy is about: all, or what changed and what is not deployed as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.affected import (
    DEPLOYED,
    Because,
    Difference,
    Uses,
    affected_by,
    contains,
    differences,
    how_to_deepen,
)
from pipelines.cloud.client import Clients
from pipelines.cloud.ownership import COMMIT, DIGEST, WANTED, is_owned
from pipelines.cloud.state import Deployed, read_pipelines
from pipelines.cloud.wanted import Provenance

DIRTY = "-dirty"


@dataclass(frozen=True)
class Chosen:
    """A definition to deploy, and why; nothing where all are deployed."""

    path: Path
    because: tuple[Because, ...] = ()


@dataclass(frozen=True)
class Choice:
    """What a deploy is about.

    Args:
        chosen: the definitions to deploy.
        left: those that are left alone.
        difference: the change in git; None where all definitions are deployed.
    """

    chosen: tuple[Chosen, ...]
    left: tuple[Path, ...] = ()
    difference: Difference | None = None


def choose(
    uses: Mapping[Path, Uses],
    since: str,
    environment: str,
    root: Path,
    connect: Callable[[], tuple[Clients, Provenance]],
) -> Choice:
    """Choose what a change in git affects, and what an earlier deploy left behind.

    A deploy that failed, was cancelled or was interrupted must not be forgotten because the next
    change is about something else. So every definition that the change does not affect is looked
    up: it is chosen as well where it is not deployed, where its deploy did not end, and where it
    changed since the commit that it was deployed from.

    Args:
        uses: what the definitions use.
        since: the commit to compare with, or :data:`DEPLOYED`.
        root: a folder in the repository.
        connect: gives the clients and who deploys; called where something must be looked up.

    Raises:
        UsageError: git does not know the commit.
        AwsError: AWS refused a call.
    """
    difference = differences(root, "HEAD" if since == DEPLOYED else since)
    if since == DEPLOYED:
        difference = replace(difference, since=since, changes=())
    reasons = {path: tuple(affected_by(each, difference)) for path, each in uses.items()}
    quiet = {path: each for path, each in uses.items() if not reasons[path]}
    if quiet:
        clients, provenance = connect()
        names = [each.names[environment] for each in quiet.values()]
        deployed = read_pipelines(clients, names)
        since_commit: dict[str, Difference] = {}
        for path, each in quiet.items():
            found = deployed[each.names[environment]]
            if found is not None and not is_owned(found.tags, provenance, environment):
                continue  # it is somebody else's; a deploy of everything says so
            why = _behind(each, found, root, since_commit)
            reasons[path] = (Because(why),) if why else ()
    return Choice(
        tuple(Chosen(path, because) for path, because in reasons.items() if because),
        tuple(path for path, because in reasons.items() if not because),
        difference,
    )


def _behind(uses: Uses, deployed: Deployed | None, root: Path, known: dict[str, Difference]) -> str:
    """Say why what is deployed is not what this commit defines; empty where it is."""
    if deployed is None:
        return "it is not deployed yet"
    if deployed.tags.get(WANTED) != deployed.tags.get(DIGEST):
        return "its last deploy did not end"
    commit = deployed.tags.get(COMMIT, "")
    if commit.endswith(DIRTY):
        return "it was deployed with changes that were not committed"
    if not contains(root, commit):
        history = "this shallow clone" if how_to_deepen(root) else "this history"
        return f"it was deployed from {commit[:12] or 'no commit'}, which is not in {history}"
    if commit not in known:
        known[commit] = differences(root, commit)
    if any(affected_by(uses, known[commit])):
        return f"it changed since {commit[:12]}, which is deployed"
    return ""
