"""``sagedag changed``: the definitions that a git change affects."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import environment_options, pairs, plural
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.affected import Because, Found


@click.command(
    epilog="""\b
Examples:
  sagedag changed --since origin/main
  sagedag changed --since v1.2 definitions/pulsar --env prod
  sagedag changed --since origin/main --quiet | xargs -r sagedag validate
  sagedag changed --since "$BEFORE" --json

Compares with the last commit that REF and HEAD have in common, as `git diff REF...HEAD` does, and
counts what is not committed as well. It needs the history: in CI, clone all of it (fetch-depth: 0).

\b
Exit codes: 0 fine, whether something is affected or not, 2 wrong usage or an unknown REF."""
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--since",
    metavar="REF",
    required=True,
    help="A commit, branch or tag. Empty or all zeros (a branch's first push): everything.",
)
@environment_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="Print the affected definitions' paths alone.")
def command(paths: tuple[str, ...], since: str, **options: Any) -> int:
    """List the definitions below PATH (default: here) that a change in git affects, and why.

    A definition is affected when its file, one it extends, its environments or a file of its code
    changed. Without --env or SAGEDAG_ENV all environments are looked at.
    """
    from pipelines.affected import affected

    if options["as_json"] and options["quiet"]:
        raise UsageError("--json and --quiet exclude each other")
    found = affected(
        paths or (".",),
        since=since,
        environment=options["environment"] or os.environ.get("SAGEDAG_ENV"),
        variables=pairs(options["variables"], "--var"),
    )
    if options["as_json"]:
        click.echo(json.dumps(as_document(found), indent=2, ensure_ascii=False))
    elif options["quiet"]:
        for each in found.affected:
            click.echo(_path(each.path))
    else:
        for line in told(found):
            click.echo(line)
    return 0


def as_document(found: Found) -> dict[str, Any]:
    """Return what a change affects, for machines."""
    difference = found.difference
    return {
        "since": difference.since,
        "base": difference.base,
        "everything": difference.everything,
        "compared": "the working tree",
        "environments": list(found.environments),
        "affected": [
            {
                "definition": _path(each.path),
                "pipelines": dict(each.uses.names),
                "loads": not each.uses.broken,
                "because": [reason_document(reason) for reason in each.because],
            }
            for each in found.affected
        ],
        "unaffected": [_path(each.path) for each in found.unaffected],
        "deleted": [
            {"definition": _path(each.path), "moved_to": _path(each.moved) if each.moved else None}
            for each in found.deleted
        ],
    }


def reason_document(because: Because) -> dict[str, Any]:
    """Return one reason, for machines."""
    change = because.change
    if change is None:
        return {"what": because.what, "file": None, "status": None, "before": None}
    before = _path(change.before) if change.before is not None else None
    return {
        "what": because.what,
        "file": _path(change.path),
        "status": change.status,
        "before": before,
    }


def told(found: Found) -> Iterator[str]:
    """Yield the lines that tell people what a change affects."""
    total = len(found.affected) + len(found.unaffected)
    yield f"{len(found.affected)} of {plural(total, 'definition')} affected{_since(found)}"
    for each in found.affected:
        yield ""
        yield _path(each.path)
        yield from reason_lines(each.because)
    if found.deleted:
        yield ""
        yield "Deleted (their pipelines stay deployed until a deploy with --prune):"
        for gone in found.deleted:
            moved = f"  moved to {_path(gone.moved)}" if gone.moved is not None else ""
            yield f"  {_path(gone.path)}{moved}"


MOST = 10
"""How many reasons are told of one definition."""


def reason_lines(reasons: Sequence[Because]) -> Iterator[str]:
    """Yield why a definition is affected, for people."""
    shown = reasons[:MOST]
    rows = []
    for because in shown:
        change = because.change
        if change is None:
            rows.append(("", because.what, ""))
            continue
        before = f"  from {_path(change.before)}" if change.before is not None else ""
        rows.append((change.status, f"{_path(change.path)}{before}", because.what))
    width = max((len(status) for status, _, _ in rows), default=0)
    longest = max((len(file) for status, file, _ in rows if status), default=0)
    for status, file, what in rows:
        if status:
            yield f"  {status:<{width}}  {file:<{longest}}  {what}"
        else:
            yield f"  {file}"
    if len(reasons) > len(shown):
        yield f"  and {len(reasons) - len(shown)} more"


def _since(found: Found) -> str:
    difference = found.difference
    if difference.everything:
        return f": {difference.why}"
    return f" since {difference.since} (compared with {difference.base[:12]})"


def _path(path: Path) -> str:
    """Return a path as messages name it, without control characters."""
    from pipelines.language.project import shown

    return "".join(c if c.isprintable() else "?" for c in shown(path))
