"""Converts the results of commands from smallest units to whole units."""

from collections.abc import Mapping
from typing import Any

from services.edge.http.answers import to_whole_units


def result_of(result: Mapping[str, Any] | None) -> dict[str, Any]:
    """A command's result as the API returns it: balances and amounts in whole units."""
    document = dict(result or {})
    if "cardId" in document and "scale" in document:
        scale = document.pop("scale")
        document |= {name: to_whole_units(document[name], scale) for name in ("balance", "amount")}
    if "balances" in document:
        scales = {balance["loyaltyProgramId"]: balance["scale"] for balance in document["balances"]}
        if "reversed" in document:
            document["reversed"] = [
                {**each, "amount": to_whole_units(each["amount"], scales[each["programme"]])}
                for each in document["reversed"]
            ]
        document["balances"] = [
            {
                "loyaltyProgramId": balance["loyaltyProgramId"],
                "pointsBalance": to_whole_units(balance["pointsBalance"], balance["scale"]),
            }
            for balance in document["balances"]
        ]
    return document
