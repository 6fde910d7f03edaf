"""``sagedag changed``: the definitions that a git change affects."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import environment_options, pairs, plural
from pipelines.errors import UsageError
from pipelines.language.project import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.affected import Because, Found


@click.command(
    epilog="""\b
Examples:
  sagedag changed --since origin/main
  sagedag changed --since v1.2 definitions/pulsar --env prod
  sagedag changed --since origin/main --null | xargs -0 -r sagedag validate
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
@click.option(
    "-0", "--null", is_flag=True, help="The same as they are, each ended by NUL: xargs -0."
)
def command(paths: tuple[str, ...], since: str, **options: Any) -> int:
    """List the definitions below PATH (default: here) that a change in git affects, and why.

    A definition is affected when its file, one it extends, its environments or a file of its code
    changed. Without --env or SAGEDAG_ENV all environments are looked at.
    """
    from pipelines.affected import affected

    if sum(options[name] for name in ("as_json", "quiet", "null")) > 1:
        raise UsageError("--json, --quiet and --null exclude each other")
    found = affected(
        paths or (".",),
        since=since,
        environment=options["environment"] or os.environ.get("SAGEDAG_ENV"),
        variables=pairs(options["variables"], "--var"),
    )
    if options["as_json"]:
        click.echo(json.dumps(as_document(found), indent=2, ensure_ascii=False))
    elif options["null"]:
        for each in found.affected:
            click.echo(os.fsencode(os.path.relpath(each.path)) + b"\0", nl=False)
    elif options["quiet"]:
        for each in found.affected:
            click.echo(shown(each.path))
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
                "definition": shown(each.path),
                "pipelines": dict(each.uses.names),
                "loads": not each.uses.broken,
                "because": [reason_document(reason) for reason in each.because],
            }
            for each in found.affected
        ],
        "unaffected": [shown(each.path) for each in found.unaffected],
        "deleted": [
            {"definition": shown(each.path), "moved_to": shown(each.moved) if each.moved else None}
            for each in found.deleted
        ],
    }


def reason_document(because: Because) -> dict[str, Any]:
    """Return one reason, for machines."""
    change = because.change
    if change is None:
        return {"what": because.what, "file": None, "status": None, "before": None}
    before = shown(change.before) if change.before is not None else None
    return {
        "what": because.what,
        "file": shown(change.path),
        "status": change.status,
        "before": before,
    }


def told(found: Found) -> Iterator[str]:
    """Yield the lines that tell people what a change affects."""
    total = len(found.affected) + len(found.unaffected)
    yield f"{len(found.affected)} of {plural(total, 'definition')} affected{_since(found)}"
    for each in found.affected:
        yield ""
        yield shown(each.path)
        yield from reason_lines(each.because)
    if found.deleted:
        yield ""
        yield "Deleted (their pipelines stay deployed until a deploy with --prune):"
        for gone in found.deleted:
            moved = f"  moved to {shown(gone.moved)}" if gone.moved is not None else ""
            yield f"  {shown(gone.path)}{moved}"


MOST = 10
"""How many reasons are told of one definition."""


def reason_lines(reasons: Sequence[Because]) -> Iterator[str]:
    """Yield why a definition is affected, for people."""
    told = reasons[:MOST]
    rows = []
    for because in told:
        change = because.change
        if change is None:
            rows.append(("", because.what, ""))
            continue
        before = f"  from {shown(change.before)}" if change.before is not None else ""
        rows.append((change.status, f"{shown(change.path)}{before}", because.what))
    width = max((len(status) for status, _, _ in rows), default=0)
    longest = max((len(file) for status, file, _ in rows if status), default=0)
    for status, file, what in rows:
        if status:
            yield f"  {status:<{width}}  {file:<{longest}}  {what}"
        else:
            yield f"  {file}"
    if len(reasons) > len(told):
        yield f"  and {len(reasons) - len(told)} more"


def _since(found: Found) -> str:
    difference = found.difference
    if difference.everything:
        return f": {difference.why}"
    return f" since {difference.since} (compared with {difference.base[:12]})"
