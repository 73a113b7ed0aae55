"""What the sweep asks for: the command that books what a snapshot says is due, addressed to the account."""

from datetime import timedelta

from services.points.decider import DECIDER
from services.points.streams import catalogue_stream, order_stream, programme_stream
from services.points.waking import wake
from shared.decider import Wake
from tests.unit.points.order_world import fulfil, place
from tests.unit.points.world import ACCOUNT, DAY, STORE, STREAM, T0, applied, does, given, programme, transaction

LOY = applied(programme(expiry={"days": 3}))
ORD = applied(programme("ORD", earnFrom="orders", earn=[{"on": "order", "points": 1, "per": 1}]))


def test_an_account_is_woken_from_the_first_expiry_on() -> None:
    loaded = given(LOY).when(transaction(does(loads=[5])))
    document = DECIDER.dump_state(loaded.account)
    assert T0 + 3 * DAY < document["due_at"] <= T0 + 4 * DAY
    assert wake(STREAM, document) == Wake("points.book_due.v1", ACCOUNT, {})
    spent = loaded.world.when(transaction(does(redemptions=[5])), now=T0 + timedelta(hours=1))
    assert DECIDER.dump_state(spent.account)["due_at"] is None


def test_an_order_is_woken_while_facts_wait_unreported() -> None:
    stream = order_stream(STORE, "W-1")
    waiting = given(ORD).when(fulfil(40))
    document = DECIDER.dump_state(waiting.order("W-1"))
    assert document["due_at"] == T0 + 7 * DAY
    assert wake(stream, document) == Wake("points.report_order.v1", ACCOUNT, {"order": "W-1"})
    placed = waiting.world.when(place())
    document = DECIDER.dump_state(placed.order("W-1"))
    assert document["due_at"] is None
    assert wake(stream, document) is None


def test_what_never_falls_due_is_not_woken() -> None:
    assert wake(catalogue_stream(STORE), {}) is None
    assert wake(programme_stream(STORE, "LOY"), {}) is None
