"""Many accounts out of a few: documents that a real worker wrote, copied to other accounts, all else as it was."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

from bench.templates import Document
from schemas.base import format_instant
from shared.ids import account_id
from shared.runtime.kafka import partition_of


@dataclass(frozen=True, slots=True)
class Place:
    """An account that documents are copied to."""

    account: str
    number: str
    partition: int

    @property
    def stream(self) -> str:
        """The account's stream."""
        return f"account/default/{self.account}"


def place_of(number: str, partitions: int) -> Place:
    """The account that is opened under `number`."""
    account = account_id("default", number)
    return Place(account, number, partition_of(account, partitions))


def new_command_id(random: Random) -> str:
    """An id as derived ones are: spread evenly."""
    return str(UUID(int=random.getrandbits(128), version=5))


def entry_at(entry: Document, place: Place, command_id: str) -> Document:
    """A journal entry that wrote one account, as if the command had been another account's."""
    (write,) = entry["writes"]
    return {
        **entry,
        "_id": command_id,
        "subject": place.account,
        "correlation": command_id,
        "causation": command_id,
        "partition": place.partition,
        "result": {**entry["result"], "transactionId": command_id},
        "events": [_event_at(event["data"], place, command_id) for event in entry["events"]],
        "writes": [f"{place.stream}#{write.rpartition('#')[2]}"],
    }


def _event_at(data: Document, place: Place, command_id: str) -> Document:
    copied = {**data, "account": place.account, "accountNumber": place.number}
    if "transactionId" in data:
        copied["transactionId"] = command_id
    return {"stream": place.stream, "data": copied}


def snapshot_at(snapshot: Document, place: Place) -> Document:
    """An account's snapshot, as if it were another's."""
    state = {**snapshot["state"], "number": place.number}
    return {**snapshot, "_id": place.stream, "partition": place.partition, "state": state}


def dated(entry: Document, booked_at: datetime, expires_at: datetime) -> Document:
    """An entry that was booked at another time, and whose lots expire at another."""
    booked = format_instant(booked_at)
    events = []
    for event in entry["events"]:
        data = {**event["data"], "bookedAt": booked}
        if "lots" in data:
            data["occurredAt"] = booked
            data["lots"] = [{**lot, "expiresAt": format_instant(expires_at)} for lot in data["lots"]]
        events.append({**event, "data": data})
    return {**entry, "at": booked_at, "events": events}
