"""Pointers of refusals by services name members of the request body, not of the command."""

from typing import Any

import orjson
import pytest

from schemas.customers import UpdateCustomer
from schemas.replies import Reply, Status
from schemas.transaction import Transaction
from services.edge.bus import commands as bus
from services.edge.families.v1.models.customers import NewCard
from services.edge.families.v1.models.vouchers import VoucherIssue, VoucherVoid
from services.edge.http.pointers import SentBody
from shared.hashing import to_json
from tests.http.conftest import Offline
from tests.http.test_bodies import post, problem

TRANSACTION = {"loyaltyPrograms": [{"loyaltyPointDefinitionId": "P", "loads": [{"value": 1}]}]}
REPLACING = {"cardNumber": "replaces", "newNumber": "cardNumber"}


@pytest.mark.parametrize(
    ("body", "command_pointer", "expected"),
    [
        (SentBody({"replaces": "a"}, NewCard, REPLACING), "/cardNumber", "/replaces"),
        (SentBody({"replaces": "a", "cardNumber": "b"}, NewCard, REPLACING), "/newNumber", "/cardNumber"),
        (SentBody({"replaces": "a"}, NewCard, REPLACING), "/newNumber", "/cardNumber"),
        (SentBody({"voucherId": "V"}, VoucherIssue, {"account": "accountNumber"}), "/account", "/accountNumber"),
        (SentBody({"voucherId": "V"}, VoucherIssue, {"account": "accountNumber"}), "/expiresAt", "/expiresAt"),
        (SentBody({"reason": "x"}, VoucherVoid), "/serialId", None),
        (SentBody(TRANSACTION, Transaction), "/loyaltyPrograms/0/loads/0", "/loyaltyPrograms/0/loads/0"),
        (SentBody(TRANSACTION, Transaction), "/loyaltyPrograms/0/loads/7/value", "/loyaltyPrograms/0/loads"),
        (SentBody(TRANSACTION, Transaction), "/accountNumber", None),
        (SentBody({"customerInfo": {"mobile": "1"}}, UpdateCustomer), "/customerInfo/mobile", "/customerInfo/mobile"),
    ],
)
def test_pointers_into_commands_are_translated_to_the_body(
    body: SentBody, command_pointer: str, expected: str | None
) -> None:
    assert body.pointer(command_pointer) == expected


async def test_routes_pass_their_body_for_pointers(offline: Offline) -> None:
    calls: dict[str, dict[str, Any]] = {
        "/v1/customers/c/cards": {"replaces": "a"},
        "/v1/vouchers": {"voucherId": "V", "reason": "x"},
        "/v1/vouchers/S/void": {"reason": "x"},
        "/v1/accounts/A/adjustments": {"programme": "P", "value": 1, "reason": "x"},
        "/v1/accounts/A/replacements": {"newNumber": "B"},
        "/api/v1.0/LoyaltyVault/Account/A/Transaction": TRANSACTION,
        "/api/v1.0/Switch/Crm/Customer/Create": {"customerInfo": {}},
    }
    for path, body in calls.items():
        assert (await offline.client.post(path, json=body)).status_code == 200, path
    sent = [
        None if command.body is None else orjson.loads(to_json(command.body.document)) for command in offline.commands
    ]
    assert sent == [*calls.values()]


@pytest.mark.parametrize("gender", ['"Elf"', "5", "{}"])
async def test_pointers_leave_out_the_branches_of_unions(offline: Offline, gender: str) -> None:
    body = f'{{"customerInfo":{{"gender":{gender}}}}}'.encode()
    document = problem(await post(offline, body, "/api/v1.0/Switch/Crm/Customer/Create"))
    assert {fault["pointer"] for fault in document["errors"]} == {"/customerInfo/gender"}


def test_polled_refusals_point_into_the_command() -> None:
    found = bus.problem_of(Reply(command_id="c", status=Status.REJECTED, code="card_unknown", pointer="/cardNumber"))
    assert found is not None
    assert found.pointer == "/cardNumber", "the pointer is that of the command"
