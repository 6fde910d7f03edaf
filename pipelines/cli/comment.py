"""``sagedag comment``: a plan as the comment of a pull request."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pipelines.errors import UsageError


@click.command(
    epilog="""\b
Examples:
  sagedag deploy --env dev --dry-run --since "$BASE" --markdown plan.md
  sagedag comment plan.md

In GitHub Actions it needs GITHUB_TOKEN and `pull-requests: write`, in GitLab CI GITLAB_TOKEN with
the scope `api`. The comment of an earlier run is replaced: there is one for each environment.

\b
Exit codes: 0 written, 2 wrong usage or no pull request, 4 refused."""
)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
def command(file: Path) -> int:
    """Write FILE, a plan as Markdown, into the pull request's comment, in place of the last one."""
    from pipelines.delivery.comment import conversation_of, put_comment

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} can't be read: {error}",
            "write it with `sagedag deploy --dry-run --markdown FILE`",
        ) from error
    conversation = conversation_of(os.environ)
    done = put_comment(conversation, text)
    click.echo(f"{conversation.words}: the plan's comment was {done}.")
    return 0
