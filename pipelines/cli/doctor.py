"""``sagedag doctor``: say what works on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import use_color

if TYPE_CHECKING:
    from pipelines.doctor import Finding

_MARKS = {"works": ("✓", "green"), "broken": ("✗", "red"), "absent": ("–", "bright_black")}
_PLAIN_MARKS = {"works": "ok", "broken": "x ", "absent": "- "}


@click.command(
    epilog="""\b
Examples:
  sagedag doctor
  sagedag doctor --json | jq '.findings[] | select(.state == "broken")'

✓ works, ✗ does not (the line below says the way out), – is not there and not needed.

Exit status: 0 definitions can be compiled and run here, 1 something essential is broken."""
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> int:
    """Say what works on this machine: Python, SDK, isolation, credentials, Docker.

    Nothing is sent anywhere and no secret is printed.
    """
    from pipelines.doctor import examine

    findings = examine(Path.cwd())
    broken = any(finding.fatal for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": not broken, "findings": _plain(findings)}, indent=2))
    else:
        _print(findings, broken)
    return 1 if broken else 0


def _plain(findings: list[Finding]) -> list[dict[str, object]]:
    return [
        {
            "name": finding.name,
            "state": finding.state,
            "detail": finding.detail,
            "hint": finding.hint,
            "essential": finding.essential,
        }
        for finding in findings
    ]


def _print(findings: list[Finding], broken: bool) -> None:
    from pipelines.local.views.words import clean

    color = use_color(sys.stdout)
    width = max(len(finding.label) for finding in findings)
    indent = " " * (width + 4)
    for finding in findings:
        sign, shade = _MARKS[finding.state]
        mark = click.style(sign, fg=shade) if _can_print(sign) else _PLAIN_MARKS[finding.state]
        click.echo(f"{mark} {finding.label:<{width}}  {clean(finding.detail)}", color=color)
        for line in finding.hint.splitlines():
            click.echo(click.style(f"{indent}{clean(line)}", bold=True), color=color)
    end = "Something essential is broken; see above." if broken else _ENDING
    click.echo("\n" + click.style(end, fg="red" if broken else "green"), color=color)


_ENDING = "Definitions can be compiled and run here."


def _can_print(sign: str) -> bool:
    """Say whether standard output's encoding has a sign (``C`` locales have ASCII alone)."""
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
