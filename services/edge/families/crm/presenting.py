"""Customers in the words of the CRM document (rules 4.5.2 to 4.5.4): criteria in, answers out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from schemas.contacts import comparable_code, comparable_name, email_forms
from services.edge.families.crm.models import SearchParameters
from services.edge.http.answers import exact_number, to_whole_units
from services.edge.views.catalogue import Declared
from shared.calendar import YEAR_OF_NEVER
from shared.decider import Document
from shared.ids import account_id

VOUCHERS_SHOWN = 100
"""So many vouchers Get has at most: those that expire first; `/v1/customers/{id}/vouchers` has all."""

_FOUND = ("firstName", "lastName", "emailAddress", "street", "postalCode")
Comparable = str | tuple[str, ...]
"""A criterion as it compares; or the forms under which it may have been stored, the present one first."""

_GIVEN: dict[str, tuple[str, Callable[[str], Comparable]]] = {
    "cardNumbers": ("card_number", str),
    "firstName": ("first_name", comparable_name),
    "lastName": ("last_name", comparable_name),
    "emailAddress": ("email_address", email_forms),
    "postalCode": ("postal_code", comparable_code),
    "houseNumber": ("house_number", comparable_code),
    "houseNumberAddition": ("house_number_addition", comparable_code),
}
"""Members of `SearchView`: the parameter that asks for each, and how it compares."""


def criteria_of(parameters: SearchParameters) -> dict[str, Comparable]:
    """The members of `SearchView` that are asked for, as they compare; what is blank asks for nothing."""
    found = {name: by(getattr(parameters, given) or "") for name, (given, by) in _GIVEN.items()}
    return {name: value for name, value in found.items() if value and value != ("",)}


def found_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """A customer as a search shows it."""
    view = document["view"]
    info = view["customerInfo"] or {}
    return {"id": view["customer"], **{name: info.get(name) for name in _FOUND}}


def is_deleted(document: Mapping[str, Any]) -> bool:
    """Whether the customer is deleted, or anonymised: the tills' calls find neither."""
    return bool(document["view"]["state"] == "deleted")


def leading(document: Mapping[str, Any]) -> tuple[str, Document | None]:
    """The number that leads to the customer's account, and what is shown of it; None when it is not open.

    That is the main card's. As long as no account is known of that one, since the replacement is still on its way, it
    is that of the card which it replaced: what is shown, and where transactions go.
    """
    view, store = document["view"], document["store"]
    parts = {part["id"]: part["view"] for part in document.get("accounts", ())}
    replaced = {card["replacedBy"]: card["cardNumber"] for card in view["cards"] if card["replacedBy"] is not None}
    number: str | None = view["cardNumber"]
    while number is not None:
        part = parts.get(account_id(store, number))
        if part is not None:
            return number, parts.get(part["forwardsTo"]) if part["forwardsTo"] is not None else part
        number = replaced.get(number)
    return view["cardNumber"], None


def owners(document: Mapping[str, Any]) -> set[str]:
    """The accounts whose vouchers are the customer's."""
    number, account = leading(document)
    return {
        account_id(document["store"], number),
        account_id(document["store"], (account or {}).get("accountNumber", number)),
    }


def customer_of(
    document: Mapping[str, Any], vouchers: Iterable[Document], declared: Declared, at: str
) -> dict[str, Any]:
    """A customer as Get, Create and Update answer it, at the instant `at`, with these vouchers."""
    view, (_, account) = document["view"], leading(document)
    info = dict(view["customerInfo"])
    if info["dateOfBirth"] is not None:
        info["dateOfBirth"] = f"{info['dateOfBirth']}T00:00:00.000Z"
    return {
        "customerId": view["customer"],
        "cardNumber": view["cardNumber"],
        "customerLevel": _level(account, declared),
        "customerInfo": info,
        "vouchers": [_voucher(each) for each in vouchers],
        "balances": [*_balances(account, declared, info["language"], at)],
    }


def _level(account: Document | None, declared: Declared) -> str | None:
    tiers = [] if account is None else account["tiers"]
    return next((tier["code"] for tier in tiers if tier["tierSet"] == declared.primary_tier_set), None)


def usable(document: Mapping[str, Any], at: str) -> list[Document]:
    """The vouchers in the customer's document that can be used at `at`, the first to expire first, a page of them."""
    owned_by = owners(document)
    views = [part["view"] for part in document.get("vouchers", ()) if part.get("view") is not None]
    found = [
        view
        for view in views
        if view["account"] in owned_by
        and view["validFrom"] <= at
        and (view["validUntil"] is None or at < view["validUntil"])
    ]
    found.sort(key=lambda view: (view["validUntil"] is None, view["validUntil"], view["serialId"]))
    return found[:VOUCHERS_SHOWN]


def _voucher(view: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": view["serialId"],
        "code": view["voucherId"],
        **_texts(view),
        "validUntil": view["validUntil"],
        "loyaltyProgramId": view["programme"],
        "benefit": view.get("benefit"),
    }


def _balances(account: Document | None, declared: Declared, language: str | None, at: str) -> Iterator[dict[str, Any]]:
    """Every active programme, and those retired ones of which something is left to spend."""
    held = {} if account is None else {each["programme"]: each for each in account["balances"]}
    for id_, programme in declared.programmes.items():
        balance = held.get(id_)
        points = 0 if balance is None else to_whole_units(balance["balance"], balance["scale"])
        if programme["state"] == "active" or points != 0:
            threshold = programme["issueImmediateThreshold"]
            yield {
                "loyaltyProgramId": id_,
                "description": _description(programme["descriptions"], language),
                "pointsBalance": points,
                "issueImmediateThreshold": None if threshold is None else exact_number(threshold["value"]),
                "purchases": [*_purchases(programme, declared, at)],
            }


def _purchases(programme: Mapping[str, Any], declared: Declared, at: str) -> Iterator[dict[str, Any]]:
    """What can be bought now: within its window, of a definition that is there and not retired."""
    for offer in programme["purchases"]:
        definition = declared.definitions.get(offer["voucherId"])
        if definition is None or definition["state"] != "active":
            continue
        if (offer["from"] is None or offer["from"] <= at) and (offer["until"] is None or at < offer["until"]):
            texts = _texts(definition)
            price = exact_number(offer["price"])
            until = None if offer["until"] is None or offer["until"] >= YEAR_OF_NEVER else offer["until"]
            about = {"validUntil": until, "benefit": definition.get("benefit")}
            yield {"code": offer["voucherId"], "threshold": price, **texts, **about}


def _texts(view: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Titles and descriptions in all languages, the default one marked."""
    default = view["defaultLanguage"]
    return {
        name: [
            {"description": text, "isoLanguageCode": language, "isDefault": language == default}
            for language, text in view[name].items()
        ]
        for name in ("titles", "descriptions")
    }


def _description(texts: Mapping[str, str], language: str | None) -> str:
    """In the customer's language where there is one, else in the first that is declared."""
    wanted = (language or "").lower()
    for known, text in texts.items():
        if known.lower() in (wanted, wanted.partition("-")[0]):
            return text
    return next(iter(texts.values()))
