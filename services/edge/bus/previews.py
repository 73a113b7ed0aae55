"""Previews of transactions: computed by the points service and, if they take part, by gift cards and vouchers."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from schemas.previews import PREVIEW_EXECUTION, PREVIEW_HOLD, PREVIEW_TRANSACTION
from schemas.refusal_codes import REFUSAL_CODES
from schemas.refusals import PointsRefusal
from schemas.voucher_saga import Decision
from services.edge.auth.tokens import Caller
from services.edge.bus.commands import Bus
from services.edge.http.answers import answer, to_whole_units
from services.edge.http.bodies import Body
from services.edge.http.documenting import Documentation, Documented
from services.edge.http.problems import Problem
from shared.hashing import to_json
from shared.ids import account_id

Document = dict[str, Any]

_POST_TRANSACTION = "points.post_transaction.v1"
_REFUSED_DETAIL = "The vouchers or gift cards would be refused."


class TransactionPreview(Documented):
    """The parameter by which an operation previews transactions; only here they can end in `further_codes`."""

    def __init__(self, *further_codes: str) -> None:
        self._codes = tuple(dict.fromkeys((*REFUSAL_CODES[_POST_TRANSACTION], *further_codes)))

    async def __call__(self, request: Request) -> "Preview":
        """The function that previews a transaction over this edge's bus."""
        return partial(preview, request.app.state.edge.bus)

    def document(self, operation: Documentation) -> None:
        """Add the refusals of the transaction, without those of its timeout and its idempotency key."""
        codes = (code for code in self._codes if code != PointsRefusal.TRANSACTION_TIMED_OUT)
        operation.refuse("internal", "dead_lettered", "unavailable", "too_late", *codes)


async def preview(
    bus: Bus, caller: Caller, number: str, body: Body[Any], value: Mapping[str, Any] | None = None
) -> Response:
    """The response to a preview of a transaction on the account of `number`; its command is `value`, or the body.

    :raises Problem: the refusal that the transaction would get; or `unavailable`.
    """
    try:
        return answer(await _preview(bus, caller, number, body.command() if value is None else value))
    except Problem as problem:
        if problem.pointer is not None:
            problem.pointer = body.pointer(problem.pointer)
        raise


Preview = Callable[..., Awaitable[Response]]
Previews = Annotated[Preview, Depends(TransactionPreview())]


async def _preview(bus: Bus, caller: Caller, number: str, transaction: Mapping[str, Any]) -> Document:
    command = to_json({"accountNumber": number, **transaction})
    subject = account_id(caller.store, number)
    points = await bus.preview(caller, "points", PREVIEW_TRANSACTION, subject, command)
    execute, vouchers = points["execute"], dict[str, list[Document]]()
    await _check_cards(bus, caller, points.get("hold"))
    if execute is not None:
        decision = await bus.preview(caller, "voucher", PREVIEW_EXECUTION, execute["account"], to_json(execute))
        _check_executed(decision)
        bought = {each["serialId"] for each in execute["purchases"]} if "purchases" in execute else set()
        vouchers = {name: [_voucher(each, bought) for each in decision.get(name, ())] for name in _VOUCHER_LISTS}
    issued = [_voucher(each, ()) for each in points["issuedVouchers"]]
    return {
        "balances": [_balance(each) for each in points["balances"]],
        "issuedVouchers": [*vouchers.get("issued", ()), *issued],
        "redeemedVouchers": vouchers.get("redeemed", []),
        "voidedVouchers": vouchers.get("voided", []),
        "tiers": points["tiers"],
    }


async def _check_cards(bus: Bus, caller: Caller, hold: Mapping[str, Any] | None) -> None:
    """Ask each gift card by itself, in their order: of two payments with the same card the second sees no first."""
    for at, card in enumerate(hold["cards"] if hold is not None else ()):
        asked = {**(hold or {}), "at": at}
        _check_executed(await bus.preview(caller, "giftcard", PREVIEW_HOLD, card["cardId"], to_json(asked)))


def _check_executed(decision: Mapping[str, Any]) -> None:
    if decision["decision"] != Decision.EXECUTED:
        detail = decision.get("detail", _REFUSED_DETAIL)
        raise Problem(decision.get("code", "internal"), detail, pointer=decision.get("pointer"))


_VOUCHER_LISTS = ("issued", "redeemed", "voided")


def _voucher(voucher: Mapping[str, Any], generated_serials: Collection[str]) -> Document:
    """A voucher of the preview, without its serial if that is generated when the transaction is posted."""
    serial = voucher.get("serialId")
    fields = {"programme": None, "benefit": None, "validFrom": None, "expiresAt": None, "state": None, **voucher}
    return {**fields, "serialId": None if serial in generated_serials else serial}


def _balance(balance: Mapping[str, Any]) -> Document:
    scale = balance["scale"]
    return {
        "loyaltyProgramId": balance["loyaltyProgramId"],
        "pointsBalanceBefore": to_whole_units(balance["before"], scale),
        "pointsBalance": to_whole_units(balance["pointsBalance"], scale),
    }
