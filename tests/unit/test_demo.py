"""The demo without servers: what it sends of the document's example and says of it, and how it compares a customer."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.commands.tail import Arrived
from cli.commands.web import Answer
from cli.demo.compared import Row, rows
from cli.demo.customer import Customer
from cli.demo.files import DEMO
from cli.demo.giftcard import GiftCard
from cli.demo.run import Run, Unexpected

DATA = Path(__file__).parents[1] / "data"
IN_PROGRAMME, OF_NONE = "6666160395443995410", "6666270046419031265"
EXAMPLE = (DATA / "webshop_transaction.json").read_bytes()


class Edge(Run):
    """Answers as an edge would: `taken` are the serials that were issued before; keeps what it is asked and told."""

    def __init__(self, *taken: str) -> None:
        self.number = "6299000000000000017"
        self.taken = {*taken}
        self.issued: dict[str, str] = {}
        self.bodies: list[bytes] = []
        self.notes: dict[str, str] = {}

    def sending(self) -> None:
        """No time is taken here."""

    async def call(self, client: str, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        if path == "/v1/vouchers":
            serial = body.get("serialId", f"drawn-{body['voucherId']}")
            if serial in self.taken:
                return Answer(409, {"code": "serial_in_use"})
            self.issued[serial] = body["voucherId"]
            return Answer(200, {"serialId": serial, "voucherId": body["voucherId"]})
        self.bodies.append(body)
        done = [{"serialId": serial, "voucherId": code} for serial, code in self.issued.items()]
        return Answer(200, {"transactionId": "t", "redeemedVouchers": done if len(self.bodies) == 1 else []})

    async def of_transaction(self, topic: str, transaction: str, count: int) -> list[Arrived]:
        return []

    def note(self, what: str, seen: str, good: bool, at_s: float | None = None) -> None:
        self.notes[what] = seen
        if not good:
            raise Unexpected


async def played(edge: Edge) -> None:
    """Issue and redeem; nothing is published here, which the demo does not expect."""
    customer = Customer(edge)
    await customer.issue()
    with pytest.raises(Unexpected):
        await customer.shop()
    assert edge.notes["published on voucher.events"] == "nothing"
    assert customer.redeemed == {*edge.issued}


@pytest.mark.parametrize("name", ["oms_fulfilment.json", "webshop_transaction.json"])
def test_the_demo_has_the_documents_own_bytes(name: str) -> None:
    assert (DEMO / name).read_bytes() == (DATA / name).read_bytes()


async def test_the_documents_serials_are_sent_byte_for_byte() -> None:
    edge = Edge()
    await played(edge)
    assert edge.issued == {IN_PROGRAMME: "VOUCHER-25", OF_NONE: "WELCOME"}
    assert edge.bodies == [EXAMPLE]
    told = f"200 redeemed VOUCHER-25 {IN_PROGRAMME}, WELCOME {OF_NONE}"
    assert edge.notes["HTTP web shop's example, byte for byte"] == told


@pytest.mark.parametrize("taken", [(IN_PROGRAMME, OF_NONE), (OF_NONE,)])
async def test_serials_that_were_issued_before_are_drawn_and_said_to_be(taken: tuple[str, ...]) -> None:
    edge = Edge(*taken)
    await played(edge)
    (sent,) = edge.bodies
    body, example = json.loads(sent), json.loads(EXAMPLE)
    serials = [body["loyaltyPrograms"][0]["voucherRedemptions"][0], body["voucherRedemptions"][0]]
    assert [each["serialId"] for each in serials] == [*edge.issued]
    assert not {*edge.issued} & {*taken}
    for now, then in zip(serials, (IN_PROGRAMME, OF_NONE), strict=True):
        now["serialId"] = then
    assert body == example
    assert "HTTP web shop's example, with random serials" in edge.notes
    assert edge.notes["HTTP voucher WELCOME issued"] == (
        f"200 drawn-WELCOME, a random serial: the document's {OF_NONE} was issued before"
    )


async def test_a_voucher_that_cannot_be_issued_ends_the_demo() -> None:
    edge = Edge(IN_PROGRAMME, "drawn-VOUCHER-25")
    with pytest.raises(Unexpected):
        await Customer(edge).issue()


def customer(points: float, *vouchers: str) -> dict[str, Any]:
    """As Get answers it."""
    titles = [
        {"description": "vijf", "isoLanguageCode": "nl", "isDefault": False},
        {"description": "five", "isoLanguageCode": "en", "isDefault": True},
    ]
    balance = {"loyaltyProgramId": "P", "description": "points", "pointsBalance": points}
    purchases = [{"code": "V", "threshold": 500.0, "titles": titles}]
    return {
        "customerLevel": "BASIC" if points else None,
        "balances": [{**balance, "issueImmediateThreshold": 2500.0, "purchases": purchases}],
        "vouchers": [{"id": each, "titles": titles, "validUntil": None} for each in vouchers],
    }


def test_a_customer_before_and_after() -> None:
    assert list(rows(customer(0, "1", "2", "3"), customer(1000.5, "3", "4"), {"1"})) == [
        Row("level", "", "-", "BASIC"),
        Row("balance", "points (P)", "0 of 2,500", "1,000.5 of 2,500"),
        Row("on offer", "five, for 500 points (V)", "500 points short", "can be bought"),
        Row("voucher", "five (1)", "usable for ever", "redeemed"),
        Row("voucher", "five (2)", "usable for ever", "-"),
        Row("voucher", "five (3)", "usable for ever", "usable for ever"),
        Row("voucher", "five (4)", "-", "usable for ever"),
    ]


async def test_a_gift_card_that_is_not_as_expected_ends_the_demo_and_its_code_is_not_shown() -> None:
    class Switch(Edge):
        async def call(self, client: str, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
            assert (client, key) == ("till", body["transactionId"])
            return Answer(200, {"cardId": "99", "currency": "EUR", "balance": 49, "scratchCode": "K7QM"})

    edge = Switch()
    with pytest.raises(Unexpected):
        await GiftCard(edge).play()
    (told,) = edge.notes.values()
    assert json.loads(told) == {"cardId": "99", "currency": "EUR", "balance": 49}
