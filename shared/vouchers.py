"""What commands for operators need of the voucher service: loaded by name, since nothing here may import a service."""

import importlib
from functools import cache
from typing import Any

from schemas.text import STORED
from schemas.voucher_definition import DefinitionView, VoucherDefinition
from schemas.vouchers import DEFINITION_VIEW
from shared.decider import Decider
from shared.runtime.journal import Stored


def definition_stream(store: str, code: str) -> str:
    """The stream of a voucher definition."""
    return f"definition/{store}/{code}"


def definition_of(stream: str, stored: Stored) -> VoucherDefinition | None:
    """A definition as it is now."""
    decider = _decider()
    view = decider.views(decider.load_state(stream, stored.document["state"]))
    if view is None or view.type != DEFINITION_VIEW:
        return None
    return DefinitionView.model_validate(view.value, context=STORED).definition


@cache
def _decider() -> Decider[Any, Any]:
    found: Decider[Any, Any] = importlib.import_module("services.voucher.decider").DECIDER
    return found
