"""Converts between the CRM document and the views: search criteria and customers (rules 4.5.2 to 4.5.4)."""

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
"""The most vouchers in a customer's response: those that expire first; `/v1/customers/{id}/vouchers` has all."""

_RESULT_FIELDS = ("firstName", "lastName", "emailAddress", "street", "postalCode")
Comparable = str | tuple[str, ...]
"""The normal form of a criterion; or all normal forms under which it may be stored, the current one first."""

_CRITERIA: dict[str, tuple[str, Callable[[str], Comparable]]] = {
    "cardNumbers": ("card_number", str),
    "firstName": ("first_name", comparable_name),
    "lastName": ("last_name", comparable_name),
    "emailAddress": ("email_address", email_forms),
    "postalCode": ("postal_code", comparable_code),
    "houseNumber": ("house_number", comparable_code),
    "houseNumberAddition": ("house_number_addition", comparable_code),
}
"""Members of `SearchView`, with the search parameter of each and its normalisation."""


def criteria_of(parameters: SearchParameters) -> dict[str, Comparable]:
    """The criteria of a search, by members of `SearchView`, in their normal form; blank parameters are ignored."""
    criteria = {
        name: normalise(getattr(parameters, parameter) or "") for name, (parameter, normalise) in _CRITERIA.items()
    }
    return {name: value for name, value in criteria.items() if value and value != ("",)}


def search_result_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """A customer as a search result."""
    view = document["view"]
    info = view["customerInfo"] or {}
    return {"id": view["customer"], **{name: info.get(name) for name in _RESULT_FIELDS}}


def is_deleted(document: Mapping[str, Any]) -> bool:
    """Whether the customer is deleted or anonymised; the operations of this family find neither."""
    return bool(document["view"]["state"] == "deleted")


def main_account(document: Mapping[str, Any]) -> tuple[str, Document | None]:
    """The number of the customer's main account, and the account's view; None if no account is open.

    That is the account of the main card. While the replacement of a card has not reached its account yet, it is the
    account of the replaced card: responses show it, and transactions are booked on it.
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


def voucher_accounts(document: Mapping[str, Any]) -> set[str]:
    """The ids of the accounts whose vouchers belong to the customer."""
    number, account = main_account(document)
    return {
        account_id(document["store"], number),
        account_id(document["store"], (account or {}).get("accountNumber", number)),
    }


def customer_of(
    document: Mapping[str, Any], vouchers: Iterable[Document], declared: Declared, at: str
) -> dict[str, Any]:
    """The response of Get, Create and Update at the instant `at`, with these vouchers."""
    view, (_, account) = document["view"], main_account(document)
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


def usable_vouchers(document: Mapping[str, Any], at: str) -> list[Document]:
    """The vouchers in the customer's document that can be used at `at`, at most `VOUCHERS_SHOWN`, by expiry."""
    accounts = voucher_accounts(document)
    views = [part["view"] for part in document.get("vouchers", ()) if part.get("view") is not None]
    vouchers = [
        view
        for view in views
        if view["account"] in accounts
        and view["validFrom"] <= at
        and (view["validUntil"] is None or at < view["validUntil"])
    ]
    vouchers.sort(key=lambda view: (view["validUntil"] is None, view["validUntil"], view["serialId"]))
    return vouchers[:VOUCHERS_SHOWN]


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
    """The balances of active programmes, and of retired ones with points left."""
    balances = {} if account is None else {each["programme"]: each for each in account["balances"]}
    for id_, programme in declared.programmes.items():
        balance = balances.get(id_)
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
    """The offers that can be bought now: in their period, with an active definition."""
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
    """Titles and descriptions in all languages, with the default language marked."""
    default = view["defaultLanguage"]
    return {
        name: [
            {"description": text, "isoLanguageCode": language, "isDefault": language == default}
            for language, text in view[name].items()
        ]
        for name in ("titles", "descriptions")
    }


def _description(texts: Mapping[str, str], language: str | None) -> str:
    """The description in the customer's language, otherwise in the first declared one."""
    preferred = (language or "").lower()
    for known, text in texts.items():
        if known.lower() in (preferred, preferred.partition("-")[0]):
            return text
    return next(iter(texts.values()))
