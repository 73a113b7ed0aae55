"""The gift card service's decider, put together from its functions."""

from services.giftcard.decide import decide, streams
from services.giftcard.documents import dump_state, load_state
from services.giftcard.events import dump_event, load_event
from services.giftcard.evolve import evolve
from services.giftcard.state import Event, Payment, State, initial
from services.giftcard.views import views
from shared.decider import Decider


def closed(state: State) -> bool:
    """Whether a transaction's operation with a card has ended, which is final."""
    return isinstance(state, Payment) and not state.open


DECIDER: Decider[State, Event] = Decider(
    streams=streams,
    initial=initial,
    decide=decide,
    evolve=evolve,
    dump_state=dump_state,
    load_state=load_state,
    dump_event=dump_event,
    load_event=load_event,
    views=views,
    closable=frozenset({"payment"}),
    closed=closed,
)
