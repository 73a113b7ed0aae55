"""Manual corrections of an account: balances, reversals, state, number and tiers (rules 4.1)."""

from typing import Annotated

from starlette.responses import Response

from schemas.accounts import AccountStanding, Replacement
from schemas.points import Adjustment
from schemas.reversals import Reversal
from schemas.tiers import TierPin
from services.edge.auth.principals import ADMIN, Administrator, ReversingClient
from services.edge.bus.sending import Send, sends
from services.edge.families.models import TransactionAnswer
from services.edge.families.v1.models.accounts import ReplacementAnswer, ReversalAnswer, StateAnswer, TierPinAnswer
from services.edge.http.bodies import Body, json_body
from services.edge.http.documenting import success_responses
from services.edge.http.parameters import AccountNumber, Reason, TierSetId
from services.edge.http.router import Router

router = Router("Accounts", "/v1/accounts/{accountNumber}")

_TRANSACTION = "0199d2a5-7c00-7000-8000-000000000001"
_PINNED = success_responses(TierPinAnswer, "The account has this level.")

AdjustmentBody = Annotated[
    Body[Adjustment],
    json_body(
        Adjustment,
        up={
            "summary": "Goodwill that expires",
            "value": {
                "programme": "LOY22-BuyVouchers",
                "value": 250,
                "reason": "late delivery",
                "expiresAt": "2030-12-31T23:00:00Z",
            },
        },
        down={"summary": "A correction", "value": {"programme": "CASHBACK", "value": -2.5, "reason": "counted twice"}},
    ),
]
ReversalBody = Annotated[
    Body[Reversal],
    json_body(
        Reversal,
        all={
            "summary": "The whole transaction",
            "value": {"transactionId": _TRANSACTION, "reason": "wrong card"},
        },
        part={
            "summary": "One operation in part, another wholly",
            "value": {
                "transactionId": _TRANSACTION,
                "operations": [{"operation": 0, "value": 2.5}, {"operation": 1}],
                "reason": "one article was sent back",
            },
        },
    ),
]
StandingBody = Annotated[
    Body[AccountStanding],
    json_body(
        AccountStanding,
        block={"summary": "A lost card", "value": {"state": "suspended", "reason": "reported lost"}},
    ),
]
ReplacementBody = Annotated[
    Body[Replacement],
    json_body(Replacement, card={"summary": "A new card", "value": {"newNumber": "6299000000000000025"}}),
]
TierPinBody = Annotated[
    Body[TierPin],
    json_body(TierPin, vip={"summary": "Hold at gold", "value": {"code": "gold", "reason": "a loyal customer"}}),
]


@router.post(
    "/adjustments",
    summary="Adjust a balance",
    responses=success_responses(TransactionAnswer, "Booked; the balance of the programme."),
)
async def adjust_balance(
    caller: Administrator,
    number: AccountNumber,
    body: AdjustmentBody,
    send: Annotated[Send, sends("points.adjust.v1")],
) -> Response:
    """Book a correction up or down, with its reason. A correction below zero is refused."""
    return await send.to_account(caller, number, body.command(), body)


@router.post(
    "/reversals",
    summary="Reverse a transaction",
    responses=success_responses(ReversalAnswer, "Booked; what was undone, and the balances of the programmes."),
)
async def reverse_transaction(
    caller: ReversingClient,
    number: AccountNumber,
    body: ReversalBody,
    send: Annotated[Send, sends("points.reverse.v1")],
) -> Response:
    """Reverse a transaction: all of it, or the operations named, in part where a value is given.

    Over all reversals each operation is reversed at most once. Points redeemed return to where they came from; what
    was loaded is revoked, and what of it has been spent becomes debt. A purchase gives its price back and voids its
    voucher, unless that was used since; vouchers redeemed become usable again. All of it is done, or nothing.

    With `api_admin`, any transaction can be reversed, with its vouchers. With `api_reverse`, only those that this
    client has posted over HTTP; others are refused (`transaction_foreign`).
    """
    restriction = {} if ADMIN in caller.scopes else {"onlyBy": caller.actor}
    return await send.to_account(caller, number, {**body.command(), **restriction}, body)


@router.put(
    "/state",
    summary="Set an account's state",
    responses=success_responses(StateAnswer, "The account has this state."),
)
async def set_account_state(
    caller: Administrator,
    number: AccountNumber,
    body: StandingBody,
    send: Annotated[Send, sends("points.set_account_state.v1")],
) -> Response:
    """Block, suspend, close or reactivate an account. Setting the state that it already has changes nothing."""
    return await send.to_account(caller, number, body.command(), body)


@router.post(
    "/replacements",
    summary="Replace an account's number",
    responses=success_responses(ReplacementAnswer, "The number leads to the account."),
)
async def replace_account_number(
    caller: Administrator,
    number: AccountNumber,
    body: ReplacementBody,
    send: Annotated[Send, sends("points.replace_number.v1")],
) -> Response:
    """The new number leads to this account from now on; so does the old one, which no other account can get."""
    return await send.to_account(caller, number, body.command(), body)


@router.put("/tiers/{tierSet}", summary="Pin an account to a tier", responses=_PINNED)
async def pin_tier(
    caller: Administrator,
    number: AccountNumber,
    tier_set: TierSetId,
    body: TierPinBody,
    send: Annotated[Send, sends("points.pin_tier.v1")],
) -> Response:
    """Keep an account at a tier, whatever it earns, until it is unpinned."""
    return await send.to_account(caller, number, {"tierSet": tier_set, **body.command()}, body)


@router.delete("/tiers/{tierSet}", summary="Unpin an account from a tier", responses=_PINNED)
async def unpin_tier(
    caller: Administrator,
    number: AccountNumber,
    tier_set: TierSetId,
    reason: Reason,
    send: Annotated[Send, sends("points.pin_tier.v1")],
) -> Response:
    """Unpin the account: it returns to the tier that it has earned."""
    return await send.to_account(caller, number, {"tierSet": tier_set, "code": None, "reason": reason})
