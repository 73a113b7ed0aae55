"""Declarations that are refused, odd or right; `SNIPPET <- MESSAGE` is what is told of the place of the snippet."""

from pathlib import Path

ONE = "programmes: [{id: A, descriptions: {en: a}}]"
V = "{code: V, titles: {en: v}, defaultLanguage: en}"


def write(tmp_path: Path, text: str, name: str = "programmes.yaml") -> str:
    """A file with this text; its path."""
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def programme(rules: str, id_: str = "A") -> str:
    """A file that declares one programme, with a voucher beside it; the programme stands in line 2."""
    return f"vouchers: [{V}]\nprogrammes: [{{id: {id_}, descriptions: {{en: a}}, {rules}}}]"


def tiers(levels: str, more: str = "programme: A") -> str:
    """A file that declares a programme and, in line 2, a tier set."""
    rules = f"id: T, descriptions: {{en: t}}, period: {{calendar: year}}, levels: [{levels}], {more}"
    return f"{ONE}\ntierSets: [{{{rules}}}]"


REFUSED = {
    # What no type allows.
    "a syntax error": ("programmes:\n  - {id: A", " <- expected"),
    "a key that is a list": ("? [a]\n: b\n", "[a <- a key must be a text; if it is one, put it in quotes"),
    "a key twice": (f"{ONE}\n{ONE}", "programmes: [{id: A <- the key 'programmes' is given twice"),
    "an unknown member": (programme("colour: red"), "colour: red <- /programmes/0/colour: unknown field"),
    "a member by its name in the code": (
        programme("purchases: [{voucher_id: V, price: 1}]"),
        "{voucher_id: V <- /programmes/0/purchases/0/voucherId: Field required",
        "voucher_id: V <- /programmes/0/purchases/0/voucher_id: unknown field",
    ),
    "order numbers of a till": (
        "orderNumbers: {uniquePer: till}",
        "till <- /orderNumbers/uniquePer: Input should be 'store' or 'shop'",
    ),
    "a wrong zone": (programme("zone: Mars"), "Mars <- /programmes/0/zone: 'Mars' is no IANA time zone"),
    "a zone of this machine": (programme("zone: localtime"), "localtime <- /programmes/0/zone: 'localtime' is no IANA"),
    "a zone of a path": (programme("zone: posix/UTC"), "posix/UTC <- /programmes/0/zone: 'posix/UTC' is no IANA"),
    "a price in sixties": (
        programme("purchases: [{voucherId: V, price: 1:30}]"),
        "1:30 <- /programmes/0/purchases/0/price: must be a JSON number",
    ),
    "a price with underscores": (
        programme("purchases: [{voucherId: V, price: 1_000}]"),
        "1_000 <- /programmes/0/purchases/0/price: must be a JSON number",
    ),
    "an infinite price": (
        programme("purchases: [{voucherId: V, price: .inf}]"),
        ".inf <- /programmes/0/purchases/0/price: Input should be a finite number",
    ),
    "days that are true": (
        programme("expiry: {days: true}"),
        "true <- /programmes/0/expiry/days: must be a JSON number",
    ),
    "days that are a text": (
        programme("expiry: {days: '5'}"),
        "'5' <- /programmes/0/expiry/days: must be a JSON number",
    ),
    "days with a half": (programme("expiry: {days: 5.5}"), "5.5 <- /programmes/0/expiry/days: Input should be"),
    "on 0": (programme("expiry: {on: 0}"), "0 <- /programmes/0/expiry/on: must be a date as in 2027-12-31"),
    "on seconds": (programme("expiry: {on: '0'}"), "'0' <- /programmes/0/expiry/on: must be a date"),
    "on a day that is none": (programme("expiry: {on: 2027-02-29}"), "2027-02-29 <- /programmes/0/expiry/on: Input"),
    "a scale that is true": (programme("scale: true"), "true <- /programmes/0/scale: must be a JSON number"),
    "a word for a boolean": (
        programme("openOnCredit: no"),
        "no <- /programmes/0/openOnCredit: Input should be a valid boolean",
    ),
    "a number for a boolean": (
        f"vouchers: [{V[:-1]}, bearer: 1}}]",
        "1 <- /vouchers/0/bearer: Input should be a valid boolean",
    ),
    "a number for a code": (
        "programmes: [{id: 0100, descriptions: {en: a}}]",
        "0100 <- /programmes/0/id: Input should be a valid string; if it is a text, put it in quotes",
    ),
    "no mapping": ("- a", "- a <- /: Input should be"),
    "no title in the default language": (
        "vouchers: [{code: V, titles: {nl: bon}, defaultLanguage: en}]",
        "{code: V <- /vouchers/0: titles has no text in the default language en",
    ),
    # What one declaration must not say.
    "a price nobody can pay": (
        programme("purchases: [{voucherId: V, price: 0.5}]"),
        "0.5 <- /programmes/0/purchases/0/price: 0.5 has more decimals than the scale 0 of A",
    ),
    "a threshold nobody can reach": (
        programme("issueImmediateThreshold: {value: 1.5, voucherId: V}"),
        "1.5 <- /programmes/0/issueImmediateThreshold/value: 1.5 has more decimals than the scale 0 of A",
    ),
    "a limit with more decimals": (
        programme("scale: 2, loadLimits: {perLoad: 0.005}"),
        "0.005 <- /programmes/0/loadLimits/perLoad: 0.005 has more decimals than the scale 2 of A",
    ),
    "one voucher at two prices": (
        programme("purchases: [{voucherId: V, price: 6}, {voucherId: V, price: 5}]"),
        "{voucherId: V <- /programmes/0/purchases/1: V is on offer by /purchases/0",
    ),
    "one voucher in windows that overlap": (
        programme(
            "purchases: [{voucherId: V, price: 6, until: 2027-06-02T00:00:00Z},"
            " {voucherId: V, price: 5, from: 2027-06-01T00:00:00Z}]"
        ),
        "{voucherId: V <- /programmes/0/purchases/1: V is on offer by /purchases/0",
    ),
    "a window that ends before it begins": (
        programme("purchases: [{voucherId: V, price: 6, from: 2027-01-01T00:00:00Z, until: 2026-12-01T00:00:00Z}]"),
        "2026-12-01T00:00:00Z <- /programmes/0/purchases/0/until: must be later than from",
    ),
    # What declarations must not say of each other.
    "a programme twice": (
        f"{ONE[:-1]}, {{id: A, descriptions: {{en: a}}}}]",
        "A <- /programmes/1/id: is also declared at FILE:1:14",
    ),
    "a voucher that is not declared": (
        programme("purchases: [{voucherId: TYPO, price: 6}]"),
        "TYPO <- /programmes/0/purchases/0/voucherId: there is no voucher TYPO",
    ),
    "a threshold's voucher that is not declared": (
        programme("issueImmediateThreshold: {value: 5, voucherId: TYPO}"),
        "TYPO <- /programmes/0/issueImmediateThreshold/voucherId: there is no voucher TYPO",
    ),
    "a threshold's voucher of another programme": (
        f"vouchers: [{V[:-1]}, programme: B}}]\nprogrammes: [{{id: B, descriptions: {{en: b}}}},\n"
        "{id: A, descriptions: {en: a}, issueImmediateThreshold: {value: 5, voucherId: V}}]",
        "V <- /programmes/1/issueImmediateThreshold/voucherId: the voucher V belongs to B",
    ),
    "a voucher of no programme": (
        f"vouchers: [{V[:-1]}, programme: TYPO}}]",
        "TYPO <- /vouchers/0/programme: there is no programme TYPO",
    ),
    "a tier set of no programme": (
        tiers("{code: X, at: 0}", "programme: TYPO"),
        "TYPO <- /tierSets/0/programme: there is no programme TYPO",
    ),
    "a level nobody can reach": (
        tiers("{code: X, at: 0.5}"),
        "0.5 <- /tierSets/0/levels/0/at: 0.5 has more than 0 decimals, the scale of the programme or currency",
    ),
    "a level of spend with more decimals": (
        tiers("{code: X, at: 0.5}", "programme: A, basis: spend, currency: JPY"),
        "0.5 <- /tierSets/0/levels/0/at: 0.5 has more than 0 decimals, the scale of the programme or currency",
    ),
}

ODD = {
    "an octal number that is none": (
        programme("purchases: [{voucherId: V, price: 0100}]"),
        "0100 <- 0100 is read as 100; write 100",
    ),
    "a limit above the one of a transaction": (
        programme("loadLimits: {perLoad: 10, perTransaction: 5}"),
        "10 <- /programmes/0/loadLimits/perLoad: has no effect, because perTransaction is lower",
    ),
    "an offer that is over": (
        programme("purchases: [{voucherId: V, price: 5, until: 2026-11-01T00:00:00Z}]"),
        "2026-11-01T00:00:00Z <- /programmes/0/purchases/0/until: is over",
    ),
    "a day that is over": (
        programme("expiry: {on: 2026-11-27}"),
        "2026-11-27 <- /programmes/0/expiry/on: 2026-11-27 is in the past: "
        "what is credited or issued now expires at once",
    ),
    "a voucher's day that is over": (
        f"vouchers: [{V[:-1]}, validity: {{on: 2026-11-27}}}}]",
        "2026-11-27 <- /vouchers/0/validity/on: 2026-11-27 is in the past",
    ),
    "more decimals than the currency has": (
        programme("unit: JPY, scale: 2"),
        "2 <- /programmes/0/scale: JPY has 0 decimals",
    ),
    "rules that earn nothing": (
        programme("earn: [{on: order, points: 1, per: 1}]"),
        "[{on: order <- /programmes/0/earn: has no effect without earnFrom: orders",
    ),
    "orders without rules": (
        programme("earnFrom: orders"),
        "orders <- /programmes/0/earnFrom: earns nothing, because earn has no rules",
    ),
    "two rules for the same orders": (
        programme("earnFrom: orders, earn: [{on: order, points: 1, per: 1}, {on: order, points: 2, per: 1}]"),
        "{on: order <- /programmes/0/earn/1: applies to the same orders as /earn/0, and is added to it",
    ),
    "an announcement longer than the life of points": (
        programme("expiry: {days: 10}, expiringSoonDays: 30"),
        "30 <- /programmes/0/expiringSoonDays: announces points at once, because they expire sooner",
    ),
    "a retired voucher on offer": (
        f"vouchers: [{V[:-1]}, state: retired}}]\n"
        "programmes: [{id: A, descriptions: {en: a}, purchases: [{voucherId: V, price: 1}]}]",
        "V <- /programmes/0/purchases/0/voucherId: the voucher V is retired: it is neither sold nor issued",
    ),
    "tiers of a retired programme": (
        tiers("{code: X, at: 0}").replace("{id: A,", "{id: A, state: retired,"),
        "A <- /tierSets/0/programme: A is retired",
    ),
    "any account number": ('accountNumbers: ["[0-9]{19}", ".+"]', "[ <- /accountNumbers: accepts every account number"),
}

MEANT = {
    "a voucher at two prices, one after the other": programme(
        "purchases: [{voucherId: V, price: 6, until: 2027-06-01T00:00:00Z},"
        " {voucherId: V, price: 5, from: 2027-06-01T00:00:00Z}]"
    ),
    "on is a word": programme("expiry: {on: 2027-12-31}, earnFrom: orders, earn: [{on: order, points: 1, per: 0.5}]"),
    "cents": programme("unit: EUR, scale: 2, purchases: [{voucherId: V, price: 0.25}]"),
    "a level of spend in cents": tiers("{code: X, at: 0.25}", "programme: A, basis: spend, currency: EUR"),
    "a voucher of any programme": programme("issueImmediateThreshold: {value: 5, voucherId: V}"),
    "order numbers of each shop": "orderNumbers: {uniquePer: shop}",
    "a link of the zones' database": programme("zone: Asia/Calcutta"),
}

AGAINST = {
    "vouchers that are declared": (
        "programmes: [{id: C, descriptions: {en: c}, purchases: [{voucherId: V, price: 1}]}]",
        None,
    ),
    "a voucher of another programme": (
        "programmes: [{id: C, descriptions: {en: c}, purchases: [{voucherId: OF-B, price: 1}]}]",
        "OF-B <- /programmes/0/purchases/0/voucherId: the voucher OF-B belongs to B",
    ),
    "a voucher that another programme sells": (
        f"vouchers: [{V[:-1]}, programme: B}}]",
        "B <- /vouchers/0/programme: the declared programme A sells or issues V",
    ),
    "a voucher that the files let another programme sell no more": (
        f"vouchers: [{V[:-1]}, programme: B}}]\n{ONE}",
        None,
    ),
    "another scale": (
        "programmes: [{id: B, descriptions: {en: b}, unit: EUR}]",
        "{id: B <- /programmes/0/scale: cannot be changed: B is declared with another value",
    ),
    "another unit": (
        "programmes: [{id: A, descriptions: {en: b}, unit: EUR}]",
        "EUR <- /programmes/0/unit: cannot be changed: A is declared with another value",
    ),
    "another primary tier set": (
        "tierSets: [{id: U, descriptions: {en: t}, period: {calendar: year}, levels: [{code: X, at: 0}], "
        "programme: A, primary: true}]",
        "true <- /tierSets/0/primary: T is the store's primary tier set",
    ),
    "spend in another currency": (
        "tierSets: [{id: U, descriptions: {en: t}, period: {calendar: year}, levels: [{code: X, at: 0}], "
        "programme: A, basis: spend, currency: USD}]",
        "USD <- /tierSets/0/currency: T counts spend in A in EUR",
    ),
    "another measure": (
        "tierSets: [{id: T, descriptions: {en: t}, period: {calendar: year}, levels: [{code: X, at: 0}], "
        "programme: B, basis: spend, currency: EUR}]",
        "B <- /tierSets/0/programme: cannot be changed: T is declared with another value",
    ),
    "order numbers that are unique in the store again": (
        "orderNumbers: {uniquePer: store}",
        "store <- /orderNumbers/uniquePer: order numbers of this store are unique per shop; "
        "this cannot be changed back",
    ),
    "order numbers as they are": ("orderNumbers: {uniquePer: shop}", None),
}
