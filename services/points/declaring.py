"""What a store declares: programmes, tier sets, account and order numbers, and their versions (rules 4.1.1, 4.1.12)."""

from schemas.order_numbers import OrderNumbersApplied, PutOrderNumbers
from schemas.points import ProgrammeApplied, PutProgramme
from schemas.refusals import PointsRefusal
from schemas.tiers import PutTierSet, TierSetApplied
from schemas.waiting_inputs import (
    AccountNumbersApplied,
    PutAccountNumbers,
)
from services.points.desk import Outcome, States
from services.points.state import Catalogue, ProgrammeRules
from services.points.streams import catalogue_stream, programme_stream
from shared.decider import Accepted, Command, Rejected, Streams


def programme_streams(command: Command) -> Streams:
    """A programme has its stream, and stands in the catalogue, which is what deciding reads."""
    return Streams((programme_stream(command.store, command.subject), catalogue_stream(command.store)))


def put_programme(command: Command, payload: PutProgramme, states: States) -> Outcome:
    """Declare a programme or a new version; its unit and scale are fixed, since balances are counted in them."""
    stream = programme_stream(command.store, command.subject)
    rules, programme = states[stream], payload.programme
    if not isinstance(rules, ProgrammeRules):
        raise TypeError(f"{stream} holds no programme")
    if command.subject != programme.id:
        detail = "the command is addressed to another programme than it declares"
        return Rejected(PointsRefusal.PROGRAMME_MISMATCH, detail, "/programme/id")
    if rules.programme == programme:
        return Accepted((), {"programme": programme.id, "version": rules.version})
    if rules.programme is not None and rules.programme.scale != programme.scale:
        return Rejected(PointsRefusal.SCALE_CHANGED, "the scale of a programme never changes", "/programme/scale")
    if rules.programme is not None and rules.programme.unit != programme.unit:
        return Rejected(PointsRefusal.UNIT_CHANGED, "the unit of a programme never changes", "/programme/unit")
    version = rules.version + 1
    event = ProgrammeApplied(programme=programme, version=version, booked_at=command.now)
    events = ((stream, event), (catalogue_stream(command.store), event))
    return Accepted(events, {"programme": programme.id, "version": version})


def put_account_numbers(command: Command, payload: PutAccountNumbers, states: States) -> Outcome:
    """Declare under which numbers inputs may open accounts; what waits already is released by its next input."""
    stream = catalogue_stream(command.store)
    catalogue = states[stream]
    if not isinstance(catalogue, Catalogue):
        raise TypeError(f"{stream} holds no catalogue")
    version = catalogue.account_numbers_version
    if catalogue.account_numbers == payload.patterns and version:
        return Accepted((), {"version": version})
    event = AccountNumbersApplied(patterns=payload.patterns, version=version + 1, booked_at=command.now)
    return Accepted(((stream, event),), {"version": event.version})


def put_order_numbers(command: Command, payload: PutOrderNumbers, states: States) -> Outcome:
    """Declare where an order number names one order: in each shop, once and for all, since orders are kept by it."""
    stream = catalogue_stream(command.store)
    catalogue: Catalogue = states[stream]
    version = catalogue.order_numbers_version
    if catalogue.order_numbers == payload.unique_per and version:
        return Accepted((), {"version": version})
    if catalogue.order_numbers == "shop":
        detail = "order numbers that are unique per shop stay so, since orders of several shops may share a number"
        return Rejected(PointsRefusal.ORDER_NUMBERS_FIXED, detail, "/uniquePer")
    event = OrderNumbersApplied(unique_per=payload.unique_per, version=version + 1, booked_at=command.now)
    return Accepted(((stream, event),), {"version": event.version})


def put_tier_set(command: Command, payload: PutTierSet, states: States) -> Outcome:
    """Declare a tier set or a new version; what it measures is fixed, since standings were measured by it."""
    stream, tier_set = catalogue_stream(command.store), payload.tier_set
    catalogue = states[stream]
    if not isinstance(catalogue, Catalogue):
        raise TypeError(f"{stream} holds no catalogue")
    if command.subject != tier_set.id:
        detail = "the command is addressed to another tier set than it declares"
        return Rejected(PointsRefusal.TIER_SET_MISMATCH, detail, "/tierSet/id")
    if tier_set.programme not in catalogue.programmes:
        detail = f"there is no programme {tier_set.programme}"
        return Rejected(PointsRefusal.PROGRAMME_UNKNOWN, detail, "/tierSet/programme")
    known = catalogue.tier_sets.get(tier_set.id)
    version = catalogue.versions.get(tier_set.id, 0)
    if known == tier_set:
        return Accepted((), {"tierSet": tier_set.id, "version": version})
    for field, name in (("programme", "programme"), ("basis", "basis"), ("currency", "currency")):
        if known is not None and getattr(known, field) != getattr(tier_set, field):
            detail = f"the {name} of a tier set never changes"
            return Rejected(PointsRefusal.TIER_SET_FIXED, detail, f"/tierSet/{name}")
    others = [each for each in catalogue.tier_sets.values() if each.id != tier_set.id and each.state == "active"]
    if tier_set.primary and tier_set.state == "active" and any(each.primary for each in others):
        return Rejected(PointsRefusal.PRIMARY_TAKEN, "the store has another primary tier set", "/tierSet/primary")
    counted = {each.currency for each in others if each.programme == tier_set.programme} - {None, tier_set.currency}
    if tier_set.basis == "spend" and tier_set.state == "active" and counted:
        detail = f"spend in {tier_set.programme} is counted in another currency"
        return Rejected(PointsRefusal.TIER_SET_FIXED, detail, "/tierSet/currency")
    event = TierSetApplied(tier_set=tier_set, version=version + 1, booked_at=command.now)
    return Accepted(((stream, event),), {"tierSet": tier_set.id, "version": version + 1})
