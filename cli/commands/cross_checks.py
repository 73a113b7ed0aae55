"""What declarations must not say of each other and of what is declared already, and what is allowed but odd."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import combinations
from typing import Any, NamedTuple

from schemas.declaration_checks import Path, has_more_decimals
from schemas.declarations import STORE_WIDE, Declarations
from schemas.order_numbers import UniquePer
from schemas.programme import ExpiryRule, Programme, ProgrammeState
from schemas.tiers import TierSet
from schemas.voucher_definition import DefinitionState, VoucherDefinition
from schemas.waiting_inputs import number_fits
from shared.calendar import local_date
from shared.money import currency_scale


class Known(NamedTuple):
    """All that is declared, by id or code: already, or once the files are applied."""

    programmes: Mapping[str, Programme]
    vouchers: Mapping[str, VoucherDefinition]
    tier_sets: Mapping[str, TierSet]
    order_numbers: UniquePer = "store"


class Finding(NamedTuple):
    """What is wrong with, or `odd` in, a declaration of a section of a file."""

    section: str
    id: str
    path: Path
    message: str
    odd: bool = False


def across(given: Declarations, known: Known | None) -> Iterator[Finding]:
    """Contradictions between declarations; names that only what is declared can explain are odd without it."""
    before = known or Known({}, {}, {})
    then = _then(given, before)
    unknown_is_odd = known is None
    for programme in given.programmes:
        for path, code in named(programme):
            for message in _sold(programme, code, then.vouchers):
                yield Finding("programmes", programme.id, path, message, unknown_is_odd and code not in then.vouchers)
        for path in _changed(before.programmes.get(programme.id), programme, ("unit", "scale")):
            yield Finding(
                "programmes", programme.id, path, f"cannot be changed: {programme.id} is declared with another value"
            )
    for voucher in given.vouchers:
        if voucher.programme is not None and voucher.programme not in then.programmes:
            message = f"there is no programme {voucher.programme}"
            yield Finding("vouchers", voucher.code, ("programme",), message, unknown_is_odd)
        for seller in before.programmes.values():
            kept = then.programmes[seller.id] is seller and any(code == voucher.code for _, code in named(seller))
            if kept and voucher.programme not in (None, seller.id):
                message = f"the declared programme {seller.id} sells or issues {voucher.code}"
                yield Finding("vouchers", voucher.code, ("programme",), message)
    for tier_set in given.tier_sets:
        yield from _tier_set(tier_set, before, then, unknown_is_odd)
    numbers = given.order_numbers
    if numbers is not None and numbers.unique_per == "store" and before.order_numbers == "shop":
        message = "order numbers of this store are unique per shop; this cannot be changed back"
        yield Finding("orderNumbers", STORE_WIDE, ("uniquePer",), message)


def named(programme: Programme) -> Iterator[tuple[Path, str]]:
    """The vouchers that a programme sells, or issues at its threshold, and where it names them."""
    for index, offer in enumerate(programme.purchases):
        yield ("purchases", index, "voucherId"), offer.voucher_id
    if programme.issue_immediate_threshold is not None:
        yield ("issueImmediateThreshold", "voucherId"), programme.issue_immediate_threshold.voucher_id


def _sold(programme: Programme, code: str, vouchers: Mapping[str, VoucherDefinition]) -> Iterator[str]:
    voucher = vouchers.get(code)
    if voucher is None:
        yield f"there is no voucher {code}"
    elif voucher.programme not in (None, programme.id):
        yield f"the voucher {code} belongs to {voucher.programme}"


def _tier_set(tier_set: TierSet, before: Known, then: Known, unknown_is_odd: bool) -> Iterator[Finding]:
    def wrong(path: Path, message: str, odd: bool = False) -> Finding:
        return Finding("tierSets", tier_set.id, path, message, odd)

    for path in _changed(before.tier_sets.get(tier_set.id), tier_set, ("programme", "basis", "currency")):
        yield wrong(path, f"cannot be changed: {tier_set.id} is declared with another value")
    programme = then.programmes.get(tier_set.programme)
    if programme is None:
        yield wrong(("programme",), f"there is no programme {tier_set.programme}", unknown_is_odd)
    scale = currency_scale(tier_set.currency) if tier_set.currency else programme.scale if programme else None
    for index, level in enumerate(tier_set.levels):
        if scale is not None and has_more_decimals(level.at, scale):
            yield wrong(
                ("levels", index, "at"),
                f"{level.at} has more than {scale} decimals, the scale of the programme or currency",
            )
    others = [each for each in then.tier_sets.values() if each.id != tier_set.id and each.state == "active"]
    if tier_set.state == "active":
        for other in others:
            if tier_set.primary and other.primary:
                yield wrong(("primary",), f"{other.id} is the store's primary tier set")
            counted = None if other.programme != tier_set.programme else other.currency
            if tier_set.currency and counted not in (None, tier_set.currency):
                yield wrong(("currency",), f"{other.id} counts spend in {other.programme} in {other.currency}")


def oddities(given: Declarations, known: Known | None, now: datetime) -> Iterator[Finding]:
    """What is allowed, and hardly meant."""
    then = _then(given, known or Known({}, {}, {}))
    for programme in given.programmes:
        for path, message in _odd_programme(programme, then.vouchers, now):
            yield Finding("programmes", programme.id, path, message, odd=True)
    for voucher in given.vouchers:
        for path, message in _past(voucher.validity, voucher.zone, now):
            yield Finding("vouchers", voucher.code, ("validity", *path), message, odd=True)
    for tier_set in given.tier_sets:
        programme_ = then.programmes.get(tier_set.programme)
        if tier_set.state == "active" and programme_ is not None and programme_.state is ProgrammeState.RETIRED:
            yield Finding("tierSets", tier_set.id, ("programme",), f"{programme_.id} is retired", odd=True)
    if given.account_numbers and all(number_fits(given.account_numbers, each) for each in ("0", "Z", "a-b_c")):
        yield Finding("accountNumbers", STORE_WIDE, (), "accepts every account number, also mistyped ones", odd=True)


def _odd_programme(
    programme: Programme, vouchers: Mapping[str, VoucherDefinition], now: datetime
) -> Iterator[tuple[Path, str]]:
    limits = programme.load_limits
    if limits.per_load and limits.per_transaction and limits.per_load > limits.per_transaction:
        yield ("loadLimits", "perLoad"), "has no effect, because perTransaction is lower"
    for index, offer in enumerate(programme.purchases):
        if offer.until is not None and offer.until <= now:
            yield ("purchases", index, "until"), "is over"
    for path, code in named(programme):
        if code in vouchers and vouchers[code].state is DefinitionState.RETIRED and programme.state == "active":
            yield path, f"the voucher {code} is retired: it is neither sold nor issued"
    for path, message in _past(programme.expiry, programme.zone, now):
        yield ("expiry", *path), message
    if programme.unit != "points" and programme.scale > (digits := currency_scale(programme.unit)):
        yield ("scale",), f"{programme.unit} has {digits} decimals"
    days = None if programme.expiry is None else programme.expiry.days
    if programme.expiring_soon_days and days is not None and programme.expiring_soon_days > days:
        yield ("expiringSoonDays",), "announces points at once, because they expire sooner"
    yield from _odd_earning(programme)


def _odd_earning(programme: Programme) -> Iterator[tuple[Path, str]]:
    if programme.earn and programme.earn_from != "orders":
        yield ("earn",), "has no effect without earnFrom: orders"
    if programme.earn_from == "orders" and not programme.earn:
        yield ("earnFrom",), "earns nothing, because earn has no rules"
    for (first, one), (second, other) in combinations(enumerate(programme.earn), 2):
        if None in (one.currency, other.currency) or one.currency == other.currency:
            yield ("earn", second), f"applies to the same orders as /earn/{first}, and is added to it"


def _past(rule: ExpiryRule | None, zone: str, now: datetime) -> Iterator[tuple[Path, str]]:
    if rule is not None and rule.on is not None and rule.on < local_date(now, zone):
        yield ("on",), f"{rule.on} is in the past: what is credited or issued now expires at once"


def _changed(before: Programme | TierSet | None, after: Any, fields: Sequence[str]) -> Iterator[Path]:
    for name in fields:
        if before is not None and getattr(before, name) != getattr(after, name):
            yield (name,)


def _then(given: Declarations, before: Known) -> Known:
    return Known(
        {**before.programmes, **{each.id: each for each in given.programmes}},
        {**before.vouchers, **{each.code: each for each in given.vouchers}},
        {**before.tier_sets, **{each.id: each for each in given.tier_sets}},
    )
