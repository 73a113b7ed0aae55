"""`fealty programmes list|show|diff`; registered in shared/cli.py."""

from typing import Annotated

import typer

from shared.commands.console import complain, execute, one_line
from shared.commands.environment import ROOT, Root, settings_at
from shared.commands.output import Form, FormOption

programmes = typer.Typer(help="The programmes as they are declared now.")


@programmes.command("list")
def list_programmes(form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """List the store's programmes (FEALTY_STORE), by id."""
    from shared.commands import programmes as command

    with one_line():
        execute(command.list_programmes(settings_at(root), form))


@programmes.command("show")
def show_programme(
    programme: Annotated[str, typer.Argument(metavar="ID", help="As listed.")],
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Show one programme as YAML for `fealty apply`; what is as it is by default is left out."""
    from shared.commands import programmes as command

    with one_line():
        execute(command.show_programme(programme, settings_at(root), form))


@programmes.command("diff")
def diff(
    files: Annotated[list[str], typer.Option("--file", "-f", help="YAML file; - is standard input; repeatable.")],
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Show what the programmes of files would change; exit 1: something, 2: could not look.

    Of vouchers and tier sets `fealty apply` says itself whether they are unchanged.
    """
    from shared.commands import declarations
    from shared.commands import programmes as command

    with one_line(code=2):
        try:
            declared = declarations.read(files)
        except declarations.Invalid as invalid:
            for line in invalid.lines:
                complain(line)
            raise typer.Exit(2) from None
        if execute(command.diff(declared, settings_at(root), form), code=2):
            raise typer.Exit(1)
