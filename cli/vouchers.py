"""What commands for operators read of the voucher service's states."""

from schemas.text import STORED
from schemas.voucher_definition import DefinitionView, VoucherDefinition
from schemas.vouchers import DEFINITION_VIEW
from services.voucher.decider import DECIDER
from shared.runtime.journal import Stored


def definition_of(stream: str, stored: Stored) -> VoucherDefinition | None:
    """A definition as it is now."""
    view = DECIDER.views(DECIDER.load_state(stream, stored.document["state"]))
    if view is None or view.type != DEFINITION_VIEW:
        return None
    return DefinitionView.model_validate(view.value, context=STORED).definition
