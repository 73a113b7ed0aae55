"""`oms.fulfilments` and `webshop.orders` as commands: the demo's examples, and what can never work (protocol P3)."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.commands import declarations
from schemas.envelope import Envelope
from schemas.points import COMMANDS, PostTransaction
from schemas.waiting_inputs import AccountNumbersApplied
from services.points.reactions import react_to_fulfilments as react
from services.points.reactions import react_to_orders
from shared.errors import Poison
from shared.ids import account_id, derived_id, input_command_id
from shared.reactions import ReactionContext, Translated
from tests.unit.points.world import LOY, T0, Given, applied, applied_tiers, given, lot

EXAMPLE = Path(__file__, "../../../data/oms_fulfilment.json").resolve().read_bytes()
DEMO = Path(__file__, "../../../../demo").resolve()
CONTEXT = ReactionContext("main", b"secret")
ENVELOPE = Envelope(id="f-1", type="loyalty.transaction.v1", source="/oms", subject="6299")


def test_the_documents_example_becomes_a_transaction() -> None:
    [command] = react(ENVELOPE, EXAMPLE, CONTEXT)
    assert command.id == input_command_id("/oms", "f-1")
    assert (command.type, command.store) == ("points.post_transaction.v1", "main")
    assert command.subject == account_id("main", "6299")
    assert (command.correlation_id, command.causation_id) == ("f-1", "f-1")
    assert orjson.loads(command.value) == {
        "accountNumber": "6299",
        "fromInput": True,
        "loyaltyPrograms": [{"loyaltyPointDefinitionId": "LOY22-BuyVouchers", "loads": [{"value": 1000}]}],
        "context": {"shopId": "Webshop", "comment": "Order 12345 fulfilled"},
    }
    assert PostTransaction.model_validate_json(command.value).loyalty_programs[0].loads[0].value == 1000


def test_the_command_is_one_that_the_service_takes() -> None:
    raw = EXAMPLE.replace(b"LOY22-BuyVouchers", b"LOY")
    [command] = react(ENVELOPE, raw, CONTEXT)
    known = AccountNumbersApplied(patterns=("[0-9]+",), version=1, booked_at=T0)
    when = given(LOY, known).when(PostTransaction.model_validate_json(command.value), command_id=command.id)
    assert when.balances() == {"LOY": 1000}
    assert when.account.balances["LOY"].lots[0].amount == lot(1, 1000).amount
    assert when.account.booked_at == T0


def test_a_repeat_is_the_same_command_and_another_body_has_another_hash() -> None:
    [first] = react(ENVELOPE, EXAMPLE, CONTEXT)
    assert react(ENVELOPE, EXAMPLE.replace(b"    ", b""), CONTEXT) == [first]
    [other] = react(ENVELOPE, EXAMPLE.replace(b"1000", b"1001"), CONTEXT)
    assert other.id == first.id
    assert other.request_hash != first.request_hash
    [known] = react(ENVELOPE._replace(correlation_id="c", store="main"), EXAMPLE, CONTEXT)
    assert known.correlation_id == "c"


def test_times_and_decimals_arrive_as_the_model_reads_them() -> None:
    body = b"""{"loyaltyPrograms": [{"loyaltyPointDefinitionId": "P", "loads": [
        {"value": 10.10, "balanceExpiresAt": "2027-01-01T00:00:00.1239+01:00"}]}]}"""
    [command] = react(ENVELOPE, body, CONTEXT)
    load = PostTransaction.model_validate_json(command.value).loyalty_programs[0].loads[0]
    assert b'"value":10.1,' in command.value
    assert load.balance_expires_at is not None
    assert load.balance_expires_at.isoformat() == "2026-12-31T23:00:00.123000+00:00"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "malformed_json"),
        (b"\xff", "malformed_json"),
        ("{}".encode("utf-16"), "malformed_json"),
        ("{}".encode("utf-32-le"), "malformed_json"),
        (b'{"context": NaN}', "malformed_json"),
        (b"[]", "not_an_object"),
        (b'{"context": {}, "Context": {}}', "duplicate_key"),
        (b'{"context": {"shopId": "1", "Shopld": "2"}}', "duplicate_key"),
        (b'{"unknown": 1}', "validation_failed"),
        (b'{"accountNumber": "1"}', "validation_failed"),
        (b'{"loyaltyPrograms": [{"loyaltyPointDefinitionId": "P", "loads": [{"value": "10"}]}]}', "validation_failed"),
    ],
)
def test_what_can_never_work(raw: bytes, reason: str) -> None:
    with pytest.raises(Poison) as poison:
        react(ENVELOPE, raw, CONTEXT)
    assert poison.value.reason == reason


@pytest.mark.parametrize(
    "load",
    [
        b'{"value": 1e-999999}',
        b'{"value": 1.00000000000000000000000000000000001}',
        b'{"value": 1e999999}',
        b'{"value": 1, "balanceExpiresAt": "9999-12-31T23:59:59-05:00"}',
    ],
)
def test_numbers_and_times_beyond_reason_can_never_work(load: bytes) -> None:
    body = b'{"loyaltyPrograms": [{"loyaltyPointDefinitionId": "P", "loads": [' + load + b"]}]}"
    with pytest.raises(Poison) as poison:
        react(ENVELOPE, body, CONTEXT)
    assert poison.value.reason == "validation_failed"


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (ENVELOPE._replace(type="order.lost.v1"), "unknown_type"),
        (ENVELOPE._replace(subject="x" * 65), "validation_failed"),
        (ENVELOPE._replace(store="other"), "unknown_store"),
        *((ENVELOPE._replace(subject=number), "validation_failed") for number in ("A ", "A/B", "A\x1b", "A\u200b")),
    ],
)
def test_envelopes_that_can_never_work(envelope: Envelope, reason: str) -> None:
    with pytest.raises(Poison) as poison:
        react(envelope, EXAMPLE, CONTEXT)
    assert poison.value.reason == reason


def test_what_is_told_of_a_wrong_body_does_not_quote_it() -> None:
    with pytest.raises(Poison) as poison:
        react(ENVELOPE, b'{"context": {"shopId": {"name": "Mrs Jones"}}}', CONTEXT)
    assert "/context/shopId" in str(poison.value)
    assert "Jones" not in str(poison.value)


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────

ORDER, BUYER = "W-2026-12345", "6299000000000000017"
SHOP = Envelope(id="s-1", type="order.placed.v1", source="/webshop", subject=ORDER)


def example(what: str) -> bytes:
    """The demo's record of that type."""
    return (DEMO / f"order_{what}.json").read_bytes()


def translated(what: str) -> list[Translated]:
    """The commands of the demo's record, on the topic that it belongs to."""
    envelope = SHOP._replace(id=f"s-{what}", type=f"order.{what}.v1")
    if what in ("placed", "amended"):
        return react_to_orders(envelope, example(what), CONTEXT)
    return react(envelope._replace(source="/oms"), example(what), CONTEXT)


def decided(world: Given, command: Translated) -> Given:
    """The world after a command that the service has accepted, read as the service reads it."""
    when = world.when(
        COMMANDS[command.type].model_validate_json(command.value), subject=command.subject, command_id=command.id
    )
    assert when.accepted
    return when.world


@pytest.mark.parametrize(
    ("what", "command"),
    [
        ("placed", "points.place_order.v1"),
        ("amended", "points.place_order.v1"),
        ("fulfilled", "points.fulfil_order.v1"),
        ("cancelled", "points.cancel_order.v1"),
        ("returned", "points.return_order.v1"),
    ],
)
def test_each_record_about_an_order_becomes_a_command_on_its_account(what: str, command: str) -> None:
    first = translated(what)[0]
    source = "/webshop" if what in ("placed", "amended") else "/oms"
    assert (first.type, first.id) == (command, input_command_id(source, f"s-{what}"))
    assert (first.subject, first.store, first.causation_id) == (account_id("main", BUYER), "main", f"s-{what}")
    said = orjson.loads(first.value)
    assert (said["order"], said["accountNumber"]) == (ORDER, BUYER)
    assert not {"loyaltyPrograms", "voucherRedemptions"} & set(said)


def test_what_a_placed_order_uses_is_a_transaction_beside_it() -> None:
    order, beside = translated("placed")
    assert (beside.type, beside.id) == ("points.post_transaction.v1", derived_id("beside", order.id, 1))
    assert beside.subject == order.subject
    assert orjson.loads(beside.value) == {
        "accountNumber": BUYER,
        "fromInput": True,
        "loyaltyPrograms": [{"loyaltyPointDefinitionId": "LOY22-BuyVouchers", "loads": [{"value": 50}]}],
        "context": {"receiptNr": ORDER, "shopId": "Webshop"},
    }
    assert len(translated("amended")) == 1


def test_the_demos_order_from_its_placing_to_its_return() -> None:
    declared = declarations.read([str(DEMO / "programmes.yaml")]).declarations
    numbers = AccountNumbersApplied(patterns=declared.account_numbers or (), version=1, booked_at=T0)
    world = given(*map(applied, declared.programmes), *map(applied_tiers, declared.tier_sets), numbers)
    seen = []
    for what in ("placed", "amended", "fulfilled", "cancelled", "returned"):
        for command in translated(what):
            world = decided(world, command)
        account = world.states[f"account/main/{account_id('main', BUYER)}"]
        balance = account.balances["LOY22-Orders"]  # type: ignore[union-attr]
        seen.append((what, balance.booked, balance.pending))
    assert seen == [
        ("placed", 0, 140),
        ("amended", 0, 200),
        ("fulfilled", 145, 55),
        ("cancelled", 146, 0),
        ("returned", 101, 0),
    ]


def test_a_repeated_order_is_the_same_commands_and_another_body_has_another_hash() -> None:
    first = translated("placed")
    assert translated("placed") == first
    raw = example("placed").replace(b"82.64", b"82.65")
    envelope = SHOP._replace(id="s-placed")
    other = react_to_orders(envelope, raw, CONTEXT)
    assert [command.id for command in other] == [command.id for command in first]
    assert other[0].request_hash != first[0].request_hash
    assert other[1].request_hash == first[1].request_hash


@pytest.mark.parametrize(
    ("what", "change", "reason"),
    [
        ("placed", {"type": "order.fulfilled.v1"}, "unknown_type"),
        ("fulfilled", {"type": "order.placed.v1"}, "unknown_type"),
        ("placed", {"subject": "W-1"}, "validation_failed"),
        ("returned", {"subject": "W-1"}, "validation_failed"),
        ("placed", {"store": "other"}, "unknown_store"),
        ("amended", {"type": "order.placed.v1"}, None),
        ("placed", {"type": "order.amended.v1"}, "validation_failed"),
    ],
)
def test_envelopes_of_orders_that_can_never_work(what: str, change: dict[str, Any], reason: str | None) -> None:
    envelope = SHOP._replace(type=f"order.{what}.v1")._replace(**change)
    reaction = react_to_orders if what in ("placed", "amended") else react
    if reason is None:
        assert reaction(envelope, example(what), CONTEXT)
        return
    with pytest.raises(Poison) as poison:
        reaction(envelope, example(what), CONTEXT)
    assert poison.value.reason == reason


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("placed", b'"currency": "EUR"', b'"currency": "euro"'),
        ("placed", b'"line": "2"', b'"line": "1"'),
        ("placed", b'"discount": 15', b'"discount": 75.01'),
        ("amended", b'"revision": 2', b'"revision": 1'),
        ("fulfilled", b'"fact": "shipment-1",', b""),
        ("fulfilled", b'"fact"', b'"amount": 5, "fact"'),
        ("returned", b'"quantity": 1', b'"quantity": 0'),
        ("cancelled", b'"fact"', b'"colour": "red", "fact"'),
    ],
)
def test_bodies_of_orders_that_can_never_work(what: str, old: bytes, new: bytes) -> None:
    raw = example(what)
    assert raw.count(old) == 1
    reaction = react_to_orders if what in ("placed", "amended") else react
    with pytest.raises(Poison) as poison:
        reaction(SHOP._replace(type=f"order.{what}.v1"), raw.replace(old, new), CONTEXT)
    assert poison.value.reason == "validation_failed"


@pytest.mark.parametrize("revision", ['"2"', "true", "1.5"])
def test_a_revision_is_a_number(revision: str) -> None:
    placed = orjson.loads(example("placed"))
    raw = orjson.dumps({**placed, "revision": orjson.loads(revision)})
    with pytest.raises(Poison) as poison:
        react_to_orders(SHOP, raw, CONTEXT)
    assert "/revision" in str(poison.value)
