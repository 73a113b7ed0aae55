"""Customers over HTTP on real servers: create, update, search, and get with balances and vouchers (rules 4.5)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.harness import DEMO, new_installation
from tests.http.shop import BUY, CASHBACK, FAMILY, THRESHOLD, VAULT, Shop, good, open_shop, points, serials
from tests.servers import Servers
from tests.tokens import authorization

pytestmark = pytest.mark.real

OMS_CALL = b"""{
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
SHOP_CALL = b"""{
    "loyaltyPrograms": [
        {
            "loyaltyPointDefinitionId": "LOY22-IssueThreshold",
            "voucherRedemptions": [
                {
                    "serialId": "6666160395443995410"
                }
            ]
        }
    ],
    "voucherRedemptions": [
        {
            "serialId": "6666270046419031265"
        }
    ],
    "context": {
        "shopId": "Webshop",
        "comment": "Order 12345"
    }
}"""
IN_PROGRAMME, OF_NONE = "6666160395443995410", "6666270046419031265"
ANNA: dict[str, Any] = {
    "firstName": "Anna",
    "lastName": "de Vries",
    "emailAddress": "Anna@Example.com",
    "postalCode": "1234 AB",
    "houseNumber": "12",
    "houseNumberAddition": "A",
    "street": "Dam",
    "language": "nl",
    "dateOfBirth": "1990-09-11T23:30:00+02:00",
}


@pytest.fixture(scope="module")
async def shop(real_servers: Servers) -> AsyncIterator[Shop]:
    """A shop that is open; each test has people, cards and serials of its own."""
    async with new_installation(real_servers) as installation:
        await installation.declare_file(DEMO)
        async with open_shop(installation) as shop:
            yield shop


def load(value: int, programme: str = BUY) -> dict[str, Any]:
    return {"loyaltyPointDefinitionId": programme, "loads": [{"value": value}]}


@pytest.mark.exercises("PUT /api/v1.0/Switch/Crm/Customer/{customerId}")
async def test_customers_are_created_read_and_updated(shop: Shop) -> None:
    created = await shop.create(**ANNA)
    who = created["customerId"]
    assert created == await shop.get(who)
    assert [*created] == ["customerId", "cardNumber", "customerLevel", "customerInfo", "vouchers", "balances"]
    assert created["customerInfo"] == {
        **ANNA,
        "countryId": None,
        "city": None,
        "mobile": None,
        "dateOfBirth": "1990-09-11T00:00:00.000Z",
        "gender": "Unknown",
        "communicationViaEmail": False,
        "communicationViaSms": False,
    }
    assert points(created) == {BUY: 0, THRESHOLD: 0, CASHBACK: 0, "LOY22-Orders": 0}
    buying, threshold = (
        next(each for each in created["balances"] if each["loyaltyProgramId"] == id_) for id_ in (BUY, THRESHOLD)
    )
    assert (buying["description"], threshold["issueImmediateThreshold"]) == ("Punten om bonnen mee te kopen", 2500)
    assert isinstance(threshold["issueImmediateThreshold"], int), "as it was declared, and not 2500.0"
    assert {each["code"]: each["threshold"] for each in buying["purchases"]} == {"VOUCHER-5": 500, "VOUCHER-10": 950}
    assert buying["purchases"][0]["titles"] == [
        {"description": "5 euros off", "isoLanguageCode": "en", "isDefault": True},
        {"description": "5 euro korting", "isoLanguageCode": "nl", "isDefault": False},
    ]
    changed = good(await shop.send("PUT", f"{FAMILY}/{who}", {"CUSTOMERINFO": {"CITY": "Utrecht", "street": ""}}))
    assert changed == await shop.get(who)
    assert changed["customerInfo"] == {**created["customerInfo"], "city": "Utrecht", "street": None}


@pytest.mark.exercises("POST /api/v1.0/Switch/Crm/Customer/Search")
async def test_customers_are_found_by_search_criteria(shop: Shop) -> None:
    nora = {**ANNA, "firstName": "Nora", "emailAddress": "Nora@Example.com", "postalCode": "5678 CD"}
    created = await shop.create(**nora)
    who = created["customerId"]
    other = (await shop.create(firstName="NORABEL", lastName="Devos", postalCode="5678CD", houseNumber="12"))[
        "customerId"
    ]
    assert await shop.search(firstName="nora") == [who, other]
    assert await shop.search("?size=1&page=2", firstName="nora") == [other]
    assert await shop.search(firstName="nora", lastName="DE V") == [who]
    assert await shop.search(firstName="ora") == []
    assert await shop.search(emailAddress=" nora@example.COM") == [who]
    assert await shop.search(emailAddress="nora@example.co") == []
    assert await shop.search(postalCode="5678cd", houseNumber="12") == [who, other]
    assert await shop.search(postalCode="5678cd", houseNumber="12", houseNumberAddition="a") == [who]
    assert await shop.search(cardNumber=created["cardNumber"]) == [who]
    assert await shop.search(firstName=".*") == []


async def test_refused_customer_operations_have_codes(shop: Shop) -> None:
    who = (await shop.create(emailAddress="Bert@Example.com"))["customerId"]
    none: list[dict[str, Any]] = [
        {},
        {"parameters": {}},
        {"parameters": {"lastName": "  "}},
        {"parameters": {"lastName": None}},
    ]
    for parameters in none:
        response = await shop.send("POST", f"{FAMILY}/Search", parameters)
        code = "invalid_value" if parameters else "missing_field"
        assert (response.status_code, response.json()["code"]) == (400, code)
    for query in ("?size=101", "?page=0", "?pages=1", "?page=101&size=100"):
        response = await shop.send("POST", f"{FAMILY}/Search{query}", {"parameters": {"lastName": "v"}})
        assert (response.status_code, response.json()["code"]) == (400, "invalid_parameter")
    body = {"customerInfo": {"emailAddress": "BERT@example.com"}}
    taken = await shop.send("POST", f"{FAMILY}/Create", body)
    assert (taken.status_code, taken.json()["code"]) == (409, "email_in_use")
    assert taken.json()["pointer"] == "/customerInfo/emailAddress"
    unknown = "0199d2a5-7c00-7000-8000-00000000000c"
    for method, path, sent in (
        ("GET", f"{FAMILY}/{unknown}", None),
        ("PUT", f"{FAMILY}/{unknown}", {"customerInfo": {"city": "Utrecht"}}),
        ("POST", f"{FAMILY}/{unknown}/Transaction", {}),
    ):
        response = await shop.send(method, path, sent)
        assert (response.status_code, response.json()["code"]) == (404, "customer_unknown"), path
    misspelt = await shop.send("PUT", f"{FAMILY}/{who}", {"customerInfo": {"town": "Utrecht"}})
    assert (misspelt.status_code, misspelt.json()["code"]) == (400, "unknown_field")


@pytest.mark.exercises("POST /api/v1.0/Switch/Crm/Customer/Create")
async def test_a_retry_with_the_key_returns_the_same_customer(shop: Shop) -> None:
    body = {"customerInfo": {"firstName": "Bo"}}
    first, second = [good(await shop.send("POST", f"{FAMILY}/Create", body, "key-1")) for _ in range(2)]
    assert first == second
    other = await shop.send("POST", f"{FAMILY}/Create", {"customerInfo": {"firstName": "Cas"}}, "key-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await shop.search(firstName="bo") == [first["customerId"]]


async def test_the_documented_transactions_are_booked(shop: Shop) -> None:
    card = "6299000000000000017"
    good(await shop.post(card, OMS_CALL))
    await shop.issue(IN_PROGRAMME, "VOUCHER-25", card)
    await shop.issue(OF_NONE, "WELCOME", card)
    customer = await shop.create(card)
    assert (points(customer)[BUY], serials(customer)) == (1000, {IN_PROGRAMME, OF_NONE})
    assert {each["id"]: each["loyaltyProgramId"] for each in customer["vouchers"]} == {
        IN_PROGRAMME: THRESHOLD,
        OF_NONE: None,
    }
    answer = good(await shop.post(card, SHOP_CALL))
    assert {each["serialId"] for each in answer["redeemedVouchers"]} == {IN_PROGRAMME, OF_NONE}
    after = await shop.get(customer["customerId"])
    assert (points(after)[BUY], serials(after)) == (1000, set())
    again = await shop.post(card, SHOP_CALL)
    assert (again.status_code, again.json()["code"]) == (409, "voucher_redeemed")
    assert again.json()["pointer"] == "/loyaltyPrograms/0/voucherRedemptions/0"


@pytest.mark.exercises("POST /api/v1.0/Switch/Crm/Customer/{customerId}/Transaction")
@pytest.mark.parametrize(
    ("change", "card"),
    [
        (bytes.upper, "6299000000000000025"),
        (bytes.lower, "6299000000000000041"),
        (bytes.swapcase, "6299000000000000058"),
    ],
)
async def test_keys_of_customer_transactions_match_in_any_case(shop: Shop, change: Any, card: str) -> None:
    who = (await shop.create(card))["customerId"]
    inside, alone = f"{card}1", f"{card}2"
    call = SHOP_CALL.replace(IN_PROGRAMME.encode(), inside.encode()).replace(OF_NONE.encode(), alone.encode())

    def recased(body: bytes) -> bytes:
        """The keys in another case, the values as they are."""
        parts = body.split(b'"')
        for at in range(1, len(parts), 2):
            if parts[at + 1].lstrip().startswith(b":"):
                parts[at] = change(parts[at])
        return b'"'.join(parts)

    await shop.issue(inside, "VOUCHER-25", card)
    await shop.issue(alone, "WELCOME", card)
    good(await shop.transact(who, recased(OMS_CALL)))
    assert points(await shop.get(who))[BUY] == 1000
    assert serials(await shop.get(who)) == {inside, alone}
    good(await shop.post(card, recased(call)))
    assert serials(await shop.get(who)) == set()


@pytest.mark.exercises("GET /api/v1.0/Switch/Crm/Customer/{customerId}")
async def test_get_customer_shows_vouchers_just_bought(shop: Shop) -> None:
    who = (await shop.create())["customerId"]
    for turn in range(1, 11):
        body = {"loyaltyPrograms": [load(700) | {"purchases": [{"voucherId": "VOUCHER-5"}]}]}
        answer = good(await shop.transact(who, body))
        customer = await shop.get(who)
        assert points(customer)[BUY] == 200 * turn
        assert len(serials(customer)) == turn
        assert {each["serialId"] for each in answer["issuedVouchers"]} <= serials(customer)
        assert customer["vouchers"][0]["code"] == "VOUCHER-5"


async def test_voiding_vouchers_needs_its_scope(shop: Shop) -> None:
    card, who = "6299000000000000033", (await shop.create("6299000000000000033"))["customerId"]
    alone, in_programme = f"{card}1", f"{card}2"
    await shop.issue(alone, "WELCOME", card)
    await shop.issue(in_programme, "VOUCHER-25", card)
    header = dict(shop.client.headers)
    body = {"voucherRedemptions": [{"serialId": alone, "void": True}]}
    inside = {
        "loyaltyPrograms": [
            {
                "loyaltyPointDefinitionId": THRESHOLD,
                "voucherRedemptions": [{"serialId": in_programme, "void": True}],
            }
        ]
    }
    shop.client.headers.update(
        await authorization(shop.installation.settings, "till", scopes=["api_crm", "api_loyalty"])
    )
    for path in (f"{FAMILY}/{who}/Transaction", VAULT.format(card)):
        for refused in (body, inside):
            response = await shop.send("POST", path, refused)
            assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")
    assert serials(await shop.get(who)) == {alone, in_programme}
    shop.client.headers.update(header)
    for allowed in (body, inside):
        good(await shop.transact(who, allowed))
    assert serials(await shop.get(who)) == set()
