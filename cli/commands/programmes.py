"""`fealty programmes`: the rules as they are declared now, and what a file would change."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from cli.commands.console import Failure
from cli.commands.output import Form, Sheet, print_json, printable, say, show
from cli.commands.stores import journal_of
from cli.ledger import ledger
from cli.points import order_numbers_of, programme_of
from schemas.declarations import Declarations
from schemas.order_numbers import UniquePer
from schemas.programme import Programme
from services.points.streams import catalogue_stream, programme_stream
from shared.settings import Settings

_ABSENT = "-"


async def declared(settings: Settings) -> dict[str, tuple[int, Programme]]:
    """The store's programmes, by id, each with its version.

    :raises Unavailable: the database is away.
    """
    found: dict[str, tuple[int, Programme]] = {}
    async with journal_of("points", settings) as journal, ledger(journal) as books:
        async for stream, stored in books.streams(programme_stream(settings.store, "")):
            programme = programme_of(stream, stored)
            if programme is not None:
                found[programme.id] = (stored.version, programme)
    return found


async def list_programmes(settings: Settings, form: Form) -> None:
    """Print the programmes that are declared, by id."""
    found = await declared(settings)
    sheet = Sheet(
        ("id", "state", "version", "unit", "scale", "earns from"),
        documents=[{"version": version, **document_of(each)} for version, each in found.values()],
    )
    for version, each in found.values():
        sheet.add(each.id, each.state.value, version, each.unit, each.scale, each.earn_from)
    if await _order_numbers(settings) == "shop":
        sheet.title = "order numbers are unique per shop"
    show(sheet, form, "no programmes: declare some with `fealty apply -f FILE`")


async def show_programme(id_: str, settings: Settings, form: Form) -> None:
    """Print one programme as a file for `fealty apply` declares it.

    :raises Failure: none has this id.
    """
    found = await declared(settings)
    if id_ not in found:
        raise Failure(f"unknown programme {id_!r}; declared are: {', '.join(found) or 'none'}")
    document = document_of(found[id_][1])
    if form is Form.JSON:
        print_json({"version": found[id_][0], **document})
    else:
        written = yaml.safe_dump({"programmes": [document]}, sort_keys=False, allow_unicode=True)
        if written != printable(written):
            written = yaml.safe_dump({"programmes": [document]}, sort_keys=False)
        say(written.rstrip("\n"))


async def diff(declarations: Declarations, settings: Settings, form: Form) -> int:
    """Print what the programmes and order numbers of files would change; how many members would be another."""
    found = await declared(settings)
    sheet = Sheet(("programme", "member", "now", "in the files"))
    for programme in declarations.programmes:
        if programme.id not in found:
            sheet.add(programme.id, "", _ABSENT, "new")
            continue
        now, then = (dict(_members(document_of(each))) for each in (found[programme.id][1], programme))
        for member in sorted(now.keys() | then.keys()):
            if now.get(member) != then.get(member):
                sheet.add(programme.id, member, _told(now, member), _told(then, member))
    numbers = declarations.order_numbers
    if numbers is not None and numbers.unique_per != (present := await _order_numbers(settings)):
        sheet.add(_ABSENT, "/orderNumbers/uniquePer", present, numbers.unique_per)
    show(sheet, form, "nothing would change")
    return len(sheet.rows)


async def _order_numbers(settings: Settings) -> UniquePer:
    """What an order number is unique in."""
    async with journal_of("points", settings) as journal, ledger(journal) as books:
        async for stream, stored in books.streams(catalogue_stream(settings.store)):
            return order_numbers_of(stream, stored)
    return "store"


def document_of(programme: Programme) -> dict[str, Any]:
    """A programme as it would be written in a file: what is as it is by default is left out."""
    found: dict[str, Any] = programme.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return found


def _members(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf of a document, by its JSON pointer."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _members(each, f"{path}/{name}")
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _members(each, f"{path}/{at}")
    else:
        yield path, value


def _told(members: Mapping[str, Any], member: str) -> str:
    return str(members[member]) if member in members else _ABSENT
