"""What is shown of a gift card's history: by a property test over random histories (rules 4.4.6)."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.edge.families.giftcard.history import ENTRIES_MAX, condensed, regular

Change = dict[str, Any]
Step = tuple[bool, int]

STEPS = st.lists(st.tuples(st.booleans(), st.integers(-40, 60).filter(bool)), max_size=2 * ENTRIES_MAX + 9)
"""Whether a mutation cancels the one before, if it can; else what it adds to the balance."""


def history_of(steps: list[Step]) -> list[Change]:
    """The changes that a card publishes, oldest first: each cancel undoes the mutation right before it."""
    changes: list[Change] = []
    for sequence, (cancel, delta) in enumerate(steps, 1):
        last = changes[-1] if changes else None
        undone = last if cancel and last is not None and last["cancels"] is None else None
        balance = last["balance"] if last is not None else 0
        moved = -undone["delta"] if undone is not None else max(delta, -balance)
        changes.append(
            {
                "sequence": sequence,
                "transactionId": f"t-{sequence}",
                "cancels": None if undone is None else undone["transactionId"],
                "delta": moved,
                "balance": balance + moved,
            }
        )
    return changes


def page_of(changes: list[Change]) -> list[Change]:
    """What the view gives: the newest, one more than is shown."""
    return changes[::-1][: ENTRIES_MAX + 1]


def follow(entries: list[Change]) -> bool:
    """Whether each entry's balance is that of the entry below it and what it adds."""
    return all(over["balance"] == under["balance"] + over["delta"] for over, under in pairwise(entries))


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_histories_sum_to_the_balance_at_every_line(steps: list[Step]) -> None:
    changes = history_of(steps)
    whole, short = regular(page_of(changes)), condensed(page_of(changes))
    assert whole == changes[::-1][:ENTRIES_MAX]
    assert follow(whole)
    assert follow(short)
    if len(changes) <= ENTRIES_MAX:
        balance = changes[-1]["balance"] if changes else 0
        assert sum(each["delta"] for each in whole) == balance
        assert sum(each["delta"] for each in short) == balance


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_condensed_histories_hide_cancelled_pairs_and_nothing_else(steps: list[Step]) -> None:
    changes = history_of(steps)
    undone = {each["cancels"] for each in changes if each["cancels"] is not None}
    expected = [each for each in changes if each["cancels"] is None and each["transactionId"] not in undone]
    oldest = len(changes) - ENTRIES_MAX
    assert condensed(page_of(changes)) == [each for each in reversed(expected) if each["sequence"] > oldest]


@pytest.mark.parametrize("older", [0, 1, 2])
def test_a_pair_at_the_border_of_what_is_shown_is_hidden_as_a_whole(older: int) -> None:
    """The oldest entry that is shown is a cancel; what it has undone is older."""
    changes = history_of([(False, 50)] * (1 + older) + [(False, -7), (True, 1)] + [(False, 1)] * (ENTRIES_MAX - 1))
    shown = condensed(page_of(changes))
    assert len(page_of(changes)) == ENTRIES_MAX + 1
    assert [each["cancels"] for each in shown] == [None] * (ENTRIES_MAX - 1)
