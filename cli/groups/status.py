"""`fealty status` and `--version`; registered in cli/main.py."""

from importlib.metadata import version

import typer

from cli.commands.console import execute, one_line
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption, say


def show_version(asked: bool) -> None:
    """Print the version and end, when it is asked for."""
    if asked:
        say(f"fealty {version('fealty')}")
        raise typer.Exit


def status(form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """Show running services, their lag in records, dead letters and disk space. Exit status 1: there is a problem.

    Example: fealty status -o json
    """
    from cli.commands import status as command

    with one_line(code=2):
        found = execute(command.status(settings_at(root)), code=2)
        command.show_status(found, root, form)
        if not command.well(found):
            raise typer.Exit(1)
