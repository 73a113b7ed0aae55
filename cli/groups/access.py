"""`fealty clients`, `fealty token` and `fealty env`: who may call, and where; registered in cli/main.py."""

from typing import Annotated

import typer

from cli.commands.console import execute, one_line, out
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption, say

clients = typer.Typer(help="The clients that may call the API, and the key that signs their tokens.")

Name = Annotated[str, typer.Argument(help="The name of the client, like till-7.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(clients, name="clients")
    app.command("token")(token)
    app.command("env")(env)


@clients.command("add")
def add_client(
    name: Name,
    scopes: Annotated[list[str], typer.Option("--scope", help="A scope of the client, like api_loyalty; repeatable.")],
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Create a client of the store (FEALTY_STORE), and print its secret, which is never shown again.

    Example: fealty clients add till-7 --scope api_loyalty --scope api_crm
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.add(name, scopes, settings_at(root), form))


@clients.command("list")
def list_clients(form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """List all clients, and when each last requested a token.

    Example: fealty clients list
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.list_clients(settings_at(root), form))


@clients.command("disable")
def disable_client(name: Name, root: Root = ROOT) -> None:
    """Disable a client: it gets no more tokens, and its existing ones are refused within a minute.

    Example: fealty clients disable till-7
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.disable(name, settings_at(root), disabled=True))


@clients.command("enable")
def enable_client(name: Name, root: Root = ROOT) -> None:
    """Enable a disabled client again, with its old secret.

    Example: fealty clients enable till-7
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.disable(name, settings_at(root), disabled=False))


@clients.command("remove")
def remove_client(name: Name, root: Root = ROOT) -> None:
    """Remove a disabled client permanently. Another client can use its name then.

    Example: fealty clients remove till-7
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.remove(name, settings_at(root)))


@clients.command("rotate-secret")
def rotate_secret(name: Name, form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """Give a client a new secret, and print it once. The old secret stops working.

    Example: fealty clients rotate-secret till-7
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.rotate_secret(name, settings_at(root), form))


@clients.command("rotate-key")
def rotate_key(root: Root = ROOT) -> None:
    """Sign tokens with a new key. Existing tokens stay valid until they expire.

    Example: fealty clients rotate-key
    """
    from cli.commands import clients as command

    with one_line():
        execute(command.rotate_key(settings_at(root)))


def token(
    client: Annotated[str, typer.Option("--client", help="A client of the demo: till, webshop or admin.")] = "admin",
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", help="A scope of the token, like api_loyalty; repeatable. By default, all scopes of the client."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the curl command that gets a token instead.")
    ] = False,
    root: Root = ROOT,
) -> None:
    """Print an access token of one of the clients of `fealty up --demo`, valid for an hour.

    Example: fealty token --client till --scope api_loyalty
    """
    from cli.commands import tokens as command

    with one_line():
        if explain:
            out().print(command.explained(root, client, scopes or []), soft_wrap=True)
        else:
            out().print(execute(command.token(root, client, scopes or [])), soft_wrap=True)


def env(
    client: Annotated[str, typer.Option("--client", help="A client of the demo: till, webshop or admin.")] = "admin",
    root: Root = ROOT,
) -> None:
    """Print shell variables with the address of the edge, a token and Kafka's settings: eval "$(fealty env)".

    TOKEN is a complete header for curl's -H, valid for an hour.

    Example: fealty env
    """
    from cli.commands import tokens as command

    with one_line():
        for line in execute(command.shell_lines(root, client)):
            say(line)
