"""Previews of transactions: computed by the points service and, if vouchers are involved, by the voucher service."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from schemas.previews import PREVIEW_EXECUTION, PREVIEW_TRANSACTION
from schemas.refusal_codes import REFUSAL_CODES
from schemas.refusals import PointsRefusal
from schemas.transaction import Transaction
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
_REFUSED_DETAIL = "The vouchers would be refused."


class TransactionPreview(Documented):
    """The parameter by which an operation previews transactions."""

    async def __call__(self, request: Request) -> "Preview":
        """The function that previews a transaction over this edge's bus."""
        return partial(preview, request.app.state.edge.bus)

    def document(self, operation: Documentation) -> None:
        """Add the refusals of the transaction, without those of its timeout and its idempotency key."""
        codes = (code for code in REFUSAL_CODES[_POST_TRANSACTION] if code != PointsRefusal.TRANSACTION_TIMED_OUT)
        operation.refuse("internal", "dead_lettered", "unavailable", "too_late", *codes)


async def preview(bus: Bus, caller: Caller, number: str, body: Body[Transaction]) -> Response:
    """The response to a preview of a transaction on the account of `number`.

    :raises Problem: the refusal that the transaction would get; or `unavailable`.
    """
    try:
        return answer(await _preview(bus, caller, number, body.command()))
    except Problem as problem:
        if problem.pointer is not None:
            problem.pointer = body.pointer(problem.pointer)
        raise


Preview = Callable[[Caller, str, Body[Transaction]], Awaitable[Response]]
Previews = Annotated[Preview, Depends(TransactionPreview())]


async def _preview(bus: Bus, caller: Caller, number: str, transaction: Mapping[str, Any]) -> Document:
    command = to_json({"accountNumber": number, **transaction})
    subject = account_id(caller.store, number)
    points = await bus.preview(caller, "points", PREVIEW_TRANSACTION, subject, command)
    execute, vouchers = points["execute"], dict[str, list[Document]]()
    if execute is not None:
        decision = await bus.preview(caller, "voucher", PREVIEW_EXECUTION, execute["account"], to_json(execute))
        if decision["decision"] != Decision.EXECUTED:
            detail = decision.get("detail", _REFUSED_DETAIL)
            raise Problem(decision.get("code", "internal"), detail, pointer=decision.get("pointer"))
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
