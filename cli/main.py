"""`fealty`: the command line. Commands are declared here and done in cli/commands, which is imported as they run."""

import sys
from typing import Annotated

import typer

from cli.commands.console import Failure, complain, execute, one_line, quiet_logs
from cli.commands.environment import ROOT, Root, settings_at
from cli.commands.output import Form, FormOption, say
from cli.groups import access, doctor, export, giftcards, inputs, programmes, refusals, reports, status, tools
from services.registry import JOURNALED, SERVICES, one_of

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
letters = typer.Typer(help="Dead letters, records that could not be processed: list, show, replay and remove them.")
app.add_typer(letters, name="dead-letters")
app.add_typer(refusals.refusals, name="refusals")
app.command()(programmes.apply)
app.add_typer(export.exports, name="export")
app.add_typer(programmes.programmes, name="programmes")
app.add_typer(giftcards.giftcards, name="giftcards")
app.command()(status.status)
access.register(app)
doctor.register(app)
inputs.register(app)
reports.register(app)
tools.register(app)

ServiceOption = Annotated[str, typer.Option("--service", help=f"{one_of(JOURNALED)}.")]

_LETTER_ID = "topic/partition/offset, as `fealty dead-letters list` shows it, like points.commands/3/1207."


@app.callback(invoke_without_command=True)
def fealty(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=status.show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Fealty, a self-hosted loyalty platform. Its settings are environment variables (FEALTY_…)."""
    quiet_logs()
    if context.invoked_subcommand is None:
        say(context.get_help())


@app.command()
def run(service: Annotated[str, typer.Argument(help=f"{one_of(SERVICES)}.")], root: Root = ROOT) -> None:
    """Run one process of a service until it is stopped by a signal.

    Example: fealty run points
    """
    from cli.commands import run as command

    with one_line():
        command.run(service, settings_at(root))


@app.command()
def topics(form: FormOption = Form.TABLE, root: Root = ROOT) -> None:
    """Create missing topics, and list all.

    Example: fealty topics -o json
    """
    from cli.commands import topics as command

    with one_line():
        execute(command.topics(settings_at(root), form))


@app.command()
def verify(
    service: ServiceOption = "points",
    topics: Annotated[
        bool, typer.Option("--topics", help="Also compare the published records with the journal.")
    ] = False,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Recompute every state from the journal, and compare. Exit status 1: a difference, 2: could not be checked.

    For points it also checks that each transaction with vouchers had the same outcome in both services.

    Example: fealty verify --service voucher --topics
    """
    from cli.commands import verify as command

    with one_line(code=2):
        parts: list[command.Part] = []

        def done(part: command.Part) -> None:
            parts.append(part)
            if form is Form.TABLE:
                command.show(part)

        done(command.of_streams(execute(command.verify_with_progress(service, settings_at(root)), code=2, waits="")))
        if service == "points":
            both = execute(command.verify_transactions_with_progress(settings_at(root)), code=2, waits="")
            done(command.of_transactions(both))
        if topics:
            done(command.of_topics(execute(command.verify_topics(service, settings_at(root)), code=2, waits="")))
        if form is Form.JSON:
            command.show_json(parts)
        if off := [part.failure for part in parts if not part.ok]:
            raise Failure("; ".join(off), code=1)


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo", help="Declare the demo's programmes, and run the demo.")] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the demo; the exit status says whether it worked.")
    ] = False,
    root: Root = ROOT,
) -> None:
    """Start the broker, the database and all services on this machine, and serve until Ctrl-C.

    Example: fealty up --demo
    """
    from cli.commands import up as command

    with one_line():
        raise typer.Exit(execute(command.up(root, demo=demo, once=once), waits=""))


@letters.command("list")
def list_letters(
    service: ServiceOption = "points",
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="LETTERS", help="How many dead letters to list, the newest first.")
    ] = 50,
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """List dead letters, the newest first.

    Example: fealty dead-letters list --service points --limit 20
    """
    from cli.commands import dead_letters as command

    with one_line():
        execute(command.list_letters(service, settings_at(root), limit, form))


@letters.command("show")
def show_letter(
    letter: Annotated[str, typer.Argument(metavar="ID", help=_LETTER_ID)],
    service: ServiceOption = "points",
    form: FormOption = Form.TABLE,
    root: Root = ROOT,
) -> None:
    """Show one dead letter: its headers, the reason, and its value as text or in hexadecimal.

    Example: fealty dead-letters show points.commands/3/1207
    """
    from cli.commands import dead_letters as command

    with one_line():
        execute(command.show_letter(service, settings_at(root), letter, form))


@letters.command("remove")
def remove_letters(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help=_LETTER_ID)],
    service: ServiceOption = "points",
    root: Root = ROOT,
) -> None:
    """Remove dead letters permanently, whether they were replayed or not.

    Example: fealty dead-letters remove points.commands/3/1207
    """
    from cli.commands import dead_letters as command

    with one_line():
        execute(command.remove(service, settings_at(root), ids))


@letters.command("replay")
def replay_letters(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help=_LETTER_ID)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Replay all that were not replayed before.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also replay those that were replayed before.")] = False,
    service: ServiceOption = "points",
    root: Root = ROOT,
) -> None:
    """Publish dead letters again, unchanged, in the order of their offsets.

    Example: fealty dead-letters replay points.commands/3/1207
    """
    from cli.commands import dead_letters as command

    with one_line():
        if bool(ids) == everything:
            raise Failure("give the ids of the dead letters to replay, or --all")
        execute(command.replay(service, settings_at(root), ids or None, again=again))


def main() -> None:
    """The console script: one line for a wrong command line too."""
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        complain(error.format_message())
        code = error.exit_code
    except typer.Abort:
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
