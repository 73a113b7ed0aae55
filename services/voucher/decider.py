"""The voucher service's decider, put together from its functions."""

from services.voucher.decide import decide, streams
from services.voucher.documents import dump_state, load_state
from services.voucher.events import dump_event, load_event
from services.voucher.evolve import evolve
from services.voucher.state import Event, Pivot, State, initial
from services.voucher.views import views
from shared.decider import Decider


def closed(state: State) -> bool:
    """Whether a transaction or a reversal is decided, which is final."""
    return isinstance(state, Pivot) and state.decision is not None


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
    closable=frozenset({"transaction"}),
    closed=closed,
)
