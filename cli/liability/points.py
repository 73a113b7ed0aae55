"""What is owed in points, by programme."""

from collections.abc import Mapping

from cli.ledger import Ledger, Movements
from cli.liability.books import Columns, Key, Present
from cli.liability.reading import Declared, Subject
from cli.points import account_view, programme_of
from schemas.accounts import AccountState
from services.points.streams import account_stream, programme_stream

COLUMNS = Columns(
    ("credited", "given_back", "redeemed", "purchased", "expired", "revoked", "adjusted_down", "other"),
    {
        "load": ("credited", "other"),
        "activate": ("credited", "other"),
        "deactivate": ("credited", "credited"),
        "adjust": ("credited", "adjusted_down"),
        "transfer": ("other", "other"),
        "give_back": ("given_back", "given_back"),
        "redeem": ("redeemed", "redeemed"),
        "purchase": ("purchased", "purchased"),
        "threshold": ("purchased", "purchased"),
        "expire": ("expired", "expired"),
        "revoke": ("revoked", "revoked"),
    },
    unknown=("credited", "other"),
)


async def _declared(ledger: Ledger, store: str) -> Declared:
    found = [programme_of(*each) async for each in ledger.streams(programme_stream(store, ""))]
    programmes = [each for each in found if each is not None]
    return Declared({each.id: each.zone for each in programmes}, {each.id: each.unit for each in programmes})


async def _present(ledger: Ledger, store: str, units: Mapping[str, str]) -> dict[Key, Present]:
    """The sums of all balances, by programme, as the service publishes them."""
    sums: dict[str, list[int]] = {}
    async for stream, stored in ledger.streams(account_stream(store, "")):
        view = account_view(stream, stored)
        for balance in () if view is None else view["balances"]:
            one = sums.setdefault(balance["programme"], [0, 0, 0, 0])
            closed = view is not None and view["state"] == AccountState.CLOSED
            for at in (0, 2) if closed else (0,):
                one[at] += balance["booked"]
                one[at + 1] += balance.get("pending", 0)
    return {Key(programme, units.get(programme, "")): Present(*one) for programme, one in sums.items()}


SUBJECT = Subject(
    name="points",
    service="points",
    labels=("programme", "unit"),
    columns=COLUMNS,
    has_pending=True,
    hint="`fealty verify` lists the accounts",
    movements=Movements("programme"),
    declared=_declared,
    present=_present,
)
