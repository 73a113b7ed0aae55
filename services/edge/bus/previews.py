"""What a transaction would come to: asked of the points service, and with vouchers of the voucher service after it."""

from collections.abc import Collection, Mapping
from typing import Any

from schemas.previews import PREVIEW_EXECUTION, PREVIEW_TRANSACTION
from schemas.transaction import Transaction
from schemas.voucher_saga import Decision
from services.edge.auth.tokens import Caller
from services.edge.bus.commands import Bus
from services.edge.http.answers import whole
from services.edge.http.pointers import SentBody
from services.edge.http.problems import Problem
from shared.hashing import to_json
from shared.ids import account_id

Document = dict[str, Any]

_NOT_EXECUTED = "the vouchers would not be executed"


async def preview(bus: Bus, caller: Caller, number: str, transaction: Mapping[str, Any]) -> Document:
    """The answer to the preview of a transaction on the account of `number`.

    :raises Problem: the transaction would be refused, as this says; or `unavailable`.
    """
    try:
        return await _preview(bus, caller, number, transaction)
    except Problem as problem:
        if problem.pointer is not None:
            problem.pointer = SentBody(transaction, Transaction).pointer(problem.pointer)
        raise


async def _preview(bus: Bus, caller: Caller, number: str, transaction: Mapping[str, Any]) -> Document:
    command = to_json({"accountNumber": number, **transaction})
    subject = account_id(caller.store, number)
    points = await bus.preview(caller, "points", PREVIEW_TRANSACTION, subject, command)
    execute, vouchers = points["execute"], dict[str, list[Document]]()
    if execute is not None:
        decided = await bus.preview(caller, "voucher", PREVIEW_EXECUTION, execute["account"], to_json(execute))
        if decided["decision"] != Decision.EXECUTED:
            detail = decided.get("detail", _NOT_EXECUTED)
            raise Problem(decided.get("code", "internal"), detail, pointer=decided.get("pointer"))
        bought = {each["serialId"] for each in execute["purchases"]} if "purchases" in execute else set()
        vouchers = {name: [_shown(each, bought) for each in decided.get(name, ())] for name in _DONE}
    issued = [_shown(each, ()) for each in points["issuedVouchers"]]
    return {
        "balances": [_balance(each) for each in points["balances"]],
        "issuedVouchers": [*vouchers.get("issued", ()), *issued],
        "redeemedVouchers": vouchers.get("redeemed", []),
        "voidedVouchers": vouchers.get("voided", []),
        "tiers": points["tiers"],
    }


_DONE = ("issued", "redeemed", "voided")


def _shown(voucher: Mapping[str, Any], drawn: Collection[str]) -> Document:
    """A voucher without a serial that is only drawn when the transaction is posted."""
    serial = voucher.get("serialId")
    shown = {"programme": None, "benefit": None, "validFrom": None, "expiresAt": None, "state": None, **voucher}
    return {**shown, "serialId": None if serial in drawn else serial}


def _balance(balance: Mapping[str, Any]) -> Document:
    scale = balance["scale"]
    return {
        "loyaltyProgramId": balance["loyaltyProgramId"],
        "pointsBalanceBefore": whole(balance["before"], scale),
        "pointsBalance": whole(balance["pointsBalance"], scale),
    }
