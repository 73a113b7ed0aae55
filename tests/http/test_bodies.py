"""Invalid request bodies: each kind has its code and a pointer."""

import json
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest

from tests.http.conftest import Offline

PATH = "/api/v1.0/LoyaltyVault/Account/A-1/Transaction"
ADJUSTMENTS = "/v1/accounts/A-1/adjustments"
JSON = {"content-type": "application/json"}

OMS = b"""{
    "LoyaltyPrograms": [
        {
            "LoyaltyPointDefinitionld": "LOY22-BuyVouchers",
            "Loads": [
                {
                    "Value": 1000
                }
            ]
        }
    ],
    "Context": {
        "Shopld": "Webshop",
        "Comment": "Order 12345 fulfilled"
    }
}"""
"""The document's own example, misspelt keys included."""

VALUE = "/loyaltyPrograms/0/loads/0/value"


def load(value: str) -> bytes:
    """A body with one load, its value written as it is."""
    return f'{{"loyaltyPrograms":[{{"loyaltyPointDefinitionId":"L","loads":[{{"value":{value}}}]}}]}}'.encode()


async def post(offline: Offline, body: bytes, path: str = PATH, **headers: str) -> httpx.Response:
    """Send a body."""
    return await offline.client.post(path, content=body, headers={**JSON, **headers})


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem document of a response, checked for its form."""
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == response.status_code
    assert document["type"] == f"urn:fealty:problem:{document['code']}"
    return document


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b"", "malformed_json", None),
        (b"points", "malformed_json", None),
        (b'{"loyaltyPrograms": [', "malformed_json", None),
        (b"\xff\xff", "malformed_json", None),
        *((OMS.decode().encode(encoding), "malformed_json", None) for encoding in ("utf-16", "utf-16-le", "utf-32")),
        (load("NaN"), "malformed_json", None),
        (load("-Infinity"), "malformed_json", None),
        (b"[" * 100_000, "body_too_large", None),
        (b"[" * 15_000, "malformed_json", None),
        (b"[]", "not_an_object", None),
        (b'"x"', "not_an_object", None),
        (b"null", "not_an_object", None),
        (b'{"context":{},"context":{}}', "duplicate_key", None),
        (b'{"context":{},"CONTEXT":{}}', "duplicate_key", None),
        (b'{"points":1}', "unknown_field", "/points"),
        (b'{"loyalty_programs":[]}', "unknown_field", "/loyalty_programs"),
        (b'{"a/b~c":1}', "unknown_field", "/a~1b~0c"),
        (b'{"accountNumber":"A-2"}', "unknown_field", "/accountNumber"),
        (load('"10"'), "wrong_type", VALUE),
        (load("true"), "wrong_type", VALUE),
        (load("[1]"), "wrong_type", VALUE),
        (b'{"loyaltyPrograms":{}}', "wrong_type", "/loyaltyPrograms"),
        (b'{"loyaltyPrograms":["x"]}', "wrong_type", "/loyaltyPrograms/0"),
        (b'{"context":{"shopId":5}}', "wrong_type", "/context/shopId"),
        (b'{"context":{"occurredAt":5}}', "wrong_type", "/context/occurredAt"),
        (b'{"voucherRedemptions":[{"serialId":"1","void":"perhaps"}]}', "wrong_type", "/voucherRedemptions/0/void"),
        (load(str(2**63)), "value_out_of_range", VALUE),
        (load("1" + "0" * 5000), "value_out_of_range", VALUE),
        (load("1e13"), "value_out_of_range", VALUE),
        (load("-1e13"), "value_out_of_range", VALUE),
        (load("1e-13"), "too_many_decimals", VALUE),
        (load("1e-999999999"), "too_many_decimals", VALUE),
        (load("1e99999999999999999999"), "value_out_of_range", None),
        (b'{"context":{"receiptNr":"%s"}}' % (b"x" * 65), "value_out_of_range", "/context/receiptNr"),
        (load("null"), "missing_field", VALUE),
        (b'{"points":null}', "unknown_field", "/points"),
        (b'{"loads":null}', "unknown_field", "/loads"),
        (b'{"context":{"shopId":null,"loads":null}}', "unknown_field", "/context/loads"),
        (b'{"voucherRedemptions":[{"serialId":"1","value":null}]}', "unknown_field", "/voucherRedemptions/0/value"),
        (b'{"loyaltyPrograms":[{}]}', "missing_field", "/loyaltyPrograms/0/loyaltyPointDefinitionId"),
        (b'{"context":{"occurredAt":"yesterday"}}', "invalid_value", "/context/occurredAt"),
        (b'{"context":{"occurredAt":"2026-11-22T10:00:00"}}', "invalid_value", "/context/occurredAt"),
        (b'{"context":{"comment":"\\ud800"}}', "invalid_value", "/context/comment"),
        (b'{"\\ud800":1}', "invalid_value", ""),
    ],
)
async def test_invalid_bodies_have_a_code_and_a_pointer(
    offline: Offline, body: bytes, code: str, pointer: str | None
) -> None:
    response = await post(offline, body)
    document = problem(response)
    assert (document["code"], document.get("pointer")) == (code, pointer)
    assert response.status_code == {"body_too_large": 413, "too_many_decimals": 422}.get(code, 400)
    assert offline.commands == []


async def test_all_faults_are_listed_and_the_first_gives_the_code(offline: Offline) -> None:
    response = await post(offline, b'{"loyaltyPrograms":[{"Loads":[{}],"x":1}],"context":{"shopId":5}}')
    document = problem(response)
    assert [(fault["code"], fault["pointer"]) for fault in document["errors"]] == [
        ("missing_field", "/loyaltyPrograms/0/loyaltyPointDefinitionId"),
        ("missing_field", "/loyaltyPrograms/0/loads/0/value"),
        ("unknown_field", "/loyaltyPrograms/0/x"),
        ("wrong_type", "/context/shopId"),
    ]
    assert document["code"] == "missing_field"


async def test_faults_are_bounded(offline: Offline) -> None:
    document = problem(await post(offline, json.dumps({f"x{number}": 1 for number in range(500)}).encode()))
    assert len(document["errors"]) == 100


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/vnd.shop+json", 200),
        ("text/json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonp", 415),
        ("", 415),
    ],
)
async def test_only_json_media_types_are_accepted(offline: Offline, content_type: str, status: int) -> None:
    assert (await post(offline, OMS, **{"content-type": content_type})).status_code == status


async def test_a_body_without_content_type_is_read_as_json(offline: Offline) -> None:
    assert (await offline.client.post(PATH, content=OMS)).status_code == 200


async def test_compressed_bodies_are_refused(offline: Offline) -> None:
    assert problem(await post(offline, OMS, **{"content-encoding": "gzip"}))["code"] == "unsupported_media_type"


async def test_misspelt_and_upper_case_keys_are_accepted(offline: Offline) -> None:
    assert (await post(offline, OMS)).status_code == 200
    (command,) = offline.commands
    assert command.type == "points.post_transaction.v1"
    assert orjson.loads(command.value) == {
        "accountNumber": "A-1",
        "loyaltyPrograms": [{"loyaltyPointDefinitionId": "LOY22-BuyVouchers", "loads": [{"value": 1000}]}],
        "context": {"shopId": "Webshop", "comment": "Order 12345 fulfilled"},
    }


async def test_bodies_with_other_key_case_have_the_same_hash_parts(offline: Offline) -> None:
    for body in (OMS, OMS.upper().replace(b"WEBSHOP", b"Webshop"), OMS.swapcase()):
        response = await post(offline, body.replace(b"\n", b""))
        assert response.status_code == 200, response.text
    first, second, third = (command.request_hash_parts[2] for command in offline.commands)
    assert isinstance(first, bytes)
    assert isinstance(second, bytes)
    assert isinstance(third, bytes)
    assert first.lower() == second.lower() == third.lower()


async def test_bodies_with_equal_values_are_the_same_request(offline: Offline) -> None:
    same = [load("10"), load("10.0"), load("1e1"), b" " + load("10"), load("10").replace(b"value", b"VALUE")]
    for body in (*same, load("11")):
        await post(offline, body)
    assert len({command.request_hash_parts for command in offline.commands[:-1]}) == 1
    assert offline.commands[-1].request_hash_parts != offline.commands[0].request_hash_parts


@pytest.mark.parametrize("text", ["0.1", "12345678901.99", "1000000000000", "0.000000000001", "-0.5"])
async def test_amounts_keep_every_digit(offline: Offline, text: str) -> None:
    assert (await post(offline, load(text))).status_code == 200
    sent = json.loads(offline.commands[-1].value, parse_float=Decimal)
    assert sent["loyaltyPrograms"][0]["loads"][0]["value"] == Decimal(text)


async def test_keys_under_v1_must_match_exactly(offline: Offline) -> None:
    body = {"programme": "CASHBACK", "value": -2.5, "reason": "counted twice"}
    assert (await post(offline, orjson.dumps(body), ADJUSTMENTS)).status_code == 200
    (command,) = offline.commands
    assert command.type == "points.adjust.v1"
    assert orjson.loads(command.value) == {**body, "accountNumber": "A-1"}
    for wrong in (
        {**body, "Programme": "x"},
        {**body, "active_from": "2030-01-01T00:00:00Z"},
        {**body, "context": {"ShopId": "x"}},
        {**body, "Programme": None},
        {**body, "points": None},
        {**body, "context": {"reason": None}},
    ):
        document = problem(await post(offline, orjson.dumps(wrong), ADJUSTMENTS))
        assert document["code"] in ("unknown_field", "duplicate_key")
    for number in ("A-2", None):
        document = problem(await post(offline, orjson.dumps({**body, "accountNumber": number}), ADJUSTMENTS))
        assert (document["code"], document["pointer"]) == ("unknown_field", "/accountNumber")
    assert len(offline.commands) == 1


async def test_null_members_count_as_absent(offline: Offline) -> None:
    body = {"programme": "CASHBACK", "value": -2.5, "reason": "counted twice"}
    for same in (body, {**body, "expiresAt": None, "context": None}):
        assert (await post(offline, orjson.dumps(same), ADJUSTMENTS)).status_code == 200
    assert (await post(offline, b'{"LoyaltyPrograms":[],"Context":{"ShopId":null}}')).status_code == 200
    assert (await post(offline, b'{"loyaltyPrograms":[],"voucherRedemptions":null,"context":{}}')).status_code == 200
    first, second, third, fourth = offline.commands
    assert (first.value, first.request_hash_parts) == (second.value, second.request_hash_parts)
    assert (third.value, third.request_hash_parts) == (fourth.value, fourth.request_hash_parts)


@pytest.mark.parametrize("zeros", ["0" * 10, "0" * 1000])
async def test_trailing_zeros_do_not_count_as_decimals(offline: Offline, zeros: str) -> None:
    for text in (f"2.5{zeros}", f"0.{zeros}", "0e-999999999"):
        assert (await post(offline, load(text))).status_code == 200
        sent = json.loads(offline.commands[-1].value, parse_float=Decimal)
        assert sent["loyaltyPrograms"][0]["loads"][0]["value"] in (Decimal("2.5"), 0)


async def test_a_utf_8_byte_order_mark_is_accepted(offline: Offline) -> None:
    assert (await post(offline, b"\xef\xbb\xbf" + OMS)).status_code == 200


REVERSALS = "/v1/accounts/A-1/reversals"


@pytest.mark.parametrize(("value", "status"), [("0", 200), ("0.0", 200), ('"0"', 400), ("true", 400), ("0.5", 400)])
async def test_integers_may_have_a_zero_fraction(offline: Offline, value: str, status: int) -> None:
    body = f'{{"transactionId":"t","reason":"x","operations":[{{"operation":{value}}}]}}'
    response = await post(offline, body.encode(), REVERSALS)
    assert response.status_code == status
    if status == 400 and value != "0.5":
        document = problem(response)
        assert (document["code"], document["pointer"]) == ("wrong_type", "/operations/0/operation")
