"""`fealty clients`, `fealty token` and `fealty env`: who may call, and where; registered in cli/main.py."""

from typing import Annotated

import typer

from cli.commands.console import execute, one_line, out
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption, say

clients = typer.Typer(help="The systems that may call the edge, and the key that signs their tokens.")

Name = Annotated[str, typer.Argument(help="The client's name, like till-7.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(clients, name="clients")
    app.command("token")(token)
    app.command("env")(env)


@clients.command("add")
def add_client(
    name: Name,
    scopes: Annotated[list[str], typer.Option("--scope", help="What it may do, like api_loyalty; repeatable.")],
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Make a client of this store (FEALTY_STORE); its secret is shown once.

    Example: fealty clients add till-7 --scope api_loyalty --scope api_crm
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.add(name, scopes, settings_at(root), form))


@clients.command("list")
def list_clients(form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """List all clients.

    Example: fealty clients list
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.list_clients(settings_at(root), form))


@clients.command("disable")
def disable_client(name: Name, root: Root = ROOT) -> None:
    """Give a client no more tokens, and refuse those that it has, within a minute.

    Example: fealty clients disable till-7
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.disable(name, settings_at(root), disabled=True))


@clients.command("enable")
def enable_client(name: Name, root: Root = ROOT) -> None:
    """Let a disabled client in again, with the secret that it had.

    Example: fealty clients enable till-7
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.disable(name, settings_at(root), disabled=False))


@clients.command("remove")
def remove_client(name: Name, root: Root = ROOT) -> None:
    """Remove a client that is disabled, for good; its name may be given to another one.

    Example: fealty clients remove till-7
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.remove(name, settings_at(root)))


@clients.command("rotate-secret")
def rotate_secret(name: Name, form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """Give a client another secret, which is shown once; the one before works no more.

    Example: fealty clients rotate-secret till-7
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.rotate_secret(name, settings_at(root), form))


@clients.command("rotate-key")
def rotate_key(root: Root = ROOT) -> None:
    """Have another key sign tokens; those signed before stay good until they expire.

    Example: fealty clients rotate-key
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.rotate_key(settings_at(root)))


def token(
    client: Annotated[str, typer.Option("--client", help="One of the demo's: till, webshop or admin.")] = "admin",
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", help="Only these, like api_loyalty; all of the client's if none.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print how to get one by curl instead.")] = False,
    root: Root = ROOT,
) -> None:
    """Print an access token of one of the clients of `fealty up --demo`, good for an hour.

    Example: fealty token --client till --scope api_loyalty
    """
    from cli.commands import tokens as command

    with one_line():
        if explain:
            out().print(command.explained(root, client, scopes or []), soft_wrap=True)
        else:
            out().print(execute(command.token(root, client, scopes or [])), soft_wrap=True)


def env(
    client: Annotated[str, typer.Option("--client", help="One of the demo's: till, webshop or admin.")] = "admin",
    root: Root = ROOT,
) -> None:
    """Print HTTP, TOKEN and how to reach Kafka, of the running stack, for a shell: eval "$(fealty env)".

    TOKEN is a whole header for curl's -H, good for an hour.

    Example: fealty env
    """
    from cli.commands import tokens as command

    with one_line():
        for line in execute(command.shell_lines(root, client)):
            say(line)
