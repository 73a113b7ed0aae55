"""Customers for tests on real servers: their commands, and what must hold of all of them together."""

from collections import Counter
from typing import Any

from services.customer.main import service
from services.customer.state import Claim, Customer
from shared.ids import new_id
from tests.harness import Command, Installation

STREAMS = {"_id": {"$not": {"$regex": "^fence/"}}}


def create(card: str | None = None, who: str | None = None, **info: Any) -> Command:
    """A new customer; `info` has fields of `customerInfo`, as the wire spells them."""
    body: dict[str, Any] = {"customerInfo": info} | ({} if card is None else {"cardNumber": card})
    return Command("customer.create.v1", who or new_id(), body)


def update(who: str, **info: Any) -> Command:
    return Command("customer.update.v1", who, {"customerInfo": info})


def anonymise(who: str) -> Command:
    return Command("customer.anonymise.v1", who, {})


async def entries(installation: Installation, commands: list[Command]) -> list[dict[str, Any]]:
    """The journal's entries of these commands, in their order; each has one."""
    ids = [command.id for command in commands]
    found = {each["_id"]: each async for each in installation.collection("customer", "journal").find()}
    assert not set(ids) - set(found), "a command has no outcome"
    return [found[each] for each in ids]


async def drained(installation: Installation) -> None:
    """Wait until everything is done, releases too."""
    for _ in range(2):  # A command that is done may have put its follow-ups behind.
        await installation.drained(group="customer", topic="customer.commands")


async def check(installation: Installation) -> dict[str, list[str]]:
    """Whoever has a value owns its claim, and nobody else has it; who has which claims."""
    decider = service(installation.settings).decider
    claims: dict[str, str | None] = {}
    had: Counter[str] = Counter()
    people: dict[str, list[str]] = {}
    async for stored in installation.collection("customer", "snapshots").find(STREAMS):
        state = decider.load_state(stored["_id"], stored["state"])
        if isinstance(state, Claim):
            claims[state.name] = state.owner
            continue
        assert isinstance(state, Customer)
        people[state.customer] = [f"{kind}/{key}" for kind, key in state.claims.items()]
        had.update(people[state.customer])
    assert max(had.values(), default=1) == 1, "two have the same"
    for who, names in people.items():
        assert {claims[name] for name in names} <= {who}
    left = {name for name, owner in claims.items() if owner is not None and not name.startswith("card/")}
    assert left == set(had), "what was given up is free"
    return people
