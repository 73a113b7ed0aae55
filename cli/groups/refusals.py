"""`fealty refusals list|show`: what was refused; registered in cli/main.py."""

from datetime import datetime
from typing import Annotated

import typer

from cli.commands.console import execute, one_line
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption
from cli.groups.tools import instant

refusals = typer.Typer(help="Inputs and commands that were refused by a business rule: list and show them.")


@refusals.command("list")
def list_refusals(
    topic: Annotated[
        str | None, typer.Option("--topic", help="Only records of this topic, like webshop.orders.")
    ] = None,
    code: Annotated[
        str | None, typer.Option("--code", help="Only refusals with this code, like too_many_decimals.")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Only refusals for this account number, like 6299000000000000017.")
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", help="Only refusals for this order or receipt number, like W-12345.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            parser=instant,
            metavar="INSTANT",
            help="RFC 3339: only refusals since then, like 2026-11-22T10:00:00Z.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until",
            parser=instant,
            metavar="INSTANT",
            help="RFC 3339: only refusals before then, like 2026-11-23T10:00:00Z.",
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", min=1, max=10_000, metavar="REFUSALS", help="How many refusals to list, the newest first."
        ),
    ] = 50,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """List refusals of the last 28 days, the newest first. Example: fealty refusals list --order W-12345"""
    from cli.commands import refusals as command
    from services.edge.views.refusal_store import Query

    with one_line():
        settings = settings_at(root)
        query = Query(store=settings.store, topic=topic, code=code, order=order, from_=since, until=until, limit=limit)
        execute(command.list_refusals(query, account, settings, form))


@refusals.command("show")
def show_refusal(
    refusal: Annotated[
        str, typer.Argument(metavar="ID", help="The UUID of a refusal, like 0199d2a5-7c00-5000-8000-000000000001.")
    ],
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Show one refusal: its code, the place in the body, and the record that was refused.

    Example: fealty refusals show 0199d2a5-7c00-5000-8000-000000000001
    """
    from cli.commands import refusals as command

    with one_line():
        execute(command.show_refusal(refusal, settings_at(root), form))
