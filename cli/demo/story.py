"""The demo's small story of an order: placed, delivered in part, some of it sent back, the rest cancelled."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cli.demo.files import contents
from schemas.envelope import Envelope
from shared.ids import new_id
from shared.runtime.kafka import Record, partition_of
from shared.settings import Settings

SOURCE = "/demo"


@dataclass(frozen=True, slots=True)
class Chapter:
    """One record: its file, its topic and type, what of its body is another, and the changes that it shall cause."""

    what: str
    file: str
    topic: str
    type: str
    changes: Sequence[str]
    body: dict[str, Any]

    def record(self, settings: Settings, account_number: str, order: str) -> tuple[Record, str]:
        """The record on its topic, for this account and order, and its event id.

        :raises Failure: the file is not there.
        """
        body = {**json.loads(contents(self.file)), **self.body}
        body |= {"order": order, "accountNumber": account_number}
        envelope = Envelope(id=new_id(), type=self.type, source=SOURCE, subject=order)
        topic, place = settings.topic(self.topic), partition_of(order, settings.partitions)
        return Record(topic, place, order.encode(), json.dumps(body).encode(), envelope.headers()), envelope.id


STORY = (
    Chapter(
        "order placed, 140 EUR of it earn",
        "order_placed.json",
        "webshop.orders",
        "order.placed.v1",
        ["4 pend +0 = 0, pending +140 = 140"],
        {"loyaltyPrograms": None},
    ),
    Chapter(
        "its first line fulfilled",
        "order_fulfilled.json",
        "oms.fulfilments",
        "order.fulfilled.v1",
        ["5 activate +87 = 87, pending -87 = 53"],
        {"lines": [{"line": "1", "quantity": 2}]},
    ),
    Chapter(
        "half of that returned",
        "order_returned.json",
        "oms.fulfilments",
        "order.returned.v1",
        ["6 revoke -43 = 44"],
        {},
    ),
    Chapter(
        "the rest cancelled",
        "order_cancelled.json",
        "oms.fulfilments",
        "order.cancelled.v1",
        ["7 activate +1 = 45, pending -1 = 52", "8 drop +0 = 45, pending -52 = 0"],
        {},
    ),
)
REVERSED = ["9 give_back +300 = 1500", "10 revoke -500 = 1000"]
"""What reversing the till's load of 500 and redemption of 300 changes."""
