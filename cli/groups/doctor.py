"""The commands for a consumer group that is stuck; registered in cli/main.py."""

from typing import Annotated

import typer

from cli.commands.console import Failure, execute, one_line
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (doctor, skip):
        app.command()(command)


def doctor(form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """Find stopped partitions: topic, partition, offset, reason, and what to do. Exit status 1: there are some.

    Exit status 2: it could not look. The command needs only the broker, and changes nothing.

    Example: fealty doctor -o json
    """
    from cli.commands import doctor as command

    with one_line(code=2):
        found = execute(command.diagnose(settings_at(root)), code=2)
        command.show(found, form)
        if found:
            raise Failure(f"{len(found)} partitions are stopped", code=1)


def skip(
    group: Annotated[
        str, typer.Argument(metavar="GROUP", help="The consumer group, as `fealty doctor` shows it, like points.")
    ],
    where: Annotated[
        str,
        typer.Argument(
            metavar="TOPIC/PARTITION/OFFSET",
            help="The position, as `fealty doctor` shows it, like oms.fulfilments/3/1207.",
        ),
    ],
    root: Root = ROOT,
) -> None:
    """Skip a batch that cannot be read, and keep its bytes as a dead letter. Stop the group's processes first.

    Example: fealty skip points.reactions.oms.fulfilments oms.fulfilments/3/1207
    """
    from cli.commands import doctor as command

    with one_line():
        execute(command.skip(settings_at(root), group, where))
