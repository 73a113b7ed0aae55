"""The points service's decider, put together from its functions."""

from services.points.decide import decide, streams
from services.points.documents import dump_state, load_state
from services.points.events import dump_event, load_event
from services.points.evolve import evolve
from services.points.held import Hold
from services.points.reversals import Reversals
from services.points.state import Event, State, initial
from services.points.views import views
from shared.decider import Decider


def closed(state: State) -> bool:
    """Whether a transaction, or what was undone of one, waits for nothing any more."""
    if isinstance(state, Hold):
        return state.decision is not None
    return isinstance(state, Reversals) and state.held is None


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
    closable=frozenset({"transaction", "reversals"}),
    closed=closed,
)
