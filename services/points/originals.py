"""What a transaction has done, operation by operation, and how much of it is still to be undone (rules 4.1.13)."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from schemas.giftcard_saga import PaidCard
from schemas.holds import TransactionClosed
from schemas.movements import Adjusted, Loaded, Purchased, Redeemed, Scheduled, ThresholdReached
from schemas.points import Reverse
from schemas.receipts import ReceiptLoaded
from schemas.refusals import PointsRefusal
from schemas.reversals import ReversedAmount, ReversedOperation
from schemas.voucher_saga import VoucherDone
from services.points.reversals import Reversals
from shared.decider import Entry, Rejected
from shared.money import to_minor

BookedOperation = Loaded | Redeemed | Purchased | Adjusted | Scheduled


class Original(NamedTuple):
    """An operation: what it booked on the account, the voucher that it issued or redeemed, the gift card that paid.

    Redeeming a voucher and paying with a card book nothing; nothing but a purchase does both.
    """

    operation: int
    booked: BookedOperation | None = None
    voucher: VoucherDone | None = None
    card: PaidCard | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether another service has a part in it, and in undoing it; such an operation is undone wholly."""
        return self.voucher is not None or self.card is not None

    @property
    def amount(self) -> int:
        """What it came to, in the programme's smallest unit."""
        if self.booked is None:
            return 0
        return self.booked.amount if isinstance(self.booked, Scheduled) else abs(self.booked.delta)


class Originals(NamedTuple):
    """The transaction `id` by operation; `lasting` are operations that cannot be undone.

    `receipt` is what it loads for where orders earn, if anything.
    """

    id: str
    operations: Mapping[int, Original]
    lasting: frozenset[int]
    receipt: ReceiptLoaded | None = None

    def loads_left(self, undone: Mapping[int, int]) -> set[str]:
        """The programmes of which some load is not wholly `undone`."""
        return {
            each.booked.programme
            for each in self.operations.values()
            if isinstance(each.booked, Loaded) and undone.get(each.operation, 0) < each.amount
        }


class Undo(NamedTuple):
    """What is to be undone of an operation: `amount` after the `done` that was undone before.

    `pointer` is where the request asks for it.
    """

    original: Original
    amount: int
    done: int
    pointer: str = ""

    @property
    def operation(self) -> int:
        """The operation of the original."""
        return self.original.operation


def originals_of(entry: Entry, streams: Collection[str]) -> Originals:
    """What the journal has of a transaction on the account of these `streams`, and what vouchers came to with it."""
    found: dict[int, Original] = {}
    lasting: set[int] = set()
    for written, event in entry.events:
        if isinstance(event, TransactionClosed):
            lasting.update(each.operation for each in event.voided)
            for each in (*event.issued, *event.redeemed):
                known = found.get(each.operation, Original(each.operation))
                found[each.operation] = known._replace(voucher=each)
            found.update({each.operation: Original(each.operation, card=each) for each in event.cards or ()})
        elif written in streams and isinstance(event, ThresholdReached):
            lasting.add(event.operation)
        elif written in streams and isinstance(event, BookedOperation) and event.operation >= 0:
            known = found.get(event.operation, Original(event.operation))
            found[event.operation] = known._replace(booked=event)
    return Originals(entry.id, found, frozenset(lasting))


def wanted(payload: Reverse, originals: Originals, reversals: Reversals) -> list[Undo] | Rejected:
    """What to undo of which operation, never more than is left of it over all reversals."""
    if not payload.operations:
        if undos := [*_all(originals, reversals)]:
            return undos
        detail = "all of the transaction was reversed before"
        return Rejected(PointsRefusal.ALREADY_REVERSED, detail, "/transactionId")
    undone, elsewhere = dict(reversals.undone), {*reversals.vouchers, *reversals.cards}
    undos = []
    for index, each in enumerate(payload.operations):
        undo = _one(each, originals, undone, elsewhere, f"/operations/{index}")
        if isinstance(undo, Rejected):
            return undo
        undos.append(undo)
        undone[undo.operation] = undo.done + undo.amount
        if undo.original.is_elsewhere:
            elsewhere.add(undo.operation)
    return undos


def undos_of(amounts: tuple[ReversedAmount, ...], originals: Originals, reversals: Reversals) -> list[Undo]:
    """What a reversal that was held is to undo on the account."""
    undone = dict(reversals.undone)
    undos = []
    for each in amounts:
        done = undone.get(each.operation, 0)
        undos.append(Undo(originals.operations[each.operation], each.amount, done))
        undone[each.operation] = done + each.amount
    return undos


def _all(originals: Originals, reversals: Reversals) -> Iterator[Undo]:
    for original in originals.operations.values():
        done = reversals.undone.get(original.operation, 0)
        left = original.amount - done
        dealt_with = original.operation in reversals.vouchers or original.operation in reversals.cards
        if not dealt_with and (left or original.is_elsewhere):
            yield Undo(original, left, done, "/transactionId")


def _one(
    asked: ReversedOperation, originals: Originals, undone: Mapping[int, int], elsewhere: set[int], pointer: str
) -> Undo | Rejected:
    """One operation that is named, after what was `undone` before, here and `elsewhere`."""
    at = asked.operation
    original, done = originals.operations.get(at), undone.get(at, 0)
    if original is None:
        if at in originals.lasting:
            detail = "a threshold, and a voucher that was voided, stay as they are"
            return Rejected(PointsRefusal.NOT_REVERSIBLE, detail, f"{pointer}/operation")
        detail = "the transaction booked no such operation"
        return Rejected(PointsRefusal.REVERSED_OPERATION_UNKNOWN, detail, f"{pointer}/operation")
    left = original.amount - done
    if at in elsewhere or (left == 0 and not original.is_elsewhere):
        return Rejected(PointsRefusal.ALREADY_REVERSED, "the operation was reversed before", f"{pointer}/operation")
    if asked.value is None:
        return Undo(original, left, done, pointer)
    if original.booked is None:
        detail = "a voucher, and what a gift card paid, is reversed without a value"
        return Rejected(PointsRefusal.NOT_REVERSIBLE, detail, f"{pointer}/value")
    amount = to_minor(asked.value, original.booked.scale)
    if amount is None:
        detail = f"{original.booked.programme} has {original.booked.scale} decimals"
        return Rejected(PointsRefusal.TOO_MANY_DECIMALS, detail, f"{pointer}/value")
    if amount > left:
        return Rejected(
            PointsRefusal.REVERSAL_EXCEEDS_ORIGINAL, "more than is left of the operation", f"{pointer}/value"
        )
    if amount < left and original.voucher is not None:
        return Rejected(PointsRefusal.NOT_REVERSIBLE, "a purchase is reversed wholly", f"{pointer}/value")
    return Undo(original, amount, done, pointer)
