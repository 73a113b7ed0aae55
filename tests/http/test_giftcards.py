"""The gift card document without servers: how a card is named, the default headers, and the commands that are sent."""

from typing import Any

import httpx
import orjson
import pytest

from shared.ids import mutation_id
from tests.http.cards import SWITCH, TILL
from tests.http.conftest import Offline, a_client
from tests.http.test_access import bearer
from tests.http.test_bodies import JSON, problem

CARD = {"cardId": "C-1"}
CODED = {"serialNumber": "S-1", "scratchCode": "ABCD"}
PAY: dict[str, Any] = {**CARD, "amount": 10}


async def post(offline: Offline, operation: str, body: Any, headers: Any = None) -> httpx.Response:
    """A call with headers beside those of JSON."""
    given = headers.items() if isinstance(headers, dict) else headers or []
    return await offline.client.post(
        f"{SWITCH}/{operation}", content=orjson.dumps(body), headers=[*JSON.items(), *given]
    )


async def sent(offline: Offline, operation: str, body: Any, headers: Any = None) -> Any:
    """The command that a call sends."""
    response = await post(offline, operation, body, headers)
    assert response.status_code == 200, response.text
    return offline.commands.pop()


@pytest.mark.parametrize("operation", ["GetBalance", "Activate", "Activate/Cancel", "Redeem", "Redeem/Cancel"])
@pytest.mark.parametrize("named", [{}, {**CARD, **CODED}, {"serialNumber": "S-1"}, {"scratchCode": "ABCD"}])
async def test_a_card_is_named_in_one_way(offline: Offline, operation: str, named: dict[str, str]) -> None:
    amount = {} if "Cancel" in operation or operation == "GetBalance" else {"amount": 1}
    for more in ({}, {"cardId": "C-1"}) if named == {"scratchCode": "ABCD"} else ({},):
        found = problem(await post(offline, operation, {**named, **more, **amount}))
        assert (found["status"], found["code"]) == (400, "invalid_value"), found
    assert offline.commands == []


async def test_a_code_is_in_no_command_and_in_no_problem(offline: Offline) -> None:
    for body in ({**CODED, "amount": 1}, {"cardId": "C-1", "scratchCode": "ABCD", "amount": 1}):
        response = await post(offline, "Redeem", body)
        assert response.status_code in (400, 503)
        assert "ABCD" not in response.text


@pytest.mark.parametrize("amount", [0, -1, "5", 1e13, True])
async def test_amounts_are_more_than_nothing(offline: Offline, amount: Any) -> None:
    found = problem(await post(offline, "Redeem", {**PAY, "amount": amount}))
    assert (found["status"], found["pointer"]) == (400, "/amount")


async def test_default_headers_are_the_context_of_the_command(offline: Offline) -> None:
    noted = {"operatorId": "17", "comment": "a birthday"}
    command = orjson.loads((await sent(offline, "Redeem", {**PAY, **noted}, TILL)).value)
    where = {"shopId": "12", "posId": "3", "receiptNr": "R-1001", "utcOffset": "+01:00"}
    assert command == {**PAY, "context": {**where, **noted}}
    assert orjson.loads((await sent(offline, "Redeem", PAY, {"SiteId": ""})).value) == {**PAY, "context": {}}
    site = orjson.loads((await sent(offline, "Redeem", PAY, [(b"siteid", "Köln".encode())])).value)["context"]["shopId"]
    assert site == "Köln"


@pytest.mark.parametrize("offset", ["01:00", "+14:00", "-00:30", "13:59"])
async def test_offsets_are_hours_and_minutes(offline: Offline, offset: str) -> None:
    command = orjson.loads((await sent(offline, "Redeem", PAY, {"UtcOffset": offset})).value)
    assert command["context"] == {"utcOffset": offset}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("UtcOffset", each) for each in ("1:00", "+1:00", "14:30", "24:00", "01:60", "UTC", "+-1:00", "01:00Z")),
        *((name, "x" * 65) for name in ("SiteId", "PosId", "ReceiptReference")),
        ("SiteId", b"\xff".decode("latin-1")),
    ],
)
@pytest.mark.parametrize("operation", ["GetBalance", "Redeem"])
async def test_wrong_headers_are_refused(offline: Offline, operation: str, name: str, value: str) -> None:
    body = PAY if operation == "Redeem" else CARD
    headers: Any = [(name.encode(), value.encode("latin-1"))]
    found = problem(await post(offline, operation, body, headers))
    assert (found["status"], found["code"], found["parameter"]) == (400, "invalid_parameter", name)
    assert offline.commands == []


async def test_headers_are_given_once(offline: Offline) -> None:
    found = problem(await post(offline, "Redeem", PAY, [("SiteId", "1"), ("SiteId", "2")]))
    assert (found["status"], found["parameter"]) == (400, "SiteId")


async def test_a_transaction_id_gives_the_command_its_id_and_a_cancel_names_it(offline: Offline) -> None:
    named = {**PAY, "transactionId": "T-1"}
    for operation in ("Redeem", "Activate"):
        assert (await sent(offline, operation, named)).command_id == mutation_id("default", "C-1", "T-1")
    assert (await sent(offline, "Redeem", PAY)).command_id is None
    cancel = await sent(offline, "Redeem/Cancel", {**CARD, "transactionId": "T-1", "switchId": "TREAZURE"})
    assert cancel.command_id is None
    expected = {"mutation": "redeem", "transactionId": "T-1", "switchId": "TREAZURE", "context": {}}
    assert orjson.loads(cancel.value) == {**CARD, **expected}


async def test_a_retry_of_an_issue_draws_the_same_card_for_the_same_client_only(offline: Offline) -> None:
    issue = {"cardType": "EUR-GIFT", "amount": 25}
    other = bearer(offline.token(a_client()))

    async def drawn(headers: dict[str, str] | None = None, **more: str) -> tuple[str, str]:
        command = orjson.loads((await sent(offline, "Issue", {**issue, **more}, headers)).value)
        return command["cardId"], command["serialNumber"]

    keyed = [await drawn({"Idempotency-Key": "K"}) for _ in range(2)]
    named = [await drawn(transactionId="K") for _ in range(2)]
    assert keyed[0] == keyed[1]
    assert named[0] == named[1]
    offline.client.headers.update(other)
    others = [await drawn(transactionId="K"), await drawn({"Idempotency-Key": "K"}), await drawn(), await drawn()]
    assert len({number for each in (keyed[0], named[0], *others) for number in each}) == 12
