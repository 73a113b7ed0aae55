"""The books of liability: every day closes where the next one opens, whatever kinds of movements there are."""

import pytest

from cli.commands.console import Failure
from cli.commands.liability import asked_of
from cli.ledger import AFTER, BEFORE, Moved
from cli.liability import giftcards, points
from cli.liability.books import TOTAL, Book, Key, Present, books, faults, set_apart
from schemas.giftcards import EVENTS, CardBooked

MOVED = [
    Moved("P", BEFORE, "load", 0, 1000, 50),
    Moved("P", BEFORE, "redeem", 0, -300, 0),
    Moved("P", "2026-11-01", "adjust", 0, -40, 0),
    Moved("P", "2026-11-01", "adjust", 0, 15, 0),
    Moved("P", "2026-11-01", "pend", 0, 0, 200),
    Moved("P", "2026-11-03", "activate", 0, 200, -200),
    Moved("P", "2026-11-03", "deactivate", 0, -20, 20),
    Moved("P", "2026-11-03", "expire", 0, -100, 0),
    Moved("P", "2026-11-03", "give_back", 0, 30, 0),
    Moved("P", "2026-11-03", "gift", 0, 7, 0),
    Moved("P", "2026-11-03", "purchase", 0, -60, 0),
    Moved("P", "2026-11-03", "revoke", 0, -9, 0),
    Moved("P", "2026-11-03", "tax", 0, -3, 0),
    Moved("P", "2026-11-03", "threshold", 0, -11, 0),
    Moved("P", AFTER, "redeem", 0, -500, 0),
    Moved("Q", "2026-11-02", "load", 2, 1250, 0, "EUR"),
]
P, Q, R = Key("P", ""), Key("Q", "EUR"), Key("R", "")


def the(book: Book) -> list[tuple[str, int, int, int]]:
    """Each row's day, opening, closing and closing pending."""
    return [(row.day, row.opening, row.closing, row.closing_pending) for row in (*book.days, book.total)]


def test_days_open_where_the_one_before_closed_and_the_total_spans_them() -> None:
    p, q = books(MOVED, points.COLUMNS)
    assert the(p) == [
        ("2026-11-01", 700, 675, 250),
        ("2026-11-03", 675, 709, 70),
        (TOTAL, 700, 709, 70),
    ]
    assert the(q) == [("2026-11-02", 0, 1250, 0), (TOTAL, 0, 1250, 0)]
    assert (q.scale, q.key) == (2, Q)
    for book in (p, q):
        for row in (*book.days, book.total):
            assert row.closing == row.opening + sum(row.moved.values())
    assert p.days[0].moved == dict.fromkeys(points.COLUMNS.names, 0) | {"credited": 15, "adjusted_down": -40}
    assert p.days[1].moved == {
        "credited": 187,
        "given_back": 30,
        "redeemed": 0,
        "purchased": -71,
        "expired": -100,
        "revoked": -9,
        "adjusted_down": 0,
        "other": -3,
    }


def test_what_does_not_add_up_is_told_also_where_one_side_has_nothing() -> None:
    found = books(MOVED, points.COLUMNS)
    right = {P: Present(209, 70), Q: Present(1250)}
    assert faults(found, right) == []
    assert len(faults(found, right | {P: Present(210, 70)})) == 1
    assert len(faults(found, right | {P: Present(209, 71)})) == 1
    assert [fault.key for fault in faults(found, {R: Present(1)})] == [P, Q, R]


def test_what_is_on_closed_accounts_stands_apart_and_both_sum_to_what_there_is() -> None:
    p, q = found = books(MOVED, points.COLUMNS)
    present = {P: Present(209, 70, 120, 30), Q: Present(1250)}
    assert faults(found, present) == []
    set_apart(found, present)
    assert [(row.day, row.closing, row.closing_pending) for row in p.apart] == [
        ("open accounts", 89, 40),
        ("closed accounts", 120, 30),
    ]
    assert (sum(row.closing for row in p.apart), sum(row.closing_pending for row in p.apart)) == (p.booked, p.pending)
    assert q.apart == ()


CARDS = [
    Moved("GIFT", "2026-11-01", "giftcard.cancelled.v1", 2, 700, 0, "EUR"),
    Moved("GIFT", "2026-11-01", "giftcard.cancelled.v1", 2, -2_000, 0, "EUR"),
    Moved("GIFT", "2026-11-01", "giftcard.issued.v1", 2, 5_000, 0, "EUR"),
    Moved("GIFT", "2026-11-01", "giftcard.redeemed.v1", 2, -1_500, 0, "EUR"),
    Moved("GIFT", "2026-11-02", "giftcard.activated.v1", 2, 2_500, 0, "EUR"),
    Moved("GIFT", "2026-11-02", "giftcard.created.v1", 2, 0, 0, "EUR"),
    Moved("GIFT", "2026-11-02", "giftcard.expired.v1", 2, -100, 0, "EUR"),
    Moved("GIFT", "2026-11-02", "giftcard.refunded.v1", 2, -300, 0, "EUR"),
    Moved("GIFT", "2026-11-02", "giftcard.voided.v1", 2, -200, 0, "EUR"),
    Moved("GIFT", "2026-11-02", "giftcard.weighed.v1", 2, -7, 0, "EUR"),
    Moved("GIFT", "2026-11-03", "giftcard.issued.v1", 0, 900, 0, "JPY"),
]


def test_cards_of_a_type_that_changed_its_currency_are_two_books() -> None:
    euros, yen = found = books(CARDS, giftcards.COLUMNS)
    assert the(euros) == [
        ("2026-11-01", 0, 2_200, 0),
        ("2026-11-02", 2_200, 4_093, 0),
        (TOTAL, 0, 4_093, 0),
    ]
    assert euros.total.moved == {
        "issued": 5_000,
        "loaded": 2_500,
        "redeemed": -1_500,
        "given_back": 700,
        "cancelled": -2_000,
        "expired": -100,
        "voided": -200,
        "refunded": -300,
        "other": -7,
    }
    assert (the(yen)[-1], yen.scale) == ((TOTAL, 0, 900, 0), 0)
    keys = Key("GIFT", "EUR"), Key("GIFT", "JPY")
    assert faults(found, {keys[0]: Present(4_093), keys[1]: Present(900)}) == []
    assert [each.key for each in faults(found, {keys[0]: Present(4_093), keys[1]: Present(901)})] == [keys[1]]


def test_every_mutation_of_a_card_has_a_column() -> None:
    assert giftcards.COLUMNS.by_kind.keys() == {name for name, event in EVENTS.items() if issubclass(event, CardBooked)}


def test_one_programme_is_asked_for_of_points_alone() -> None:
    assert [each.name for each in asked_of(None, None, None, "csv").subjects] == ["points", "giftcards"]
    assert [each.name for each in asked_of(None, None, "P", "csv").subjects] == ["points"]
    assert [each.name for each in asked_of(None, None, None, "csv", "giftcards").subjects] == ["giftcards"]
    for programme, subject in (("P", "giftcards"), (None, "vouchers")):
        with pytest.raises(Failure):
            asked_of(None, None, programme, "csv", subject)


@pytest.mark.parametrize(
    ("first", "last", "form"),
    [("2026-2-1", None, "csv"), (None, "20260201", "csv"), ("2026-02-02", "2026-02-01", "csv"), (None, None, "xml")],
)
def test_a_wrong_question_is_one_line(first: str | None, last: str | None, form: str) -> None:
    with pytest.raises(Failure):
        asked_of(first, last, None, form)
