"""What must hold of every gift card (rules 4.4.3 to 4.4.6): its balance, and which status follows which."""

from collections.abc import Iterator

from schemas.giftcard_saga import CardHoldPlaced, PaymentSettled
from schemas.giftcards import CardRedeemed, CardStatus
from services.giftcard.evolve import KINDS
from services.giftcard.state import Batch, Card, Event, MutationEvent, Payment, State
from shared.findings import Difference

_S = CardStatus
_LEGAL: dict[str, set[tuple[CardStatus | None, CardStatus]]] = {
    "create": {(None, _S.CREATED)},
    "issue": {(None, _S.ACTIVE)},
    "import": {(None, each) for each in (_S.CREATED, _S.ACTIVE, _S.REDEEMED)},
    "activate": {(each, _S.ACTIVE) for each in (_S.CREATED, _S.ACTIVE, _S.REDEEMED)},
    "redeem": {(_S.ACTIVE, _S.ACTIVE), (_S.ACTIVE, _S.REDEEMED)},
    "give_back": {(each, _S.ACTIVE) for each in (_S.ACTIVE, _S.REDEEMED, _S.EXPIRED)},
    "cancel": {
        *((_S.ACTIVE, each) for each in (_S.CREATED, _S.ACTIVE, _S.REDEEMED, _S.VOID)),
        (_S.REDEEMED, _S.ACTIVE),
    },
    "void": {(each, _S.VOID) for each in (_S.CREATED, _S.ACTIVE, _S.REDEEMED)},
    "refund": {(each, _S.REFUNDED) for each in (_S.CREATED, _S.ACTIVE, _S.REDEEMED)},
    "expire": {(each, _S.EXPIRED) for each in (_S.ACTIVE, _S.REDEEMED)},
}
"""The statuses before and after each kind of mutation."""


def check_event(state: State, event: Event) -> Iterator[Difference]:
    """What is wrong with `event`, which comes next on `state`."""
    if isinstance(state, Payment):
        yield from _check_payment(state, event)
    if not isinstance(state, Card):
        return
    if isinstance(event, CardHoldPlaced) and not event.gives_back and event.amount > state.spendable:
        yield Difference("held", f"at most {state.spendable}", str(event.amount))
    if isinstance(event, MutationEvent):
        yield from _check_mutation(state, event)


def _check_payment(payment: Payment, event: Event) -> Iterator[Difference]:
    """It is decided once, and settled once; what was not held is not booked."""
    if isinstance(event, PaymentSettled):
        if payment.executed is not None or (event.executed and payment.decided is None):
            yield Difference("settled", "held before", str(payment))
    elif payment.decided is not None or payment.executed is not None:
        yield Difference("decided", "once", str(payment))


def _check_mutation(state: Card, event: MutationEvent) -> Iterator[Difference]:
    kind = KINDS[event.type]
    step = (state.status, event.new_status)
    if step not in _LEGAL[kind]:
        yield Difference(f"status of {kind}", str(sorted(map(str, _LEGAL[kind]))), str(step))
    if event.old_status != state.status:
        yield Difference("old status", str(state.status), str(event.old_status))
    if event.balance != state.balance + event.delta:
        yield Difference("balance", str(state.balance + event.delta), str(event.balance))
    if event.sequence != state.sequence + 1:
        yield Difference("sequence", str(state.sequence + 1), str(event.sequence))
    if (kind == "expire") != state.is_due(event.booked_at) and not _was_held(event):
        yield Difference(f"time of {kind}", str(state.expires_at), str(event.booked_at))


def _was_held(event: MutationEvent) -> bool:
    """Whether it was held in time, so that it may be booked later."""
    return isinstance(event, CardRedeemed) and event.operation is not None


def check_state(state: State) -> Iterator[Difference]:
    """What is wrong as it stands: a card that is active has a balance, and no other one; it covers what is held."""
    if isinstance(state, Card) and state.held > state.balance:
        yield Difference("held", f"at most {state.balance}", str(state.held))
    if isinstance(state, Batch) and not state.created <= min(state.wanted, state.position):
        yield Difference("created", f"at most {state.wanted} of {state.position} drawn", str(state.created))
    if isinstance(state, Card) and (state.balance > 0) != (state.status is CardStatus.ACTIVE):
        yield Difference("balance", "above zero while active, else zero", f"{state.balance} {state.status}")
