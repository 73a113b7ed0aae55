"""States as documents: how the snapshots keep them, with their datetimes."""

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any, assert_never

from schemas.accounts import AccountState
from schemas.programme import Programme
from schemas.text import STORED
from schemas.tiers import TierSet
from services.points.due import due_at
from services.points.held import Hold, dump_hold, load_hold
from services.points.orders.documents import ORDER, dump_order, load_order
from services.points.orders.state import Order
from services.points.receipts import Receipt, dump_receipt, load_receipt
from services.points.reversals import Reversals, dump_reversals, load_reversals
from services.points.state import (
    Account,
    Balance,
    Catalogue,
    Lot,
    ProgrammeRules,
    Standing,
    State,
    initial,
)
from services.points.streams import aggregate_of
from shared.clock import as_utc
from shared.decider import Document
from shared.shapes import Shape, unchanged


def _held_counts(account: Document) -> Document:
    """Balances from before transactions could be held have nothing held."""
    for balance in account.get("balances", ()):
        if "pending" in balance:
            balance.setdefault("held", 0)
    return account


def _numbered_per_store(catalogue: Document) -> Document:
    """Order numbers were unique in the store before shops could number their own orders."""
    catalogue.setdefault("order_numbers", "store")
    catalogue.setdefault("order_numbers_version", 0)
    return catalogue


SHAPES = {
    Account: Shape("points.account", _held_counts, unchanged, unchanged),
    ProgrammeRules: Shape("points.programme", unchanged),
    Catalogue: Shape("points.catalogue", unchanged, _numbered_per_store),
    Order: ORDER,
    Hold: Shape("points.transaction", unchanged),
    Receipt: Shape("points.receipt"),
    Reversals: Shape("points.reversals", unchanged, unchanged),
}
"""By the type of the state; a step that is added upgrades what is stored already."""


def dump_state(state: State) -> Document:
    """A BSON-ready document; it says in `due_at` from when there is something to book, where there ever is."""
    return SHAPES[type(state)].stamp(_dumped(state))


def _dumped(state: State) -> Document:
    match state:
        case Account():
            return _dump_account(state)
        case Order():
            return dump_order(state)
        case ProgrammeRules():
            return {"version": state.version, "programme": _text(state.programme)}
        case Catalogue():
            return {
                "programmes": [[rules.version, _text(rules.programme)] for rules in state.programmes.values()],
                "tier_sets": [[state.versions[name], _text(each)] for name, each in state.tier_sets.items()],
                "account_numbers": list(state.account_numbers),
                "account_numbers_version": state.account_numbers_version,
                "order_numbers": state.order_numbers,
                "order_numbers_version": state.order_numbers_version,
            }
        case Hold():
            return dump_hold(state)
        case Reversals():
            return dump_reversals(state)
        case Receipt():
            return dump_receipt(state)
        case _:
            assert_never(state)


def load_state(stream: str, document: Document) -> State:
    """The state of `stream` that `dump_state` gave; instants may come back naive or with another UTC."""
    name, empty = aggregate_of(stream), initial(stream)
    document = SHAPES[type(empty)].upgrade(document)
    match empty:
        case Account():
            return _load_account(name, document)
        case Order():
            return load_order(empty.id, document)
        case ProgrammeRules() as undeclared:
            text = document["programme"]
            return undeclared if text is None else _rules(text, document["version"])
        case Catalogue():
            rules = [_rules(text, version) for version, text in document["programmes"]]
            sets = [(_tier_set(text), version) for version, text in document["tier_sets"]]
            return Catalogue(
                name,
                {each.id: each for each in rules},
                {each.id: each for each, _ in sets},
                {each.id: version for each, version in sets},
                tuple(document.get("account_numbers", ())),
                document.get("account_numbers_version", 0),
                document["order_numbers"],
                document["order_numbers_version"],
            )
        case Hold():
            return load_hold(name, document)
        case Reversals():
            return load_reversals(name, document)
        case Receipt():
            return load_receipt(name, document)
        case _:
            assert_never(empty)


def _text(declared: Programme | TierSet | None) -> str | None:
    return None if declared is None else declared.model_dump_json(by_alias=True)


@lru_cache(maxsize=1024)
def _tier_set(text: str) -> TierSet:
    return TierSet.model_validate_json(text, context=STORED)


@lru_cache(maxsize=1024)
def _rules(text: str, version: int) -> ProgrammeRules:
    return ProgrammeRules.of(Programme.model_validate_json(text, context=STORED), version)


def _dump_account(account: Account) -> Document:
    document: Document = {
        "number": account.account_number,
        "sequence": account.sequence,
        "booked_at": account.booked_at,
        "due_at": due_at(account),
        "balances": [_dump_balance(balance) for balance in account.balances.values()],
    }
    if account.state is not AccountState.ACTIVE:
        document["account_state"] = account.state.value
    if account.numbers:
        document["numbers"] = list(account.numbers)
    if account.forwards_to is not None:
        document["forwards_to"] = account.forwards_to
    if account.tiers:
        document["tiers"] = [{**each._asdict(), "bases": list(each.bases)} for each in account.tiers.values()]
    if account.holds:
        document["holds"] = list(account.holds)
    if account.known:
        document["known"] = True
    if account.waiting:
        document["waiting"] = list(account.waiting)
    if account.closes is not None:
        document["closes"] = account.closes
    if account.joins is not None:
        document["joins"] = account.joins
    return document


def _load_account(name: str, document: Document) -> Account:
    """What only some accounts have is left out of the others' documents."""
    get = document.get
    return Account(
        name,
        document["number"],
        document["sequence"],
        as_utc(document["booked_at"]),
        {each["programme"]: _load_balance(each) for each in document["balances"]},
        AccountState(document["account_state"]) if "account_state" in document else AccountState.ACTIVE,
        tuple(get("numbers", ())),
        get("forwards_to"),
        {each["tier_set"]: _load_standing(each) for each in get("tiers", ())},
        tuple(get("holds", ())),
        get("known", False),
        tuple(get("waiting", ())),
        get("closes"),
        get("joins"),
    )


def _load_standing(document: Document) -> Standing:
    instants = {name: as_utc(document[name]) for name in ("anchor", "since", "ends_at", "down_at")}
    return Standing(**{**document, **instants, "bases": tuple(document["bases"])})


def _dump_balance(balance: Balance) -> Document:
    document: Document = {
        "programme": balance.programme,
        "version": balance.programme_version,
        "scale": balance.scale,
        "booked": balance.booked,
        "earned": balance.earned,
        "redeemed": balance.redeemed,
        "expired": balance.expired,
        "up": balance.adjusted_up,
        "down": balance.adjusted_down,
        "next_lot": balance.next_lot,
        "lots": [_dump_lot(lot) for lot in balance.lots],
        "scheduled": [_dump_lot(lot) for lot in balance.scheduled],
        "account_expires_at": balance.account_expires_at,
    }
    if (seldom := _seldom_of(balance)) != _NOTHING:
        document.update(zip(_SELDOM, seldom, strict=True))
    return document


_SELDOM = ("pending", "debt", "revoked", "given_back", "spent", "notice_days", "held", "noticed_until")
"""What many balances never use; of those it is left out of their documents, all of it."""
_seldom_of: Callable[[Balance], tuple[Any, ...]] = attrgetter(*_SELDOM)
_NOTHING = _seldom_of(Balance("", 0, 0))


def _load_balance(document: Document) -> Balance:
    return Balance(
        document["programme"],
        document["version"],
        document["scale"],
        document["booked"],
        document["earned"],
        document["redeemed"],
        document["expired"],
        document["up"],
        document["down"],
        document["next_lot"],
        tuple([_load_lot(lot) for lot in document["lots"]]),
        tuple([_load_lot(lot) for lot in document["scheduled"]]),
        as_utc(document["account_expires_at"]),
        **_load_seldom(document),
    )


def _load_seldom(document: Document) -> Document:
    if "pending" not in document:
        return {}
    return {**{name: document[name] for name in _SELDOM}, "noticed_until": as_utc(document["noticed_until"])}


def _dump_lot(lot: Lot) -> list[Any]:
    """`[id, amount, expires_at]`, and for the few that need it `active_from, restriction, campaign`."""
    if lot.active_from is None and lot.restriction is None and lot.campaign is None:
        return [lot.id, lot.amount, lot.expires_at]
    return [lot.id, lot.amount, lot.expires_at, lot.active_from, lot.restriction, lot.campaign]


def _load_lot(stored: list[Any]) -> Lot:
    if len(stored) == 3:
        lot_id, amount, expires_at = stored
        return Lot(lot_id, amount, as_utc(expires_at))
    lot_id, amount, expires_at, active_from, restriction, campaign = stored
    return Lot(lot_id, amount, as_utc(expires_at), as_utc(active_from), restriction, campaign)
