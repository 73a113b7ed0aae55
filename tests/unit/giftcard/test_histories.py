"""Random histories of one card: whatever happens, its balance is the sum of what was booked, and never below zero."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from schemas.giftcards import (
    ActivateCard,
    BookCardDue,
    CancelMutation,
    CardBooked,
    CardStatus,
    IssueCard,
    PutCardType,
    RedeemCard,
    RefundCard,
    VoidCard,
)
from services.giftcard.changes import changes
from services.giftcard.decider import DECIDER
from shared.decider import Accepted
from shared.ids import mutation_id
from tests.unit.giftcard.test_loading import CONTEXT, NEW
from tests.unit.giftcard.world import CARD, RELOAD, STORE, T0, World

NAMES = st.sampled_from([None, "A", "B", "C", "D"])
AMOUNTS = st.integers(1, 6_000).map(lambda cents: cents / 100)
HOURS = st.integers(0, 24 * 200)


def _step(kind: str, name: str | None, amount: float, partial: bool, mutation: str) -> Any:
    named = {} if name is None else {"transactionId": name}
    common = {"cardId": CARD, "context": CONTEXT, **named}
    match kind:
        case "issue":
            return IssueCard.model_validate({**NEW, "cardType": "RELOAD", "amount": amount, **named})
        case "activate":
            return ActivateCard.model_validate({**common, "amount": amount})
        case "redeem":
            return RedeemCard.model_validate({**common, "amount": amount, "allowPartial": partial})
        case "cancel":
            return CancelMutation.model_validate({**common, "mutation": mutation})
        case "void":
            return VoidCard(card_id=CARD, reason="x")
        case "refund":
            return RefundCard(card_id=CARD, reason="x")
        case _:
            return BookCardDue(card_id=CARD)


_OFTEN = ["issue", "activate", "activate", "redeem", "redeem", "redeem", "cancel", "cancel", "due"]
KINDS = st.sampled_from([*_OFTEN * 3, "void", "refund"])
STEPS = st.lists(
    st.tuples(
        st.builds(_step, KINDS, NAMES, AMOUNTS, st.booleans(), st.sampled_from(["issue", "activate", "redeem"])), HOURS
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@drawn(STEPS)
def test_a_balance_is_the_sum_of_what_was_booked(steps: list[tuple[Any, int]]) -> None:
    """The world checks each event and state against the identities; this adds up the public stream of changes."""
    world, now = World().when(PutCardType(card_type=RELOAD)), T0
    world = world.when(_step("issue", "first", 50, False, "issue"))
    told: list[dict[str, Any]] = []
    _tell(told, world)
    for number, (payload, hours) in enumerate(steps):
        now += timedelta(hours=hours)
        id_ = _id_of(payload) or f"command-{number}"
        if id_ not in world.journal:  # Else the runtime repeats the reply and decides nothing.
            world = world.when(payload, now, id_)
            _tell(told, world)
    card = world.card()
    assert [each["sequence"] for each in told] == [*range(1, card.sequence + 1)]
    balance, status = 0, None
    for each in told:
        balance += each["delta"]
        assert each["balance"] == balance >= 0
        assert each["oldStatus"] == status
        status = each["newStatus"]
    assert (balance, status) == (card.balance, None if card.status is None else card.status.value)
    assert (card.status is CardStatus.ACTIVE) == (card.balance > 0)
    _check_cancels(told)


def _id_of(payload: Any) -> str | None:
    """The command's id, where it follows from its caller's transaction id."""
    named = getattr(payload, "transaction_id", None)
    return None if named is None or isinstance(payload, CancelMutation) else mutation_id(STORE, CARD, named)


def _tell(told: list[dict[str, Any]], world: World) -> None:
    if isinstance(world.outcome, Accepted):
        for _, event in world.outcome.events:
            if isinstance(event, CardBooked):
                change = changes(DECIDER.dump_event(event))
                assert change is not None
                told.append(change)


def _check_cancels(told: list[dict[str, Any]]) -> None:
    """A cancel undoes exactly the mutation before it, and a mutation is cancelled once."""
    for before, each in pairwise(told):
        if each["kind"] == "cancel":
            assert each["cancels"] == before["transactionId"]
            assert each["delta"] == -before["delta"]
            assert before["kind"] in ("issue", "activate", "redeem")
    assert len({each["transactionId"] for each in told}) == len(told)
