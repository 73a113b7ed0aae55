"""Random histories of one account: the identities of RULES 4.1.7 after every command, and the public promises.

Seeded, so that every run is the same.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from schemas.points import AccountView, Adjust, Expired, Movement, PointsChanged, PostTransaction, TransactionResult
from services.points.changes import changes
from services.points.decider import DECIDER
from services.points.due import due_at
from services.points.state import Account, Balance, Event
from shared.decider import Accepted, Document, Rejected
from tests.unit.points.reference import Model, Purse, RefusedError
from tests.unit.points.world import ACCOUNT, DAY, STREAM, T0, adjust, applied, does, given, programme, transaction

PROGRAMMES = (
    applied(programme("DAYS", expiry={"days": 3}, accountExpiryMonths=1)),
    applied(programme("EVER")),
)
PURSES = {"DAYS": (3, 1), "EVER": (None, None)}
HOUR = timedelta(hours=1)

gaps = st.sampled_from([timedelta(0), HOUR, HOUR, DAY, DAY, 2 * DAY, 5 * DAY, 20 * DAY, 40 * DAY])
ends = st.sampled_from([None, None, None, HOUR, DAY, 2 * DAY, 5 * DAY, 35 * DAY, -HOUR])
starts = st.sampled_from([None, HOUR, HOUR, DAY, 3 * DAY, 35 * DAY, -HOUR])
names = st.sampled_from(["DAYS", "EVER"])
values = st.sampled_from([1, 2, 5, 9, 20, 30, 0])
loads = st.lists(st.tuples(values, ends, ends), max_size=2)
redemptions = st.lists(st.sampled_from([1, 1, 2, 3, 8, 0]), max_size=2)
parts = st.lists(st.tuples(names, loads, redemptions), max_size=2)
ups = st.tuples(names, st.sampled_from([3, 7, 30]), starts, ends)
downs = st.tuples(names, st.sampled_from([-1, -2, -6]), st.none(), st.none())
odd = st.tuples(names, st.sampled_from([0, 1, -1]), starts, ends)
commands = st.one_of(*[parts] * 6, *[ups] * 4, *[downs] * 2, odd)
histories = st.lists(st.tuples(gaps, commands), min_size=8, max_size=24)


def _at(now: datetime, offset: timedelta | None) -> str | None:
    return None if offset is None else (now + offset).isoformat()


def _command(drawn: Any, now: datetime) -> PostTransaction | Adjust:
    if isinstance(drawn, tuple):
        name, value, start, end = drawn
        return adjust(value, name, activeFrom=_at(now, start), expiresAt=_at(now, end))
    return transaction(
        *(
            does(
                name,
                loads=[
                    {"value": value, "balanceExpiresAt": _at(now, end), "accountExpiresAt": _at(now, close)}
                    for value, end, close in loading
                ],
                redemptions=redeeming,
            )
            for name, loading, redeeming in drawn
        )
    )


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@over(histories)
def test_histories(history: list[tuple[timedelta, Any]]) -> None:
    _play(history)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(max_examples=1_500, deadline=None, derandomize=False, database=None)
@over(histories)
def test_histories_for_long(history: list[tuple[timedelta, Any]]) -> None:
    _play(history)


def _play(history: list[tuple[timedelta, Any]]) -> None:
    """Run a history on the service and on the reference model, and compare them after every command."""
    world, now = given(*PROGRAMMES), T0
    model = Model({name: Purse(*rules) for name, rules in PURSES.items()})
    journal: list[Document] = []
    for index, (gap, drawn) in enumerate(history):
        now += gap
        command = _command(drawn, now)
        when = world.when(command, now=now, command_id=f"c{index}")
        try:
            model = model.after(command, now)
            agreed = True
        except RefusedError:
            agreed = False
        if isinstance(when.outcome, Rejected):
            assert not agreed, when.outcome
            assert when.states == world.states
        else:
            assert agreed
            _check_outcome(when.outcome)
            journal += [_stored(event) for _, event in when.outcome.events]
            _check_balances(when.account, model, now)
        world.states.update(when.states)
        _check_account(when.account)
        _check_journal(when.account, journal)


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
        assert balance.booked == purse.balance(now)
        assert balance.account_expires_at == purse.closes
        assert sum(each.amount for each in balance.scheduled) == sum(
            each.amount for each in purse.credits if each.starts > now
        )
    first = due_at(account)
    assert first is None or first > now


def _check_account(account: Account) -> None:
    """The identities of 4.1.7, the order of the lots, and that storing and showing lose nothing."""
    for balance in account.balances.values():
        assert balance.booked == sum(lot.amount for lot in balance.lots) >= 0
        spent = balance.redeemed + balance.expired + balance.adjusted_down
        assert balance.booked == balance.earned + balance.adjusted_up - spent
        lots = (*balance.lots, *balance.scheduled)
        assert all(lot.amount > 0 and lot.id < balance.next_lot for lot in lots)
        assert len({lot.id for lot in lots}) == len({(lot.expires_at, lot.active_from) for lot in lots}) == len(lots)
        never = datetime.max.replace(tzinfo=UTC)
        assert all((one.expires_at or never) < (two.expires_at or never) for one, two in pairwise(balance.lots))
        assert all((one.active_from or T0) <= (two.active_from or T0) for one, two in pairwise(balance.scheduled))
        assert all(lot.active_from is None for lot in balance.lots)
    document = DECIDER.dump_state(account)
    assert DECIDER.load_state(STREAM, document) == account
    raw = bson.encode(document)
    for aware in (True, False):
        options: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=aware)
        assert DECIDER.load_state(STREAM, bson.decode(raw, options)) == account
    view = DECIDER.views(account)
    assert (view is None) == (account.account_number is None)
    if view is not None:
        assert view.subject == ACCOUNT
        assert AccountView.model_validate(view.value).model_dump(mode="json", by_alias=True) == view.value


def _check_journal(account: Account, journal: list[Document]) -> None:
    """The journal folds to the account, and its public stream is gapless and adds up."""
    state = DECIDER.initial(STREAM)
    for document in journal:
        state = DECIDER.evolve(state, DECIDER.load_event(document))
    assert state == account
    published = [change for change in map(changes, journal) if change is not None]
    assert len(published) == sum(isinstance(DECIDER.load_event(document), Movement) for document in journal)
    assert [change["sequence"] for change in published] == list(range(1, len(published) + 1))
    assert account.sequence == len(published)
    running = dict.fromkeys(PURSES, 0)
    for change in published:
        assert PointsChanged.model_validate(change).model_dump(mode="json", by_alias=True) == change
        running[change["programme"]] += change["delta"]
        assert change["booked"] == running[change["programme"]]
    assert running == {name: getattr(account.balances.get(name), "booked", 0) for name in PURSES}


def test_the_histories_reach_everything() -> None:
    """One history by hand in which every kind of movement happens, so that the identities are not true of nothing."""
    world, now, seen = given(*PROGRAMMES), T0, list[Event]()
    for gap, command in (
        (timedelta(0), transaction(does("DAYS", loads=[20], redemptions=[1]))),
        (HOUR, adjust(7, "DAYS", activeFrom=(T0 + DAY).isoformat())),
        (DAY, adjust(-2, "DAYS")),
        (4 * DAY, adjust(3, "EVER")),
        (DAY, transaction(does("EVER", loads=[{"value": 1, "accountExpiresAt": (T0 + 9 * DAY).isoformat()}]))),
        (9 * DAY, transaction()),
    ):
        now += gap
        when = world.when(command, now=now)
        seen += [event for _, event in when.accepted.events]
        world.states.update(when.states)
        _check_account(when.account)
        _check_journal(when.account, [_stored(event) for event in seen])
    assert {event.type for event in seen} == {
        "points.account_opened.v1",
        "points.scheduled.v1",
        "points.loaded.v1",
        "points.redeemed.v1",
        "points.adjusted.v1",
        "points.activated.v1",
        "points.expired.v1",
    }
    assert {event.reason for event in seen if isinstance(event, Expired)} == {"lot", "account"}
