"""``sagedag deploy``: what CI runs."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.aws_options import aws_options, cloud_environment, connection
from pipelines.cli.options import environment_options, pairs, plural, print_diagnostics, write_text
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.delivery import Delivery


@click.command(
    epilog="""\b
Examples:
  sagedag deploy --env dev
  sagedag deploy --env prod --since deployed --alias live
  sagedag deploy --env prod --dry-run --since origin/main --markdown plan.md

Asks nothing. It can be interrupted at any moment: run it again, and it goes on where it stopped.
Where another deploy is faster, it makes a new plan, once.

With --since it deploys the definitions that `sagedag changed --since REF` lists, and those that an
earlier deploy left behind: not deployed yet, interrupted, or changed since the commit they were
deployed from. `--since deployed` is about those alone, however they came about.

\b
Exit codes: 0 deployed or nothing to do, 1 invalid definition, 2 wrong usage,
3 there are changes (--dry-run --detailed-exitcode), 4 AWS refused,
6 another deploy won, 7 lint found errors, 130 interrupted."""
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@environment_options
@aws_options
@click.option(
    "--since",
    metavar="REF",
    help="Deploy only what changed since this commit, or since `deployed`.",
)
@click.option("--alias", metavar="NAME", default="", help="Give this alias to what is deployed.")
@click.option("--prune", is_flag=True, help="Delete what this repository no longer defines.")
@click.option(
    "--take-over", is_flag=True, help="Deploy over another repository's or environment's pipeline."
)
@click.option("--dry-run", is_flag=True, help="Check, lint and plan; write nothing to AWS.")
@click.option(
    "--detailed-exitcode", is_flag=True, help="With --dry-run: exit with 3 where there are changes."
)
@click.option(
    "--markdown",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the plan, or what was deployed, as Markdown, for a pull request's comment.",
)
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append the same to a file (default: $GITHUB_STEP_SUMMARY, the job's page).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(paths: tuple[str, ...], **options: Any) -> int:
    """Validate, lint, plan and deploy PATH (default: the definitions below here), for CI."""
    from pipelines.delivery import Order, deliver

    if options["detailed_exitcode"] and not options["dry_run"]:
        raise UsageError("--detailed-exitcode is about --dry-run")
    order = Order(
        paths or (".",),
        cloud_environment(options["environment"]),
        pairs(options["variables"], "--var"),
        connection(options),
        options["since"],
        options["alias"],
        options["prune"],
        options["take_over"],
        options["dry_run"],
    )
    quiet = options["as_json"]
    delivery = deliver(order, _watcher(quiet, order.dry_run))
    _write_summaries(delivery, options)
    if quiet:
        click.echo(json.dumps(as_document(delivery), indent=2, ensure_ascii=False))
    else:
        _tell_end(delivery)
    if delivery.error is not None:
        raise delivery.error
    changes = delivery.planned is not None and not delivery.planned.plan.is_empty
    if options["detailed_exitcode"] and delivery.exit_code == 0:
        return 3 if changes else 0
    return delivery.exit_code


def _watcher(quiet: bool, dry_run: bool) -> Any:
    """Return what prints how a deploy goes; the plan goes to standard output, or nowhere."""
    from pipelines.cli.plan import show
    from pipelines.cli.upsert import Progress
    from pipelines.delivery.deliver import Watcher

    class Telling(Watcher):
        progress: Progress | None = None

        def chosen(self, delivery: Delivery) -> None:
            _print_messages(delivery, dry_run=dry_run)
            for line in _choice(delivery):
                click.echo(line, err=True)

        def planned(self, planned: Any, attempt: int) -> None:
            del attempt
            self.progress = Progress(planned.plan, err=quiet)
            show(planned.plan, err=quiet)

        def overtaken(self, error: Any) -> None:
            click.echo(f"{error.message}.\nMaking a new plan.\n", err=True)

        def uploaded(self, uri: str, size: int) -> None:
            if self.progress is not None:
                self.progress.uploaded(uri, size)

        def finished(self, pipeline: Any) -> None:
            if self.progress is not None:
                self.progress.finished(pipeline)

    return Telling()


def _print_messages(delivery: Delivery, *, dry_run: bool) -> None:
    """Print errors, and before a deploy warnings; in a job of GitHub as annotations of the files.

    The rest is counted: who deploys every day has read it.
    """
    from pipelines.lint.rules import RULES

    style = "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text"
    titles = {rule.code: rule.page.title for rule in RULES}
    levels = ("error", "warning") if dry_run else ("error",)
    messages = [*delivery.diagnostics, *delivery.findings]
    told = [each for each in messages if each.level in levels]
    print_diagnostics(told, style, err=True, titles=titles)
    if told and style == "text":
        click.echo(err=True)
    left: Counter[str] = Counter(each.level for each in messages if each.level not in levels)
    words = {"warning": "warning", "info": "remark"}
    counts = [plural(left[level], word) for level, word in words.items() if left[level]]
    if counts:
        command = f"sagedag lint --env {delivery.environment}"
        click.echo(f"{' and '.join(counts)} of the checks: `{command}` shows them.\n", err=True)


def _choice(delivery: Delivery) -> Iterator[str]:
    """Yield what is to be deployed and why; the same words as of `sagedag changed`."""
    from pipelines.affected import DEPLOYED
    from pipelines.cli.changed import reason_lines
    from pipelines.language.project import shown

    choice = delivery.choice
    difference = choice.difference
    if difference is None:
        return
    total = len(choice.chosen) + len(choice.left)
    since = f"compared with {difference.base[:12]}" if difference.base else difference.why
    since = "compared with what is deployed" if difference.since == DEPLOYED else since
    yield f"{len(choice.chosen)} of {plural(total, 'definition')} to look at ({since})"
    for each in choice.chosen:
        yield f"  {shown(each.path)}"
        yield from (f"  {line}" for line in reason_lines(each.because))
    yield ""


def _tell_end(delivery: Delivery) -> None:
    if delivery.status == "invalid":
        _print_messages(delivery, dry_run=True)
        errors = sum(d.level == "error" for d in delivery.diagnostics)
        click.echo(f"{plural(errors, 'error')}: nothing was deployed.", err=True)
    elif delivery.status == "findings":
        click.echo("Lint found errors: nothing was deployed.", err=True)
    elif delivery.status == "unchanged" and delivery.planned is None:
        click.echo("Nothing to deploy: no definition is affected.")
    elif delivery.status == "deployed":
        click.echo(f"Deployed to {delivery.environment}.")


def _write_summaries(delivery: Delivery, options: dict[str, Any]) -> None:
    from pipelines.delivery import render_summary

    page = options["summary"] or os.environ.get("GITHUB_STEP_SUMMARY")
    if not page and options["markdown"] is None:
        return
    text = render_summary(delivery, dry_run=options["dry_run"])
    if options["markdown"] is not None:
        write_text(options["markdown"], text)
    if page:
        try:
            with Path(page).open("a", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            # What was deployed is deployed, whether the page can be written or not.
            click.echo(f"the summary {page} can't be written: {error.strerror}", err=True)


def as_document(delivery: Delivery) -> dict[str, Any]:
    """Return what came of a deploy, for machines."""
    from pipelines.cli.changed import reason_document
    from pipelines.cloud.plan import as_document as plan_document
    from pipelines.language.project import shown

    choice, planned, error = delivery.choice, delivery.planned, delivery.error
    return {
        "environment": delivery.environment,
        "status": delivery.status,
        "exit_code": delivery.exit_code,
        "commit": delivery.commit,
        "attempts": delivery.attempts,
        "definitions": [
            {
                "definition": shown(each.path),
                "because": [reason_document(reason) for reason in each.because],
            }
            for each in choice.chosen
        ],
        "left_alone": [shown(path) for path in choice.left],
        "messages": [
            {
                "level": each.level,
                "code": each.code,
                "message": each.message,
                "hint": each.hint,
                "file": each.source.name,
                "line": each.span.line,
                "column": each.span.column,
            }
            for each in (*delivery.diagnostics, *delivery.findings)
        ],
        "plan": plan_document(planned.plan) if planned is not None else None,
        "applied": [asdict(each) for each in delivery.applied],
        "error": {"message": error.message, "hint": error.hint} if error is not None else None,
    }
