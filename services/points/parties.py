"""Who takes part in a transaction or a reversal beside points, and what they are sent (rules 4.2.2, 4.2.3).

Gift cards hold first, each sends the hold on to the next, and the last one has the vouchers executed. So the vouchers
decide, and where there are none, the last card.
"""

from collections.abc import Sequence

from schemas.base import Wire
from schemas.giftcard_saga import (
    CANCEL_HOLD,
    HOLD_CARD,
    SETTLE_CARD,
    CancelHold,
    CardPayment,
    HeldCard,
    HoldCard,
    PaidCard,
    SettleCard,
)
from schemas.holds import TransactionHeld
from schemas.reversals import ReversalHeld
from schemas.voucher_saga import CancelVouchers, Decision, ExecuteVouchers, ReverseVouchers
from services.points.booking import Booking
from services.points.originals import Undo
from shared.decider import FollowUp

_VOUCHERS = "voucher.commands"
_CARDS = "giftcard.commands"


def pay_with(booking: Booking, payments: Sequence[CardPayment]) -> list[HeldCard]:
    """The gift cards of a transaction as its last operations."""
    cards = []
    for at, each in enumerate(payments):
        cards.append(
            HeldCard(
                operation=booking.operation,
                pointer=f"/giftcards/{at}",
                card_id=each.card_id,
                amount=each.amount,
                currency=each.currency,
            )
        )
        booking.operation += 1
    return cards


def paid(cards: Sequence[HeldCard]) -> tuple[PaidCard, ...] | None:
    """What the points service remembers of the cards; None when none takes part."""
    found = tuple(
        PaidCard(operation=each.operation, card_id=each.card_id, amount=each.amount, currency=each.currency)
        for each in cards
    )
    return found or None


def execute(
    held: TransactionHeld, vouchers: ExecuteVouchers | None, cards: Sequence[HeldCard], comment: str | None
) -> FollowUp:
    """What the first party of a transaction is sent."""
    if cards:
        return _hold(
            HoldCard(
                transaction_id=held.transaction_id,
                account=held.account,
                cards=tuple(cards),
                deadline=held.deadline,
                execute=vouchers,
                source=held.source,
                comment=comment,
                occurred_at=held.occurred_at,
            )
        )
    assert vouchers is not None
    return FollowUp(_VOUCHERS, "voucher.execute.v1", held.account, _body(vouchers))


def undo(held: ReversalHeld, vouchers: ReverseVouchers, undos: Sequence[Undo], comment: str | None) -> FollowUp:
    """What the first party of a reversal is sent."""
    cards = [
        HeldCard(
            operation=each.operation,
            pointer=each.pointer,
            card_id=each.original.card.card_id,
            amount=each.original.card.amount,
            currency=each.original.card.currency,
        )
        for each in undos
        if each.original.card is not None
    ]
    if not cards:
        return FollowUp(_VOUCHERS, "voucher.reverse.v1", held.account, _body(vouchers))
    return _hold(
        HoldCard(
            transaction_id=held.reversal_id,
            reverses=held.transaction_id,
            account=held.account,
            cards=tuple(cards),
            undo=vouchers if vouchers.redemptions or vouchers.purchases else None,
            reason=held.reason,
            source=held.source,
            comment=comment,
            occurred_at=held.occurred_at,
        )
    )


def cancel(held: TransactionHeld) -> FollowUp:
    """What whoever decides the transaction is sent when its time is over."""
    if not held.cards or not held.card_decides:
        body: Wire = CancelVouchers(transaction_id=held.transaction_id, account=held.account)
        return FollowUp(_VOUCHERS, "voucher.cancel.v1", held.account, _body(body))
    last = held.cards[-1]
    body = CancelHold(
        transaction_id=held.transaction_id, operation=last.operation, account=held.account, card_id=last.card_id
    )
    return FollowUp(_CARDS, CANCEL_HOLD, last.card_id, _body(body))


def settle(held: TransactionHeld | ReversalHeld, decision: Decision) -> tuple[FollowUp, ...]:
    """What each card is sent when the transaction or the reversal has closed."""
    id_ = held.reversal_id if isinstance(held, ReversalHeld) else held.transaction_id
    told = (
        SettleCard(
            transaction_id=id_,
            operation=card.operation,
            account=held.account,
            card_id=card.card_id,
            decision=decision,
        )
        for card in held.cards or ()
    )
    return tuple(FollowUp(_CARDS, SETTLE_CARD, each.card_id, _body(each)) for each in told)


def _hold(command: HoldCard) -> FollowUp:
    return FollowUp(_CARDS, HOLD_CARD, command.card.card_id, _body(command))


def _body(command: Wire) -> dict[str, object]:
    return command.model_dump(mode="json", by_alias=True, exclude_none=True)
