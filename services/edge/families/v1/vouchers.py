"""Vouchers by hand: issued, voided, looked at (rules 4.3)."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from services.edge.auth.tokens import Caller
from services.edge.bus.commands import Ask
from services.edge.edge import Edge
from services.edge.families.v1.accounts import ADMIN
from services.edge.families.v1.models import VoucherAnswer, VoucherIssue, VoucherVoid
from services.edge.http import answers, bodies, query
from services.edge.http.commands import described
from services.edge.http.head import SERIAL_ID, idempotency_key, serial_id
from services.edge.http.openapi import refusals
from services.edge.http.pointers import SentBody
from services.edge.http.problems import Problem
from shared.decider import Document
from shared.hashing import canonical, to_json
from shared.ids import account_id, keyed_command_id, new_id
from shared.numbers import drawn_number

VOUCHERS = "/v1/vouchers"
VOUCHER = VOUCHERS + "/{serialId}"
VOID = VOUCHER + "/void"

_ISSUE_RULES = (
    "definition_unknown",
    "definition_retired",
    "bearer_not_allowed",
    "serial_in_use",
    "expiry_in_past",
    "expiry_before_activation",
    "too_large",
)
_VOID_RULES = ("not_found", "voucher_unknown", "voucher_void", "voucher_redeemed", "voucher_expired", "too_large")
_ISSUED: Document = {
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
_SHOWN = {
    "model": VoucherAnswer,
    "description": "The voucher as it is now.",
    "content": {
        "application/json": {
            "examples": {
                "issued": {"summary": "One that can be used", "value": _ISSUED},
                "redeemed": {"summary": "One that was used", "value": _REDEEMED},
            }
        }
    },
}
_ISSUE_EXAMPLES: dict[str, Any] = {
    "goodwill": {
        "summary": "To a customer",
        "value": {"voucherId": "VOUCHER-5", "accountNumber": "6299000000000000017", "reason": "late delivery"},
    }
}
_VOID_EXAMPLES = {"lost": {"summary": "A lost voucher", "value": {"reason": "reported lost"}}}


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`POST /v1/vouchers`, `POST …/{serialId}/void` and `GET …/{serialId}`."""

    @app.post(
        VOUCHERS,
        tags=["Vouchers"],
        summary="Issue a voucher",
        **described("VoucherIssue", _ISSUE_EXAMPLES, _SHOWN, _ISSUE_RULES, of=()),
    )
    @edge.access.scoped(ADMIN)
    async def issue_voucher(request: Request, caller: Caller) -> Response:
        """Issue a voucher of a definition to the account that a number leads to, or to bearer."""
        key = idempotency_key(request.headers)
        said = bodies.exact(await bodies.read(request, edge.settings.record_bytes_max), VoucherIssue)
        given = bodies.validated(VoucherIssue, said)
        value = given.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
        secret, drawn = edge.settings.secret.get_secret_value().encode(), new_id()
        if key is not None:
            drawn = keyed_command_id(caller.store, caller.client, key)
        value.setdefault("serialId", drawn_number(secret, "voucher", caller.store, drawn))
        subject = value["serialId"].upper()
        if given.account_number is not None:
            account = account_id(caller.store, given.account_number)
            subject, number = await edge.views.accounts.names(account) or (account, given.account_number)
            value |= {"account": subject, "accountNumber": number}
        heard = (VOUCHERS, canonical(said))
        body = SentBody(said, VoucherIssue, {"account": "accountNumber"})
        return await _send(edge, caller, "voucher.issue.v1", subject, value, heard, key, body)

    @app.post(
        VOID,
        tags=["Vouchers"],
        summary="Void a voucher",
        **described("VoucherVoid", _VOID_EXAMPLES, _SHOWN, _VOID_RULES, of=(SERIAL_ID,)),
    )
    @edge.access.scoped(ADMIN)
    async def void_voucher(request: Request, caller: Caller) -> Response:
        """Make a voucher unusable, whoever owns it. Nothing is given back for it."""
        key, serial = idempotency_key(request.headers), serial_id(request)
        said = bodies.exact(await bodies.read(request, edge.settings.record_bytes_max), VoucherVoid)
        given = bodies.validated(VoucherVoid, said).model_dump(mode="json", by_alias=True, exclude_unset=True)
        heard, value = (VOID, serial, canonical(said)), {**given, "serialId": serial}
        sent = SentBody(said, VoucherVoid)
        return await _send(edge, caller, "voucher.void.v1", serial.upper(), value, heard, key, sent)

    @app.get(
        VOUCHER,
        tags=["Vouchers"],
        summary="Look at a voucher",
        response_class=Response,
        responses={200: _SHOWN, **refusals("not_found", "invalid_parameter", "internal", "unavailable")},
        openapi_extra={"parameters": [SERIAL_ID]},
    )
    @edge.access.scoped(ADMIN)
    async def get_voucher(request: Request, caller: Caller) -> Response:
        """A voucher, whatever became of it."""
        query.read(request)
        found = await edge.views.vouchers.one(caller.store, serial_id(request))
        if found is None:
            raise Problem("not_found", "no voucher has this serial")
        return answers.answer(voucher_of(found))


def voucher_of(view: Mapping[str, Any]) -> Document:
    """A voucher as HTTP callers see it, from its snapshot: its cost in whole units."""
    shown = {name: value for name, value in view.items() if name not in ("version", "scale")}
    shown.setdefault("benefit", None)  # The snapshot is from before there were any.
    shown.setdefault("unit", None)
    return {**shown, "cost": answers.whole(view["cost"], view["scale"])}


async def _send(
    edge: Edge,
    caller: Caller,
    type_: str,
    subject: str,
    value: Document,
    said: tuple[str | bytes, ...],
    key: str | None,
    sent: SentBody,
) -> Response:
    async def show(result: Mapping[str, Any]) -> Document | None:
        found = await edge.views.vouchers.one(caller.store, result["serialId"])
        return None if found is None else voucher_of(found)

    body = to_json(value)
    asked = Ask(
        caller=caller, service="voucher", type=type_, subject=subject, value=body, said=said, key=key, body=sent
    )
    return await edge.bus.execute(asked, show)
