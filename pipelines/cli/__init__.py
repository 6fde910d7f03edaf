"""The command line: ``sagedag COMMAND …``.

Each command is one module of this package that offers ``command``, a click command; it is imported
only when it is called, so that light commands stay light.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from pipelines.errors import Interrupted, SagedagError

# By sections, in the order of the help page.
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Write": {
        "init": ("pipelines.cli.init", "Start a small working project."),
        "validate": ("pipelines.cli.validate", "Check definitions; print every mistake."),
        "lint": ("pipelines.cli.lint", "Find what is valid and still not wise."),
        "compile": ("pipelines.cli.compile", "Write the pipeline definition JSON."),
        "graph": ("pipelines.cli.graph", "Draw a definition's steps."),
        "import": (
            "pipelines.cli.import_definition",
            "Turn a pipeline definition written by anybody into YAML.",
        ),
        "fmt": ("pipelines.cli.fmt", "Put keys in the documented order."),
        "explain": ("pipelines.cli.explain", "Explain a step kind, a field or an error code."),
        "schema": ("pipelines.cli.schema", "Print the JSON Schema of definitions."),
    },
    "Run here": {
        "run": ("pipelines.cli.run", "Run a pipeline on this machine."),
        "runs": ("pipelines.cli.runs", "List and inspect local runs."),
        "models": ("pipelines.cli.models", "List and inspect locally registered models."),
        "report": ("pipelines.cli.report", "Write a local run as an HTML page."),
        "serve": ("pipelines.cli.serve", "Serve a model that a local run made."),
        "doctor": ("pipelines.cli.doctor", "Say what works on this machine."),
    },
    "Deploy": {
        "policy": ("pipelines.cli.policy", "Write the IAM policies a definition needs."),
        "plan": ("pipelines.cli.plan", "Show what a deploy would change."),
        "upsert": ("pipelines.cli.upsert", "Deploy to AWS."),
        "changed": ("pipelines.cli.changed", "List the definitions that a git change affects."),
        "deploy": ("pipelines.cli.deploy", "Check, plan and deploy in one go, for CI."),
        "comment": ("pipelines.cli.comment", "Write a plan into a pull request's comment."),
        "diff": ("pipelines.cli.diff", "Show how two environments differ."),
        "versions": ("pipelines.cli.versions", "List what was deployed when."),
        "promote": ("pipelines.cli.promote", "Give an alias to a version."),
        "rollback": ("pipelines.cli.rollback", "Deploy an earlier version again."),
        "export": ("pipelines.cli.export", "Write pipelines for CloudFormation, Terraform or ACK."),
    },
    "Executions on AWS": {
        "start": ("pipelines.cli.executions.start", "Start a deployed pipeline."),
        "status": ("pipelines.cli.executions.status", "Show how an execution stands."),
        "wait": ("pipelines.cli.executions.wait", "Wait for an execution and show how it goes."),
        "logs": ("pipelines.cli.executions.logs", "Print what an execution's jobs printed."),
        "stop": ("pipelines.cli.executions.stop", "Stop an execution."),
        "retry": ("pipelines.cli.executions.retry", "Run again what failed in an execution."),
        "list": ("pipelines.cli.executions.listing", "List executions, or pipelines."),
        "describe": ("pipelines.cli.executions.describe", "Tell all about a pipeline on AWS."),
        "diff-run": ("pipelines.cli.executions.diff_run", "Compare two executions."),
        "delete": ("pipelines.cli.executions.delete", "Delete a pipeline from AWS."),
    },
}
COMMANDS: dict[str, tuple[str, str]] = {
    name: each for section in SECTIONS.values() for name, each in section.items()
}
_WIDEST = max(map(len, COMMANDS))


class CommandGroup(click.Group):
    """A click group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of the help page."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command called ``cmd_name``, or None where there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve the command; an unknown one is answered with the nearest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1, 0.6)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"there is no command `{args[0]}`.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their one-line help, importing none of them."""
        del ctx
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                rows = [(name.ljust(_WIDEST), text) for name, (_, text) in commands.items()]
                formatter.write_dl(rows)


def _print_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Print the version; a source tree that is not installed has none."""
    del parameter
    if not wanted or ctx.resilient_parsing:
        return
    from importlib import metadata

    try:
        version = metadata.version("sagedag")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    click.echo(f"sagedag {version}")
    ctx.exit()


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "-C",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Change to this directory first.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def root(directory: Path | None) -> None:
    """SageMaker Pipelines from YAML: check, compile, run here, deploy."""
    if directory is not None:
        os.chdir(directory)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code that :mod:`pipelines.errors` lists.

    Args:
        arguments: the words after ``sagedag``; by default those of this process.
    """
    try:
        code = root.main(args=arguments, prog_name="sagedag", standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = 2
    except SagedagError as error:
        from pipelines.cli.options import print_error

        print_error(error)
        code = error.exit_code
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        # The reader of our output went away (`sagedag graph | head`); say nothing more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    _leave(code if isinstance(code, int) else 0)


def _leave(code: int) -> NoReturn:
    """End the process; what hangs in a call to AWS when Ctrl-C comes is not waited for."""
    parallel = sys.modules.get("pipelines.cloud.parallel")
    if code == Interrupted.exit_code and parallel is not None and parallel.is_busy():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
