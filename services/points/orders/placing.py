"""What an order, or a revision of it, promises by the rules as they are now (rules 4.1.8, 4.1.10)."""

from hashlib import sha256

from schemas.orders import Award, LineEligible, OrderPlaced, PlaceOrder
from schemas.programme import ProgrammeState
from schemas.refusals import PointsRefusal
from services.points.booking import Booking
from services.points.orders.entitlement import award_of, eligible_of
from services.points.orders.state import Order
from shared.decider import Rejected
from shared.hashing import canonical
from shared.money import currency_scale, to_minor


def digest_of(payload: PlaceOrder) -> str:
    """What tells a repeat from another body; the number may be another one of the same account."""
    told = payload.model_dump(mode="python", by_alias=True, exclude={"account_number", "from_input"})
    return sha256(canonical(told)).hexdigest()


def placed_of(
    booking: Booking, payload: PlaceOrder, order: Order, digest: str, loaded: set[str]
) -> OrderPlaced | Rejected:
    """The revision as it is booked; `loaded` are the programmes in which its receipt was loaded for."""
    scale = currency_scale(payload.currency)
    lines: list[LineEligible] = []
    for index, line in enumerate(payload.lines):
        total = to_minor(line.net_amount + line.tax - line.discount, scale)
        if total is None:
            detail = f"{payload.currency} has {scale} decimals"
            return Rejected(PointsRefusal.TOO_MANY_DECIMALS, detail, f"/lines/{index}")
        eligible = total if line.earns else 0
        lines.append(LineEligible(line=line.line, quantity=str(line.quantity), eligible=eligible))
    eligible_total = eligible_of(sum(line.eligible for line in lines), payload.payments, scale)
    if eligible_total is None:
        return Rejected(PointsRefusal.TOO_MANY_DECIMALS, f"{payload.currency} has {scale} decimals", "/payments")
    awards = _awards(booking, order, eligible_total, payload.currency, loaded)
    if isinstance(awards, Rejected):
        return awards
    return OrderPlaced(
        order=order.id,
        account=booking.account.account,
        account_number=booking.account.account_number or booking.account_number,
        booked_at=booking.command.now,
        revision=payload.revision,
        digest=digest,
        currency=payload.currency,
        eligible=eligible_total,
        lines=tuple(lines),
        awards=awards,
        shop=payload.shop,
        placed_at=payload.placed_at,
    )


def _awards(
    booking: Booking, order: Order, eligible: int, currency: str, loaded: set[str]
) -> tuple[Award, ...] | Rejected:
    """What the order promises in every programme that earns from orders, by the rules as they are now.

    One that was retired since keeps what it has promised, and promises no more. Where something is `loaded` for the
    receipt the promise is withheld.
    """
    awards: list[Award] = []
    shut = False
    for rules in booking.catalogue.programmes.values():
        programme = rules.programme
        if programme is None or programme.earn_from != "orders":
            continue
        known = order.awards.get(rules.id)
        retired = programme.state is ProgrammeState.RETIRED
        if retired and known is None:
            continue
        if booking.account.account_number is None and not programme.open_on_credit:
            shut = True
            continue
        awarded = award_of(programme, eligible, currency)
        if retired and known is not None:
            awarded = min(awarded, known.awarded + known.withheld)
        withheld = awarded if rules.id in loaded else 0
        awards.append(
            Award(
                programme=rules.id,
                programme_version=rules.version,
                scale=programme.scale,
                awarded=awarded - withheld,
                withheld=withheld or None,
            )
        )
    if shut and not awards:
        detail = "there is no account with this number"
        return Rejected(PointsRefusal.ACCOUNT_UNKNOWN, detail, "/accountNumber")
    return tuple(awards)
