"""The demo's customer before and after, side by side, from two answers of Get Customer."""

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

from cli.commands.console import table

_NOTHING = "-"


class Row(NamedTuple):
    """One thing of a customer, as it was and as it is; rows of a `kind` stand together."""

    kind: str
    what: str
    before: str
    after: str


def rows(before: Any, after: Any, redeemed: Collection[str]) -> Iterator[Row]:
    """Level, balances, what the programmes sell, and vouchers: all that either answer has, in its order.

    Get shows vouchers that can be used; of those that it shows no more, `redeemed` has the serials of the redeemed.
    """
    yield Row("level", "", before["customerLevel"] or _NOTHING, after["customerLevel"] or _NOTHING)
    used = {_named(each): "redeemed" for each in before["vouchers"] if each["id"] in redeemed}
    for kind, was, is_ in (
        ("balance", _balances(before), _balances(after)),
        ("on offer", _offers(before), _offers(after)),
        ("voucher", _vouchers(before), used | _vouchers(after)),
    ):
        for what in was | is_:
            yield Row(kind, what, was.get(what, _NOTHING), is_.get(what, _NOTHING))


def compared(before: Any, after: Any, redeemed: Collection[str]) -> Table:
    """The rows as a table; what is another after is marked."""
    info = after["customerInfo"]
    title = f"{info['firstName']} {info['lastName']}, card {after['cardNumber']}, before and after"
    shown = table("", "", "before", "after", title=title)
    for _, group in groupby(rows(before, after, redeemed), lambda row: row.kind):
        shown.add_section()
        for row in group:
            style = "" if row.before == row.after else "bold green"
            shown.add_row(row.kind, row.what, row.before, Text(row.after, style=style))
    return shown


def _balances(customer: Any) -> dict[str, str]:
    found = {}
    for each in customer["balances"]:
        most = each["issueImmediateThreshold"]
        of = "" if most is None else f" of {_number(most)}"
        found[f"{each['description']} ({each['loyaltyProgramId']})"] = f"{_number(each['pointsBalance'])}{of}"
    return found


def _offers(customer: Any) -> dict[str, str]:
    """What each programme sells, and whether there are points enough for it."""
    found = {}
    for each in customer["balances"]:
        for offer in each["purchases"]:
            missing = offer["threshold"] - each["pointsBalance"]
            told = f"{_number(missing)} points short" if missing > 0 else "can be bought"
            found[f"{_title(offer)}, for {_number(offer['threshold'])} points ({offer['code']})"] = told
    return found


def _vouchers(customer: Any) -> dict[str, str]:
    return {_named(each): f"usable {_until(each['validUntil'])}" for each in customer["vouchers"]}


def _named(voucher: Any) -> str:
    return f"{_title(voucher)} ({voucher['id']})"


def _title(texts: Any) -> str:
    return str(next(each["description"] for each in texts["titles"] if each["isDefault"]))


def _number(value: float) -> str:
    """As people write it: whole ones without a point, which JSON leaves to the sender."""
    return f"{int(value) if value == int(value) else value:,}"


def _until(end: str | None) -> str:
    return "for ever" if end is None else f"until {end[:16].replace('T', ' ')} UTC"
