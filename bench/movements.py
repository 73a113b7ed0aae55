"""The work to be done: a deterministic list of loads and redemptions, ready to be published.

One movement in five is a redemption, and its account can pay it. Both sides of a comparison get the same bytes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import orjson
import yaml

from bench import mixed
from schemas.envelope import Envelope
from shared.hashing import request_hash
from shared.ids import account_id, derived_id
from shared.runtime.kafka import partition_of

PROGRAMME = "LOY22-BuyVouchers"
DEMO = Path(__file__).parent.parent / "demo" / "programmes.yaml"

_REDEMPTION_EVERY = 5
_TRIES_MAX = 100


@dataclass(frozen=True, slots=True)
class Message:
    """One record for `points.commands`."""

    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Load:
    """How many movements over how many accounts; `skew` 0 is uniform, 1 is Zipf's law; `mixed` has orders among them.

    Of a mixed load, `movements` are commands: an order's fulfilment moves points, and so does placing it.
    """

    movements: int
    accounts: int
    skew: float = 0.0
    seed: int = 2022
    mixed: bool = False


def messages(load: Load, partitions: int) -> Iterator[Message]:
    """The commands of `load`, in the order in which they are to be decided per account."""
    random = Random(load.seed)
    weights = list(accumulate(1 / rank**load.skew for rank in range(1, load.accounts + 1)))
    if load.mixed:
        for envelope, body in mixed.commands(load.movements, load.accounts, weights, random):
            yield record(envelope, body, partitions)
        return
    population = range(load.accounts)
    balances = [0] * load.accounts
    for number in range(load.movements):
        amount = 0
        account = random.choices(population, cum_weights=weights)[0]
        if number % _REDEMPTION_EVERY == _REDEMPTION_EVERY - 1:
            for _ in range(_TRIES_MAX):
                if balances[account]:
                    amount = -random.randint(1, balances[account])
                    break
                account = random.choices(population, cum_weights=weights)[0]
        if not amount:
            amount = random.randint(100, 999)
        balances[account] += amount
        yield _message(random, number, account, amount, partitions)


def declarations(partitions: int) -> Iterator[Message]:
    """The demo's programmes."""
    for number, programme in enumerate(yaml.safe_load(DEMO.read_bytes())["programmes"]):
        command_id = str(UUID(int=number + 1, version=4))
        envelope = Envelope(id=command_id, type="points.put_programme.v1", source="/bench", subject=programme["id"])
        yield record(envelope, {"programme": programme}, partitions)


def definitions(partitions: int) -> Iterator[Message]:
    """The demo's vouchers, for `voucher.commands`."""
    for definition in yaml.safe_load(DEMO.read_bytes())["vouchers"]:
        code = definition["code"]
        envelope = Envelope(
            id=derived_id("bench", code), type="voucher.put_definition.v1", source="/bench", subject=code
        )
        yield record(envelope, {"definition": definition}, partitions)


def _message(random: Random, number: int, account: int, amount: int, partitions: int) -> Message:
    """A movement with the headers that a reaction to a fulfilment gives it."""
    command_id = str(UUID(int=random.getrandbits(128), version=5))  # as derived ids are: spread evenly
    account_number = f"6299{account:015d}"
    part: dict[str, Any] = {"loyaltyPointDefinitionId": PROGRAMME}
    if amount > 0:
        part["loads"] = [{"value": amount}]
    else:
        part["redemptions"] = [{"value": -amount}]
    body = {
        "accountNumber": account_number,
        "loyaltyPrograms": [part],
        "context": {"receiptNr": f"R-{number:09d}", "shopId": "Webshop", "posId": "T-01"},
    }
    subject = account_id("default", account_number)
    envelope = Envelope(
        id=command_id,
        type="points.post_transaction.v1",
        source="/points/reactions",
        subject=subject,
        store="default",
        correlation_id=command_id,
        causation_id=command_id,
        request_hash=request_hash(b"bench", command_id),
    )
    return record(envelope, body, partitions)


def record(envelope: Envelope, body: Mapping[str, Any], partitions: int) -> Message:
    """A command as a record, in its subject's partition."""
    partition = partition_of(envelope.subject, partitions)
    return Message(partition, envelope.subject.encode(), orjson.dumps(body), envelope.headers())
