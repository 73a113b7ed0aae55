"""How commands speak: tables on standard output, and every error as one line on standard error."""

import asyncio
import logging
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from cli.commands.output import printable
from shared.embedded.errors import StackError
from shared.errors import FealtyError, Unavailable

Result = TypeVar("Result")

Say = Callable[[str], None]
"""How a command that goes on for long tells how far it is."""

_WIDTH_UNSEEN = 4_000
"""Columns for a table that goes into a file or a pipe: a row is a line there."""

_QUIET_MAX_S = 1.0

QUIETED = ("aiokafka", "faststream", "kafka", "pymongo", "asyncio")
"""Loggers of libraries, which tell what a command tells better itself."""

_ADVICE = "start one with `fealty up`, or set KAFKA_BOOTSTRAP_SERVERS and MONGODB_URL"


class Failure(Exception):
    """A command cannot do what it was asked for; the message is one line, `code` an exit status of its own."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class _Console(Console):
    """Prints texts as :func:`printable` makes them."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(printable(each) if isinstance(each, str) else each for each in objects), **options)


def out() -> Console:
    """Standard output; nothing in a text is taken for markup, or for what a terminal obeys."""
    width = None if sys.stdout.isatty() else _WIDTH_UNSEEN
    return _Console(markup=False, highlight=False, emoji=False, width=width)


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table; what does not fit is folded, never cut."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def complain(message: str) -> None:
    """One line on standard error, whatever the message holds."""
    typer.echo(f"fealty: {printable(' '.join(message.split()))}", err=True)


def told(error: ValidationError) -> Iterator[str]:
    """What is wrong with a document, a line each, beginning with its place; never quotes what was given."""
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        message = item["msg"].removeprefix("Value error, ")
        yield f"/{'/'.join(map(str, item['loc']))}: {message}"


def execute(work: Coroutine[Any, Any, Result], *, code: int = 1, waits: str = "for Kafka and MongoDB") -> Result:
    """Run a command's work to its end; its errors as :func:`one_line` tells them.

    Who looks on is told after a second what it `waits` for; nothing where the work itself shows how far it is.
    """
    with one_line(code=code):
        return asyncio.run(_telling(work, waits))


async def _telling(work: Coroutine[Any, Any, Result], waits: str) -> Result:
    told = asyncio.get_running_loop().call_later(_QUIET_MAX_S, _tell, waits) if waits else None
    try:
        return await work
    finally:
        if told is not None:
            told.cancel()


def _tell(waits: str) -> None:
    if sys.stderr.isatty():
        complain(f"waiting {waits}; press Ctrl-C to stop")


@contextmanager
def one_line(*, code: int = 1) -> Iterator[None]:
    """Turn errors into one line and the exit status `code`; a trace only where the log level asks for it."""
    try:
        yield
    except Failure as failure:
        _end(str(failure), code if failure.code is None else failure.code)
    except Unavailable as error:
        what = str(error).partition(" (configured timeouts")[0]  # The driver goes on about its whole topology.
        _end(f"no connection to a server: {what}; {_ADVICE}", code)
    except (FealtyError, StackError, OSError) as error:
        _end(str(error), code)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except (typer.Exit, typer.TyperException):
        raise
    except Exception as error:
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            traceback.print_exc()
        _end(f"internal error: {type(error).__name__}: {error}", code)


def _end(message: str, code: int) -> None:
    complain(message)
    raise typer.Exit(code) from None


def quiet_logs(level: str = "ERROR") -> None:
    """Commands speak for themselves: of the libraries, and of the runtime, only errors are heard."""
    for name in QUIETED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    *before, renderer = structlog.get_config()["processors"]
    structlog.configure(
        processors=[*before, _printable_event, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


def _printable_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: printable(value) if isinstance(value, str) else value for name, value in event.items()}
