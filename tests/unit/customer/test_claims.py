"""Random lives of several customers, decided on what several workers read at different moments: never two owners.

Streams are read one by one, while others commit; what a command wrote is committed only if every stream that it wrote
has the version that was read, and it is decided again otherwise. That is what the runtime guards, and no more:
neither that readers see one moment, nor that one customer's commands are decided one after another.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from schemas.contacts import comparable_email, comparable_phone
from schemas.customers import COMMANDS, AddCard, AnonymiseCustomer, ClaimKind, ReplaceCard
from services.customer.decider import decider
from services.customer.state import Customer, State
from shared.decider import Accepted, Command, Rejected
from tests.unit.customer.world import KEYS, STORE, T0, claim, create, update

PEOPLE = [f"01936f2e-7c00-7000-8000-00000000000{number}" for number in range(5)]
EMAILS = ["a@example.org", "A@Example.org ", "b@example.org", "c@example.org", ""]
PHONES = ["+31600000001", "0031 600000001", "+31600000002", ""]
CARDS = ["6001", "6002", "6003"]
SERVICE = decider(KEYS)


@dataclass
class Store:
    """The streams with their versions, and the release commands that are on their way."""

    random: random.Random
    streams: dict[str, tuple[int, State]] = field(default_factory=dict)
    underway: list[tuple[str, Any]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def read(self, name: str) -> tuple[int, State]:
        return self.streams.get(name) or (0, SERVICE.initial(name))

    def command(self, who: str, payload: Any) -> Iterator[None]:
        """Decide and commit; others may commit wherever it yields."""
        command = Command(f"c-{self.random.random()}", "customer.test.v1", STORE, who, payload, T0)
        names = list(SERVICE.streams(command).writes)
        while True:
            found: dict[str, tuple[int, State]] = {}
            self.random.shuffle(names)
            for name in names:
                found[name] = self.read(name)
                yield
            outcome = SERVICE.decide(command, {name: state for name, (_, state) in found.items()})
            yield
            if isinstance(outcome, Rejected):
                self.outcomes[outcome.code] += 1
                return
            assert isinstance(outcome, Accepted)
            written = {stream for stream, _ in outcome.events}
            if all(self.read(stream)[0] == found[stream][0] for stream in written):
                self.commit(outcome, found)
                return
            self.outcomes["conflict"] += 1

    def commit(self, outcome: Accepted[Any], found: dict[str, tuple[int, State]]) -> None:
        states = {name: state for name, (_, state) in found.items()}
        for stream, event in outcome.events:
            states[stream] = SERVICE.evolve(states[stream], event)
        for stream in {stream for stream, _ in outcome.events}:
            self.streams[stream] = (found[stream][0] + 1, states[stream])
        for each in outcome.follow_ups:
            if each.topic == "customer.commands":
                self.underway.append((each.subject, COMMANDS[each.type].model_validate(each.payload)))
        self.outcomes["accepted"] += 1
        self.outcomes["released"] += outcome.result.get("released", False)
        self.check()

    def had(self) -> dict[str, list[str]]:
        """Who has each value, by the claim on it."""
        found: dict[str, list[str]] = {}
        for _, state in self.streams.values():
            if isinstance(state, Customer):
                email, phone = state.profile.email_address, state.profile.mobile
                values = [(ClaimKind.CARD, card.number) for card in state.cards]
                values += [(ClaimKind.EMAIL, comparable_email(email))] if email else []
                values += [(ClaimKind.PHONE, comparable_phone(phone))] if phone else []
                for kind, value in values:
                    found.setdefault(claim(kind, value), []).append(state.customer)
        return found

    def check(self) -> None:
        """Whoever has a value owns its claim, and so has it alone."""
        for name, people in self.had().items():
            assert len(people) == 1, "two have the same"
            owner = self.read(name)[1]
            assert getattr(owner, "owner") == people[0]  # noqa: B009 - of either state


def anything(chance: random.Random) -> Any:
    """A command that somebody might send."""
    info: dict[str, Any] = {}
    if chance.random() < 0.7:
        info["email_address"] = chance.choice(EMAILS)
    if chance.random() < 0.5:
        info["mobile"] = chance.choice(PHONES)
    kind = chance.random()
    if kind < 0.25:
        return create(chance.choice([*CARDS, None]), **info)
    if kind < 0.85:
        return update(**info)
    if kind < 0.93:
        return AddCard(card_number=chance.choice(CARDS))
    if kind < 0.97:
        return ReplaceCard(new_number=chance.choice(CARDS))
    return AnonymiseCustomer()


@pytest.mark.parametrize("seed", range(40))
def test_no_interleaving_gives_a_value_to_two(seed: int) -> None:
    chance = random.Random(seed)
    store = Store(chance)
    running: list[Iterator[None]] = []
    for _ in range(3_000):
        if len(running) < 4 and chance.random() < 0.6:
            if store.underway and chance.random() < 0.5:
                running.append(store.command(*store.underway.pop(chance.randrange(len(store.underway)))))
            else:
                running.append(store.command(chance.choice(PEOPLE), anything(chance)))
        if running:
            worker = chance.choice(running)
            if next(worker, worker) is worker:
                running.remove(worker)
    for worker in running:
        list(worker)
    assert min(store.outcomes[each] for each in ("accepted", "released", "conflict")) > 0
    # When all releases have been made, exactly what somebody has is taken: whatever was given up is free.
    while store.underway:
        list(store.command(*store.underway.pop()))
    owned = {name for name, (_, state) in store.streams.items() if getattr(state, "owner", None) is not None}
    assert owned == set(store.had())
