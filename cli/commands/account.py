"""`fealty account NUMBER`: one account on one screen, for an operator.

What the service publishes of an account is shown as it comes, so that a field that is added is seen without a change
here: plain fields in one list, balances in one table, and each list within them in a table of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.commands.console import Failure, out
from cli.commands.output import Form, Sheet, print_json, show
from cli.commands.stores import journal_of
from cli.ledger import last_movements, letters_of, opened_at
from cli.points import account_view
from schemas.base import format_instant
from services.points.streams import account_stream
from shared.decider import Document
from shared.ids import account_id
from shared.money import from_minor
from shared.runtime.journal import Journal, Stored
from shared.runtime.kafka import partition_of
from shared.settings import Settings

MOVEMENTS_MAX = 20
LOTS_MAX = 20
LETTERS_MAX = 10
_FORWARDS_MAX = 8
_MOVEMENT = ("sequence", "bookedAt", "programme", "kind", "delta", "pendingDelta", "booked", "reason", "transactionId")
_AMOUNTS = frozenset({"amount", "delta", "pendingDelta", "booked", "pending", "measure"})
"""Fields of lists and movements that are amounts in the smallest unit; in a balance all whole numbers are."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What there is to show. `asked` is the number asked for, which may lead to the account from another one."""

    asked: str
    stream: str
    version: int
    partition: int
    view: Document
    opened: str
    movements: list[Document]
    letters: list[Document]


async def show_account(number: str, settings: Settings, form: Form = Form.TABLE) -> None:
    """Print the account that a number leads to.

    :raises Failure: no account has the number.
    :raises Unavailable: the database is away.
    """
    shown = await read(number, settings)
    if form is Form.JSON:
        print_json(_document(shown))
        return
    for line in lines_of(shown):
        out().print(line, soft_wrap=True)
    for part in tables_of(shown):
        show(part, form)


async def read(number: str, settings: Settings) -> Screen:
    """Read everything about an account; it is found by its number, and through any that forwards to it.

    :raises Failure: no account has the number.
    :raises Unavailable: the database is away.
    """
    async with journal_of("points", settings) as journal:
        stream, stored, view = await _find(journal, number, settings.store)
        numbers = [view["accountNumber"], *view.get("numbers", ()), number]
        opened = await opened_at(journal, stream)
        return Screen(
            asked=number,
            stream=stream,
            version=stored.version,
            partition=partition_of(view["account"], settings.partitions),
            view=view,
            opened="" if opened is None else format_instant(opened),
            movements=await last_movements(journal, stream, stored.version, MOVEMENTS_MAX),
            letters=await letters_of(journal, [view["account"], *numbers], LETTERS_MAX),
        )


def _document(screen: Screen) -> Document:
    """All of it as JSON, amounts in the smallest unit, as the service publishes them."""
    letters = [{"id": each["_id"], "at": each["at"], "reason": each["reason"]} for each in screen.letters]
    about = {"version": screen.version, "opened": screen.opened, "partition": screen.partition}
    return {**screen.view, **about, "movements": screen.movements, "deadLetters": letters}


def lines_of(screen: Screen) -> Iterator[str]:
    """The account's plain fields, a line each."""
    view = screen.view
    about = {"number": view["accountNumber"], "id": view["account"]}
    if screen.asked != view["accountNumber"]:
        about = {"asked for": screen.asked, **about}
    about |= {_words(name): value for name, value in view.items() if name not in ("account", "accountNumber")}
    about |= {"version": screen.version, "opened": screen.opened, "partition": screen.partition}
    for name, value in about.items():
        if isinstance(value, list | tuple) and not any(isinstance(each, Mapping) for each in value):
            value = ", ".join(map(str, value))
        if not isinstance(value, list | tuple | Mapping) and value not in (None, ""):
            yield f"{name:<12} {value}"


def tables_of(screen: Screen) -> Iterator[Sheet]:
    """The account's lists: its balances and what is in them, the others, its movements, its dead letters."""
    balances = screen.view["balances"]
    yield _table("balances", [_whole(balance, balance["scale"]) for balance in balances])
    for name in dict.fromkeys(name for balance in balances for name, value in balance.items() if _is_table(value)):
        rows = [
            {"programme": balance["programme"], **_whole(each, balance["scale"], _AMOUNTS)}
            for balance in balances
            for each in balance.get(name) or ()
        ]
        yield from _tables(name, rows)
    for name, value in screen.view.items():
        if name != "balances" and _is_table(value):
            yield from _tables(name, [_whole(each, each.get("scale", 0), _AMOUNTS) for each in value])
    shown = [_whole({name: each.get(name) for name in _MOVEMENT}, each["scale"], _AMOUNTS) for each in screen.movements]
    yield from _tables(f"last {MOVEMENTS_MAX} movements", shown)
    letters = [
        {"id": each["_id"], "at": format_instant(each["at"]), "reason": each["reason"], "detail": each["detail"]}
        for each in screen.letters
    ]
    yield from _tables("dead letters", letters)


async def _find(journal: Journal, number: str, store: str) -> tuple[str, Stored, Document]:
    account = account_id(store, number)
    for _ in range(_FORWARDS_MAX):
        stream = account_stream(store, account)
        stored = (await journal.load([], [stream])).streams.get(stream)
        view = None if stored is None else account_view(stream, stored)
        if stored is None or view is None:
            break
        if not view.get("forwardsTo"):
            return stream, stored, view
        account = view["forwardsTo"]
    raise Failure(f"no account has the number {number!r}")


def _tables(name: str, rows: Sequence[Document]) -> Iterator[Sheet]:
    """A table with the first rows, none without any; a row tells of those left out."""
    if not rows:
        return
    more = f" (the first {LOTS_MAX} of {len(rows)})" if len(rows) > LOTS_MAX else ""
    yield _table(f"{_words(name)}{more}", rows[:LOTS_MAX])


def _table(title: str, rows: Iterable[Document]) -> Sheet:
    """One column for each field that any row has; nested lists have tables of their own."""
    rows = list(rows)
    names = dict.fromkeys(name for row in rows for name, value in row.items() if name != "scale" and not _nested(value))
    shown = Sheet([_words(name) for name in names], title=title)
    for row in rows:
        shown.add(*(row.get(name) for name in names))
    return shown


def _whole(row: Document, scale: int, amounts: frozenset[str] | None = None) -> Document:
    """The row with its amounts (all whole numbers, unless they are named) in whole units."""
    return {
        name: from_minor(value, scale)
        if _is_number(value) and name != "scale" and (amounts is None or name in amounts)
        else value
        for name, value in row.items()
    }


def _is_number(value: Any) -> bool:
    """Large ones come from the database as a kind of `int`; a boolean is one too, and no number here."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_table(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value)


def _nested(value: Any) -> bool:
    return isinstance(value, list | tuple | Mapping)


def _words(name: str) -> str:
    """`accountExpiresAt` as `account expires at`."""
    return "".join(f" {each.lower()}" if each.isupper() else each for each in name)
