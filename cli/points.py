"""What commands for operators read of the points service's states."""

from schemas.order_numbers import UniquePer
from schemas.points import ACCOUNT_VIEW, CATALOGUE_VIEW, PROGRAMME_VIEW, CatalogueView, ProgrammeView
from schemas.programme import Programme
from schemas.text import STORED
from schemas.tiers import TierSet
from services.points.decider import DECIDER
from shared.decider import Document, View
from shared.runtime.journal import Stored


def account_view(stream: str, stored: Stored) -> Document | None:
    """An account as the service publishes it, an `AccountView` in JSON's types; None when there is nothing to show."""
    return _value(ACCOUNT_VIEW, stream, stored)


def programme_of(stream: str, stored: Stored) -> Programme | None:
    """A programme's present rules."""
    value = _value(PROGRAMME_VIEW, stream, stored)
    return None if value is None else ProgrammeView.model_validate(value, context=STORED).programme


def tier_sets_of(stream: str, stored: Stored) -> tuple[TierSet, ...]:
    """A store's tier sets, from the stream of its catalogue."""
    value = _value(CATALOGUE_VIEW, stream, stored)
    return () if value is None else CatalogueView.model_validate(value, context=STORED).tier_sets


def order_numbers_of(stream: str, stored: Stored) -> UniquePer:
    """Where an order number names one order, from the stream of a store's catalogue."""
    value = _value(CATALOGUE_VIEW, stream, stored)
    return "store" if value is None else CatalogueView.model_validate(value, context=STORED).order_numbers_unique_per


def _value(kind: str, stream: str, stored: Stored) -> Document | None:
    view: View | None = DECIDER.views(DECIDER.load_state(stream, stored.document["state"]))
    return view.value if view is not None and view.type == kind else None
