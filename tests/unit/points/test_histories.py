"""Random histories of one account: the service against the reference model after every command, the identities of
rules 4.1.7, and the public promises.

Those that run every time are seeded, so that every run is the same; the long ones draw fresh seeds.
"""

from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from schemas.points import AccountView, Expired, Movement, PointsChanged, PostTransaction, TransactionResult
from schemas.receipts import FREE_RECEIPT, FreeReceipt
from services.points.changes import changes
from services.points.decider import DECIDER
from services.points.due import due_at
from services.points.identities import check_event, check_state
from services.points.state import (
    Account,
    Balance,
    Event,
    State,
)
from shared.decider import Accepted, Document, Rejected
from tests.unit.points.history_commands import Story
from tests.unit.points.reference import Model, Purse, RefusedError
from tests.unit.points.world import ACCOUNT, T0, When, applied, given, programme

EARN = [{"on": "order", "points": 3, "per": 7}, {"on": "order", "points": 1, "per": 2}]
PROGRAMMES = (
    applied(programme("DAYS", expiry={"days": 3}, accountExpiryMonths=1)),
    applied(programme("EVER")),
    applied(
        programme(
            "ORDERS", expiry={"days": 4}, accountExpiryMonths=1, reversalGraceDays=2, earnFrom="orders", earn=EARN
        )
    ),
    applied(programme("CENTS", earnFrom="orders", earn=[{"on": "order", "points": 1, "per": 0.3}])),
)
SEEDS = 40
LENGTH = 250
RARE = 5
REACHED = (
    "points.account_opened.v1",
    "points.account_state_changed.v1",
    "points.scheduled.v1",
    "points.unscheduled.v1",
    "points.loaded.v1",
    "points.redeemed.v1",
    "points.adjusted.v1",
    "points.pended.v1",
    "points.activated.v1",
    "points.deactivated.v1",
    "points.dropped.v1",
    "points.expired.v1 of a lot",
    "points.expired.v1 of an account",
    "points.revoked.v1",
    "points.given_back.v1",
    "points.order_placed.v1",
    "points.order_fact_recorded.v1",
    "points.order_fact_applied.v1",
    "points.order_fact_refused.v1",
    "points.order_settled.v1",
    "points.order_award_refused.v1",
    "points.receipt_loaded.v1",
    "points.reversed.v1",
    "into debt",
    "out of debt",
    "account_unknown",
    "account_spending_blocked",
    "account_suspended",
    "account_closed",
    "insufficient_points",
    "expiry_in_past",
    "expiry_before_activation",
    "scheduled_debit",
    "value_zero",
    "order_already_earns",
    "order_conflict",
    "order_amendment_below_facts",
    "order_exceeded",
    "order_fact_conflict",
    "order_line_unknown",
    "return_exceeds_fulfilled",
    "transaction_unknown",
    "reversed_operation_unknown",
    "not_reversible",
    "already_reversed",
    "reversal_exceeds_original",
)
"""What happens in ten thousand commands, so that what is compared is not true of nothing."""


def model() -> Model:
    """The reference model of an account with these programmes."""
    earns = ((3, Fraction(7)), (1, Fraction(2)))
    purses = {
        "DAYS": Purse(3, 1),
        "EVER": Purse(None, None),
        "ORDERS": Purse(4, 1, earns, grace=2),
        "CENTS": Purse(None, None, ((1, Fraction(3, 10)),)),
    }
    return Model(purses)


class History:
    """One account in the service and in the model; `seen` counts types of events and codes of refusals."""

    def __init__(self, seen: Counter[str]) -> None:
        self.world = given(*PROGRAMMES)
        self.model = model()
        self.folded: dict[str, State] = {}
        self.published: list[Document] = []
        self.running: Counter[tuple[str, str]] = Counter()
        self.seen = seen

    def play(self, story: Story, length: int) -> None:
        """Run the story on both, and compare them after every command."""
        now = T0
        for _ in range(length):
            now, command_id, command = story.next(now)
            when = self.world.when(command, now=now, command_id=command_id)
            try:
                self.model = self.model.after(command, now, command_id)
                agreed = True
            except RefusedError:
                agreed = False
            if isinstance(when.outcome, Rejected):
                assert not agreed, (command, when.outcome)
                assert when.states == self.world.states
                self.seen[when.outcome.code] += 1
                continue
            assert isinstance(when.outcome, Accepted)
            assert agreed, command
            if isinstance(command, PostTransaction):
                _check_outcome(when.outcome)
            self._fold(when.outcome)
            self.world.states.update(when.states)
            when = self._follow(when, now)
            _check_balances(when.account, self.model, now)
            _check_account(when.account)
            for stream in {stream for stream, _ in when.accepted.events}:
                self._check_stream(stream, when.states[stream])

    def _follow(self, when: When, now: datetime) -> When:
        """Do what follows on the account at once: a receipt becomes free."""
        for follow_up in when.accepted.follow_ups:
            if follow_up.type == FREE_RECEIPT:
                when = self.world.when(FreeReceipt.model_validate(follow_up.payload), now=now, command_id="free")
                self._fold(when.accepted)
                self.world.states.update(when.states)
        return when

    def _fold(self, accepted: Accepted[Event]) -> None:
        """Journal and publish what was booked."""
        for stream, event in accepted.events:
            self.seen[_name(event)] += 1
            document = _stored(event)
            state = self.folded.get(stream) or DECIDER.initial(stream)
            assert list(check_event(state, event)) == []
            self.folded[stream] = DECIDER.evolve(state, DECIDER.load_event(document))
            assert (changes(document) is not None) == isinstance(event, Movement)
            if isinstance(event, Movement):
                self.seen["into debt" if (event.debt_delta or 0) > 0 else "out of debt"] += bool(event.debt_delta)
                self._publish(changes(document) or {})

    def _publish(self, change: Document) -> None:
        """The public stream is gapless and adds up."""
        assert PointsChanged.model_validate(change).model_dump(mode="json", by_alias=True) == change
        self.published.append(change)
        assert change["sequence"] == len(self.published)
        for sum_of, delta in (("booked", "delta"), ("pending", "pendingDelta")):
            self.running[sum_of, change["programme"]] += change[delta]
            assert change[sum_of] == self.running[sum_of, change["programme"]]

    def _check_stream(self, stream: str, state: State) -> None:
        """The journal folds to the state, which has no identity broken and is stored without loss."""
        assert self.folded[stream] == state
        assert list(check_state(state)) == []
        document = DECIDER.dump_state(state)
        assert DECIDER.load_state(stream, document) == state
        raw = bson.encode(document)
        for aware in (True, False):
            options: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=aware)
            assert DECIDER.load_state(stream, bson.decode(raw, options)) == state
        if isinstance(state, Account):
            assert state.sequence == len(self.published)
            for name, balance in state.balances.items():
                assert balance.booked == self.running["booked", name]
                assert balance.pending == self.running["pending", name]


@pytest.mark.timeout(600)
def test_ten_thousand_commands() -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        History(seen).play(Story(Random(seed)), LENGTH)
    assert SEEDS * LENGTH == 10_000
    assert {name: seen[name] for name in REACHED if seen[name] < RARE} == {}


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@over(st.randoms(use_true_random=False), st.integers(8, 40))
def test_histories(random: Random, length: int) -> None:
    History(Counter()).play(Story(random), length)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=1_500, deadline=None, derandomize=False, database=None)
@over(st.randoms(use_true_random=False), st.integers(8, 60))
def test_histories_for_long(random: Random, length: int) -> None:
    History(Counter()).play(Story(random), length)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_fresh_seeds_for_long() -> None:
    for seed in Random().sample(range(10**9), 100):
        print(f"seed {seed}")  # noqa: T201 - shown when it fails
        History(Counter()).play(Story(Random(seed)), 1_000)


def test_the_model_is_plain() -> None:
    """A model that grows as large as what it is held against proves nothing."""
    assert Path(__file__).with_name("reference.py").read_text().count("\n") < 220


def _name(event: Event) -> str:
    if isinstance(event, Expired):
        return f"{event.type} of {'a lot' if event.reason == 'lot' else 'an account'}"
    return event.type


def _check_outcome(accepted: Accepted[Event]) -> None:
    result = TransactionResult.model_validate(accepted.result)
    assert result.model_dump(mode="json", by_alias=True) == accepted.result


def _stored(event: Event) -> Document:
    """The event as stored: equal to what pydantic makes of it, and read back to the same."""
    assert type(event).model_validate(event.model_dump()) == event
    document = DECIDER.dump_event(event)
    assert document == event.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert DECIDER.load_event(document) == event
    return document


def _check_balances(account: Account, model: Model, now: datetime) -> None:
    for name, purse in model.purses.items():
        balance = account.balances.get(name, Balance(name, 1, 0))
        assert (name, balance.booked, balance.pending, balance.debt) == (
            name,
            purse.booked(now),
            model.pending(name),
            purse.debt,
        )
        assert balance.account_expires_at == purse.closes
        assert sum(each.amount for each in balance.scheduled) == sum(
            each.amount for each in purse.credits if each.starts > now
        )
    first = due_at(account)
    assert first is None or first > now


def _check_account(account: Account) -> None:
    """The lots and their order, and that what is shown is whole; the identities are checked where streams are."""
    never = datetime.max.replace(tzinfo=UTC)
    for balance in account.balances.values():
        lots = (*balance.lots, *balance.scheduled)
        assert all(lot.amount > 0 and lot.id < balance.next_lot for lot in lots)
        assert len({lot.id for lot in lots}) == len({(lot.expires_at, lot.active_from) for lot in lots}) == len(lots)
        assert all((one.expires_at or never) < (two.expires_at or never) for one, two in pairwise(balance.lots))
        assert all((one.active_from or T0) <= (two.active_from or T0) for one, two in pairwise(balance.scheduled))
        assert all(lot.active_from is None for lot in balance.lots)
    view = DECIDER.views(account)
    assert (view is None) == (account.account_number is None)
    if view is not None:
        assert view.subject == ACCOUNT
        assert AccountView.model_validate(view.value).model_dump(mode="json", by_alias=True) == view.value
