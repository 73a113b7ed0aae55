"""What a transaction would come to, from the same decisions, of which nothing is kept (rules 4.2.3).

One with vouchers or gift cards is decided twice, as it would be: held, then closed as if these had executed their part.
Whether they would is asked of their services, with what the hold would have sent to them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.giftcard_saga import HOLD_CARD
from schemas.points import CloseTransaction
from schemas.tiers import TierChanged
from schemas.voucher_saga import Decision
from services.points.booking import Booking
from services.points.desk import desk
from services.points.holding import close_transaction, closing_streams
from services.points.state import Account, Event
from shared.decider import Accepted, Command, Document
from shared.ids import closing_id


def preview_transaction(command: Command, states: Mapping[str, Any], verdict: Accepted[Event]) -> Document:
    """Balances before it, what was due included, and after it; what thresholds would issue; levels that change.

    `execute` is what the voucher service would be sent, or None; with gift cards, `hold` is what the first one would.
    """
    result, events = verdict.result, [*verdict.events]
    hold: Document | None = None
    execute: Document | None = None
    if verdict.held:
        (told,) = verdict.follow_ups
        hold, execute = (told.payload, told.payload.get("execute")) if told.type == HOLD_CARD else (None, told.payload)
        closed = _as_executed(command, states, verdict)
        assert closed.closing is not None
        result, events = closed.closing.result, [*events, *closed.events]
    before = _before(command, states)
    return {
        "balances": [{**each, "before": _spendable(before, each["loyaltyProgramId"])} for each in result["balances"]],
        "issuedVouchers": [
            {name: each[name] for name in ("operation", "voucherId", "programme")} for each in result["issuedVouchers"]
        ],
        "tiers": [*_levels(event for _, event in events)],
        "execute": execute,
        **({} if hold is None else {"hold": hold}),
    }


def _as_executed(command: Command, states: Mapping[str, Any], held: Accepted[Event]) -> Accepted[Event]:
    """What closes the hold, when all is well with the vouchers."""
    payload = CloseTransaction(transaction_id=command.id, account=command.subject, decision=Decision.EXECUTED)
    close = command._replace(id=closing_id(command.id), payload=payload)
    streams, after = closing_streams(close, payload), held.states or {}
    found = {name: after[name] if name in after else states[name] for name in (*streams.writes, *streams.reads)}
    closed = close_transaction(close, payload, found)
    if not isinstance(closed, Accepted):
        raise TypeError(f"a hold that was executed is closed, and not {closed}")
    return closed


def _before(command: Command, states: Mapping[str, Any]) -> Account:
    """The account at the beginning of the transaction, with what is due booked."""
    booking = desk(command, command.payload.account_number, states, command.payload.context)
    if not isinstance(booking, Booking):
        raise TypeError(f"what is decided on {command.subject} belongs there")
    return booking.account


def _spendable(account: Account, programme: str) -> int:
    balance = account.balances.get(programme)
    return 0 if balance is None else balance.spendable


def _levels(events: Iterable[Event]) -> Iterable[Document]:
    """The levels that change, in order of events: what is due on the account before the transaction is among them."""
    for event in events:
        if isinstance(event, TierChanged):
            yield {"tierSet": event.tier_set, "before": event.from_, "after": event.to}
