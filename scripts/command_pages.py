"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

from dataclasses import replace

import click
from reference_pages import NOTE

from pipelines.cli import COMMANDS, root
from pipelines.explain.document import Block, Code, Heading, Table, Text
from pipelines.explain.markdown import render_blocks

EXITS = (
    ("0", "everything is well"),
    ("1", "the definition is invalid; diagnostics were printed"),
    ("2", "the command was used wrongly"),
    ("3", "the plan has changes (`--detailed-exitcode`)"),
    ("4", "AWS refused a call"),
    ("5", "a step or an awaited execution failed"),
    ("6", "the deployed state moved, or another deploy won"),
    ("7", "findings: a lint, differences after an import, `fmt --check`"),
    ("130", "interrupted"),
)


def commands() -> dict[str, str]:
    """Return the page of all commands, in the order of the help page."""
    context = click.Context(root, info_name="sagedag")
    rows = tuple((f"[`{name}`](#sagedag-{name})", text) for name, (_, text) in COMMANDS.items())
    text = "# Commands\n\n" + render_blocks(
        [
            Text((root.help or "") + " `sagedag COMMAND --help` prints what stands here."),
            Table(("command", "what it does"), rows),
            Heading("Options of every command"),
            _general(context),
            Heading("Exit status"),
            Table(("status", "means"), EXITS),
        ]
    )
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None, name
        text += "\n" + _command(command, context, f"sagedag {name}", 2)
    return {"docs/reference/cli.md": NOTE + text}


def _command(command: click.Command, parent: click.Context, name: str, level: int) -> str:
    context = click.Context(command, info_name=name.rsplit(" ", 1)[-1], parent=parent)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    blocks: list[Block] = [Code(usage, "text"), Text(_plain(command.help))]
    options = _options(command, context)
    if options.rows:
        blocks.append(options)
    if command.epilog:
        blocks.append(Code(command.epilog.replace("\b\n", "").strip("\n"), "text"))
    text = f"{'#' * level} {name}\n\n" + render_blocks(blocks)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None, inner
            text += "\n" + _command(found, context, f"{name} {inner}", level + 1)
    return text


def _general(context: click.Context) -> Table:
    """Return the options before the command's name, and the one that every command has."""
    table = _options(root, context)
    names = ", ".join(root.context_settings["help_option_names"])
    help_row = (f"`{names}`", "Show what a command does and exit; also behind its name.")
    return replace(table, rows=(*table.rows, help_row))


def _options(command: click.Command, context: click.Context) -> Table:
    options = [each for each in command.params if isinstance(each, click.Option)]
    records = [option.get_help_record(context) for option in options]
    rows = tuple((f"`{record[0]}`", record[1]) for record in records if record)
    return Table(("option", "what it does"), rows)


def _plain(text: str | None) -> str:
    return (text or "").replace("\b\n", "")
