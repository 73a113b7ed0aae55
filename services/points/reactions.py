"""What other systems tell the points service, translated into its commands."""

from typing import Any, TypeVar

from pydantic import ValidationError

from schemas.base import Wire
from schemas.envelope import Envelope
from schemas.folding import FoldingError, fold
from schemas.inputs import FULFILMENTS, ORDERS
from schemas.orders import OrderAmendment, OrderPlacement
from schemas.text import IDENTIFIER, IDENTIFIER_CHARS_MAX
from schemas.transaction import MISSPELT, Transaction
from shared.errors import Poison
from shared.hashing import canonical, request_hash, to_json
from shared.ids import account_id, derived_id, input_command_id
from shared.reactions import ReactionContext, Translated

ERRORS_SHOWN_MAX = 5

_FACTS = {
    "order.fulfilled.v1": "points.fulfil_order.v1",
    "order.cancelled.v1": "points.cancel_order.v1",
    "order.returned.v1": "points.return_order.v1",
}
_BESIDE = ("loyaltyPrograms", "voucherRedemptions")
"""What a placed order may carry of Post Transaction: done beside the order, by a command of its own."""

_Model = TypeVar("_Model", bound=Wire)


def react_to_fulfilments(envelope: Envelope, raw: bytes, context: ReactionContext) -> list[Translated]:
    """A record of `oms.fulfilments`: a transaction, or a fact about an order.

    Of a transaction, the account number is the record's `ce_subject`, and the keys may be written in any case, and
    with the two misspelt names of the document's own example. Of a fact, `ce_subject` is the order number, and the
    keys are exact.

    :raises Poison: `unknown_type`, `unknown_store`, `malformed_json`, `not_an_object`, `duplicate_key` or
        `validation_failed`.
    """
    _check(envelope, FULFILMENTS, context)
    if envelope.type != "loyalty.transaction.v1":
        model = FULFILMENTS[envelope.type]
        body = _fold(raw, model, {})
        fact = _validate(model, body)
        _check_subject(envelope, body)
        command = _FACTS[envelope.type]
        return [_translated(envelope, context, command, body["accountNumber"], body, fact)]
    number = envelope.subject
    if len(number) > IDENTIFIER_CHARS_MAX:
        raise Poison("validation_failed", f"ce_subject is longer than {IDENTIFIER_CHARS_MAX} characters")
    if not IDENTIFIER.fit(number):
        raise Poison("validation_failed", f"ce_subject, the account number, {IDENTIFIER.wanted}")
    body = _fold(raw, Transaction, MISSPELT)
    transaction = _validate(Transaction, body)
    return [_translated(envelope, context, "points.post_transaction.v1", number, body, transaction)]


def react_to_orders(envelope: Envelope, raw: bytes, context: ReactionContext) -> list[Translated]:
    """A record of `webshop.orders`: an order or its amendment; `ce_subject` is the order number.

    Points and vouchers that are used on a placed order are a transaction beside it, with the order as its receipt.

    :raises Poison: as above.
    """
    _check(envelope, ORDERS, context)
    model = ORDERS[envelope.type]
    body = _fold(raw, model, MISSPELT)
    order = _validate(model, body)
    assert isinstance(order, OrderPlacement | OrderAmendment)
    _check_subject(envelope, body)
    number = order.account_number
    placed = {name: value for name, value in body.items() if name not in _BESIDE}
    exclude = {"loyalty_programs", "voucher_redemptions"}
    commands = [_translated(envelope, context, "points.place_order.v1", number, placed, order, exclude)]
    if isinstance(order, OrderPlacement) and (order.loyalty_programs or order.voucher_redemptions):
        beside = {name: body[name] for name in _BESIDE if name in body}
        beside["context"] = {"receiptNr": order.order, "shopId": order.shop}
        transaction = _validate(Transaction, beside)
        commands.append(
            _translated(envelope, context, "points.post_transaction.v1", number, beside, transaction, index=1)
        )
    return commands


def _check(envelope: Envelope, types: dict[str, type[Wire]], context: ReactionContext) -> None:
    if envelope.type not in types:
        raise Poison("unknown_type", f"{envelope.type} is no type of this topic")
    if envelope.store not in (None, context.store):
        raise Poison("unknown_store", f"{envelope.store} is no store of this installation")


def _check_subject(envelope: Envelope, body: dict[str, Any]) -> None:
    if envelope.subject != body["order"]:
        raise Poison("validation_failed", "ce_subject is another order than the body's")


def _translated(
    envelope: Envelope,
    context: ReactionContext,
    command: str,
    number: str,
    said: dict[str, Any],
    model: Wire,
    exclude: set[str] | None = None,
    index: int = 0,
) -> Translated:
    """A command with what the record said; a further one of the same record has an id derived from the first's."""
    command_id = input_command_id(envelope.source, envelope.id)
    payload = model.model_dump(by_alias=True, exclude_unset=True, exclude=exclude)
    return Translated(
        id=derived_id("beside", command_id, index) if index else command_id,
        type=command,
        subject=account_id(context.store, number),
        store=context.store,
        value=to_json({"accountNumber": number, "fromInput": True, **payload}),
        request_hash=request_hash(context.secret, envelope.type, envelope.subject, canonical(said)),
        correlation_id=envelope.correlation_id or envelope.id,
        causation_id=envelope.id,
    )


def _fold(raw: bytes, model: type[Wire], misspelt: dict[str, str]) -> dict[str, Any]:
    try:
        return fold(raw, model, misspelt)
    except FoldingError as error:
        raise Poison(error.code, str(error)) from error


def _validate(model: type[_Model], body: dict[str, Any]) -> _Model:
    """The model; what is wrong with the body is told without quoting what was sent."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[:ERRORS_SHOWN_MAX]
        told = "; ".join(f"/{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in wrong)
        raise Poison("validation_failed", told) from error
