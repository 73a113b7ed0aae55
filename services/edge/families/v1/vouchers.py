"""Issuing, voiding and reading single vouchers (rules 4.3)."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from starlette.responses import Response

from services.edge.auth.principals import Administrator
from services.edge.bus.sending import Send, sends
from services.edge.families.v1.models.vouchers import VoucherAnswer, VoucherIssue, VoucherVoid
from services.edge.families.v1.presenting import voucher_of
from services.edge.http.answers import answer
from services.edge.http.bodies import Body, json_body
from services.edge.http.dependencies import EdgeDependency, ViewsDependency
from services.edge.http.documenting import success_responses
from services.edge.http.parameters import SerialId
from services.edge.http.problems import Problem
from services.edge.http.router import Router
from services.edge.views.views import Views
from shared.ids import account_id, keyed_command_id, new_id
from shared.numbers import drawn_number

router = Router("Vouchers", "/v1/vouchers")

_ISSUED: dict[str, Any] = {
    "serialId": "6666160395443995410",
    "voucherId": "VOUCHER-5",
    "programme": "LOY22-BuyVouchers",
    "account": "0199d2a5-7c00-7000-8000-00000000000a",
    "accountNumber": "6299000000000000017",
    "state": "issued",
    "titles": {"en": "5 euros off"},
    "descriptions": {"en": "On one purchase"},
    "defaultLanguage": "en",
    "validFrom": "2026-11-22T10:00:00.000Z",
    "validUntil": "2027-11-22T23:00:00.000Z",
    "cost": 500,
    "unit": "points",
    "paidIn": "LOY22-BuyVouchers",
    "transactionId": "0199d2a5-7c00-7000-8000-000000000001",
    "redeemedIn": None,
    "redeemedBy": None,
    "issuedAt": "2026-11-22T10:00:00.000Z",
    "changedAt": "2026-11-22T10:00:00.000Z",
    "benefit": {"type": "amount", "value": 5, "currency": "EUR"},
}
_REDEEMED = {
    **_ISSUED,
    "state": "redeemed",
    "redeemedIn": "0199d2a5-7c00-7000-8000-000000000002",
    "redeemedBy": _ISSUED["account"],
    "changedAt": "2026-12-01T15:30:00.000Z",
}
_VOUCHER = partial(
    success_responses,
    VoucherAnswer,
    "The voucher as it is now.",
    examples={
        "issued": {"summary": "One that can be used", "value": _ISSUED},
        "redeemed": {"summary": "One that was used", "value": _REDEEMED},
    },
)
IssueBody = Annotated[
    Body[VoucherIssue],
    json_body(
        VoucherIssue,
        goodwill={
            "summary": "To a customer",
            "value": {"voucherId": "VOUCHER-5", "accountNumber": "6299000000000000017", "reason": "late delivery"},
        },
    ),
]
VoidBody = Annotated[
    Body[VoucherVoid],
    json_body(VoucherVoid, lost={"summary": "A lost voucher", "value": {"reason": "reported lost"}}),
]


@router.post("", summary="Issue a voucher", responses=_VOUCHER())
async def issue_voucher(
    caller: Administrator, body: IssueBody, send: Annotated[Send, sends("voucher.issue.v1")], edge: EdgeDependency
) -> Response:
    """Issue a voucher of a definition to the account that a number leads to, or to bearer."""
    value = body.command()
    if "serialId" not in value:
        secret = edge.settings.secret.get_secret_value().encode()
        seed = new_id() if send.key is None else keyed_command_id(caller.store, caller.client, send.key)
        value["serialId"] = drawn_number(secret, "voucher", caller.store, seed)
    subject = value["serialId"].upper()
    if (number := body.value.account_number) is not None:
        account = account_id(caller.store, number)
        subject, known_as = await edge.views.accounts.names(account) or (account, number)
        value |= {"account": subject, "accountNumber": known_as}
    body = body.renamed_by({"account": "accountNumber"})
    return await send(caller, subject, value, body, partial(_current_voucher, edge.views, caller.store))


@router.post("/{serialId}/void", summary="Void a voucher", responses=_VOUCHER())
async def void_voucher(
    caller: Administrator,
    serial: SerialId,
    body: VoidBody,
    send: Annotated[Send, sends("voucher.void.v1")],
    views: ViewsDependency,
) -> Response:
    """Make a voucher unusable, whoever owns it. Its price is not refunded."""
    value = {**body.command(), "serialId": serial}
    return await send(caller, serial.upper(), value, body, partial(_current_voucher, views, caller.store))


@router.get("/{serialId}", summary="Get a voucher", responses=_VOUCHER("not_found"))
async def get_voucher(caller: Administrator, serial: SerialId, views: ViewsDependency) -> Response:
    """A voucher in any state, used and expired ones too."""
    voucher = await views.vouchers.one(caller.store, serial)
    if voucher is None:
        raise Problem("not_found", "No voucher has this serial.")
    return answer(voucher_of(voucher))


async def _current_voucher(views: Views, store: str, result: Mapping[str, Any]) -> dict[str, Any] | None:
    """The present voucher of a command's result; None while the view does not have it."""
    voucher = await views.vouchers.one(store, result["serialId"])
    return None if voucher is None else voucher_of(voucher)
