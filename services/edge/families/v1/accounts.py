"""Accounts and past balances (rules 4.1.3)."""

from starlette.responses import Response

from services.edge.auth.principals import Administrator
from services.edge.families.v1.models.accounts import AccountAnswer, PastAccountAnswer
from services.edge.families.v1.presenting import account_of, past_balances_of
from services.edge.http.answers import answer
from services.edge.http.dependencies import ViewsDependency
from services.edge.http.documenting import success_responses
from services.edge.http.parameters import AccountNumber, At
from services.edge.http.problems import Problem
from services.edge.http.router import Router
from shared.ids import account_id

router = Router("Accounts", "/v1/accounts/{accountNumber}")


@router.get(
    "",
    summary="Get an account",
    responses=success_responses(AccountAnswer, "The account with all its programmes.", "account_unknown"),
)
async def get_account(caller: Administrator, number: AccountNumber, views: ViewsDependency) -> Response:
    """Balances, upcoming expiries and activations, and counters over the account's whole life.

    A read always sees the writes that this installation has answered with 200.
    """
    account = await views.accounts.one(account_id(caller.store, number))
    if account is None:
        raise account_unknown()
    tier_sets = await views.catalogue.tier_sets(caller.store) if account[1]["tiers"] else {}
    return answer(account_of(*account, tier_sets))


@router.get(
    "/balances",
    summary="Get past balances",
    responses=success_responses(PastAccountAnswer, "What was booked and pending in each programme.", "account_unknown"),
)
async def get_past_balances(caller: Administrator, number: AccountNumber, at: At, views: ViewsDependency) -> Response:
    """What was booked and pending after the last movement at or before an instant.

    Empty before the first movement; for a future instant, the balances of now.
    """
    names = await views.accounts.names(account_id(caller.store, number))
    if names is None:
        raise account_unknown()
    return answer(past_balances_of(*names, at, await views.statements.standing(names[0], at)))


def account_unknown() -> Problem:
    """404: no account has this number."""
    return Problem("account_unknown", "No account has this number.")
