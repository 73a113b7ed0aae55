"""Orders as documents: how their snapshots keep them. Fractions are text, since they are exact."""

from fractions import Fraction
from typing import Any

from services.points.orders.evolve import revalued
from services.points.orders.state import NOTHING_GONE, Award, Fact, Gone, KnownFact, Line, Order
from services.points.orders.waiting import due_at
from shared.clock import as_utc
from shared.decider import Document
from shared.shapes import Shape, unchanged


def _facts_summed(document: Document) -> Document:
    """Facts were kept whole, each with flags; now only those that wait are, and the others as what they sum to."""
    if "facts" not in document or "waiting" in document:
        return document
    known: list[list[Any]] = []
    waiting: list[Document] = []
    gone = dict.fromkeys(NOTHING_GONE, Gone())
    for each in document["facts"]:
        fact, refused = _load_fact(each), each.get("refused", False)
        known.append([fact.id, fact.digest, refused])
        if each.get("waiting"):
            waiting.append({name: value for name, value in each.items() if name != "waiting"})
        elif not refused:
            gone[fact.what] = _with(gone[fact.what], fact)
    summed = {what: _dump_gone(each) for what, each in gone.items() if each != Gone()}
    return {**document, "facts": known, "waiting": waiting, "gone": summed}


def _with(gone: Gone, fact: Fact) -> Gone:
    lines = dict(gone.lines)
    for name, quantity in (fact.lines or {}).items():
        lines[name] = lines.get(name, Fraction(0)) + quantity
    rest = gone.rest or (fact.amount is None and fact.lines is None)
    return Gone(gone.amount + (fact.amount or 0), lines, rest)


def _nothing_withheld(document: Document) -> Document:
    """Orders from before loads kept them from earning have nothing withheld."""
    for award in document.get("awards", ()):
        award.setdefault("withheld", 0)
    return document


ORDER = Shape("points.order", unchanged, _facts_summed, _nothing_withheld)


def dump_order(order: Order) -> Document:
    """A BSON-ready document; `due_at` is when waiting facts are to be reported."""
    return {
        "revision": order.revision,
        "account": order.account,
        "currency": order.currency,
        "eligible": order.eligible,
        "shop": order.shop,
        "lines": [[name, str(line.quantity), line.eligible] for name, line in order.lines.items()],
        "awards": [_dump_award(award) for award in order.awards.values()],
        "facts": [[name, *known] for name, known in order.facts.items()],
        "waiting": [_dump_fact(fact) for fact in order.waiting.values()],
        "gone": {what: _dump_gone(gone) for what, gone in order.gone.items() if gone != Gone()},
        "digests": [[revision, digest] for revision, digest in order.digests.items()],
        "spent": order.spent,
        "due_at": due_at(order),
    }


def load_order(name: str, document: Document) -> Order:
    """The order that `dump_order` gave; instants may come back naive or with another UTC."""
    gone = {what: _load_gone(each) for what, each in document["gone"].items()}
    order = Order(
        name,
        document["revision"],
        document["account"],
        document["currency"],
        document["eligible"],
        document["shop"],
        {line: Line(Fraction(quantity), eligible) for line, quantity, eligible in document["lines"]},
        {each["programme"]: _load_award(each) for each in document["awards"]},
        {known: KnownFact(*each) for known, *each in document["facts"]},
        {each["id"]: _load_fact(each) for each in document["waiting"]},
        {**NOTHING_GONE, **gone},
        dict(document["digests"]),
        document["spent"],
    )
    return revalued(order) if gone else order


def _dump_gone(gone: Gone) -> Document:
    """The money is left out: it follows from the order."""
    return {
        "amount": str(gone.amount),
        "lines": [[name, str(quantity)] for name, quantity in gone.lines.items()],
        "rest": gone.rest,
    }


def _load_gone(document: Document) -> Gone:
    lines = {name: Fraction(quantity) for name, quantity in document["lines"]}
    return Gone(Fraction(document["amount"]), lines, document["rest"])


def _dump_award(award: Award) -> Document:
    return {**award._asdict(), "credited": [[at, amount] for at, amount in award.credited]}


def _load_award(document: Document) -> Award:
    return Award(**{**document, "credited": tuple((as_utc(at), amount) for at, amount in document["credited"])})


def _dump_fact(fact: Fact) -> Document:
    """What a fact does not say is left out."""
    document: dict[str, Any] = {
        "id": fact.id,
        "what": fact.what,
        "account": fact.account,
        "number": fact.account_number,
        "booked_at": fact.booked_at,
    }
    if fact.amount is not None:
        document["amount"] = str(fact.amount)
    if fact.lines is not None:
        document["lines"] = [[name, str(quantity)] for name, quantity in fact.lines.items()]
    if fact.revision is not None:
        document["revision"] = fact.revision
    if fact.reported:
        document["reported"] = True
    return document


def _load_fact(document: Document) -> Fact:
    get = document.get
    lines = get("lines")
    booked_at = as_utc(document["booked_at"])
    assert booked_at is not None
    return Fact(
        document["id"],
        document["what"],
        document["account"],
        document["number"],
        booked_at,
        _fraction(get("amount")),
        None if lines is None else {name: Fraction(quantity) for name, quantity in lines},
        get("revision"),
        get("reported", False),
    )


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)
