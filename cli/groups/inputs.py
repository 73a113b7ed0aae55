"""`fealty unknown-accounts`: inputs for account numbers that nobody knows; registered in cli/main.py."""

from typing import Annotated

import typer

from cli.commands.console import execute, one_line
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption

unknown = typer.Typer(help="Unknown account numbers, for which inputs from topics are waiting.")


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(unknown, name="unknown-accounts")


@unknown.command("list")
def list_unknown(
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1000, metavar="NUMBERS", help="How many account numbers to list.")
    ] = 50,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """List unknown account numbers for which inputs are waiting.

    Example: fealty unknown-accounts list --limit 100
    """
    from cli.commands import unknown_accounts as command

    with one_line():
        execute(command.list_unknown(settings_at(root), limit, form))


@unknown.command("replay")
def replay_unknown(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The account number, like 6299000000000000017.")],
    root: Root = ROOT,
) -> None:
    """Confirm an account number: the waiting inputs are processed in order, and may open the account.

    Example: fealty unknown-accounts replay 6299000000000000017
    """
    from cli.commands import unknown_accounts as command

    with one_line():
        execute(command.replay_unknown(settings_at(root), number))
