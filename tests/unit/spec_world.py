"""What the worlds of the specs share: folding an event, with everything that must hold whenever one is folded."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shared.decider import Decider, Event, State
from shared.findings import Difference

Check = Callable[[Any, Any], Iterable[Difference]]


def folded(
    decider: Decider[State, Event],
    check_event: Check,
    check_state: Callable[[Any], Iterable[Difference]],
    states: Mapping[str, State],
    booked: tuple[str, Event],
) -> State:
    """The state of a stream after an event on it, which keeps to the identities and comes back as it was stored."""
    stream, event = booked
    before = states.get(stream) or decider.initial(stream)
    assert list(check_event(before, event)) == []
    assert decider.load_event(decider.dump_event(event)) == event
    state = decider.evolve(before, event)
    assert list(check_state(state)) == []
    assert decider.load_state(stream, decider.dump_state(state)) == state
    return state
