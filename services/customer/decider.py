"""The customer service's decider, put together from its functions."""

from functools import partial

from services.customer.claims import Keys
from services.customer.decide import decide, streams
from services.customer.documents import dump_state, load_state
from services.customer.events import dump_event, load_event
from services.customer.evolve import evolve
from services.customer.state import Event, State, initial
from services.customer.views import views
from shared.decider import Decider


def decider(keys: Keys) -> Decider[State, Event]:
    """The decider of an installation, which has its own key for claims."""
    return Decider(
        streams=partial(streams, keys),
        initial=initial,
        decide=partial(decide, keys),
        evolve=evolve,
        dump_state=dump_state,
        load_state=load_state,
        dump_event=dump_event,
        load_event=load_event,
        views=partial(views, phone_region=keys.phone_region),
    )
