"""What other systems tell the points service, translated into its commands (DESIGN 3, `seeds/003`)."""

from typing import Any

from pydantic import ValidationError

from schemas.envelope import Envelope
from schemas.folding import FoldingError, fold
from schemas.inputs import FULFILMENTS
from schemas.transaction import MISSPELT, Transaction
from shared.errors import Poison
from shared.hashing import canonical, request_hash, to_json
from shared.ids import account_id, input_command_id
from shared.reactions import ReactionContext, Translated

ACCOUNT_NUMBER_CHARS_MAX = 64
ERRORS_SHOWN_MAX = 5

"""The most that a number may have: what is longer would be rounded, or written out as thousands of zeros."""


def react(envelope: Envelope, raw: bytes, context: ReactionContext) -> list[Translated]:
    """A record of `oms.fulfilments` as the command `points.post_transaction.v1`.

    The account number is the record's `ce_subject`; the keys may be written in any case, and with the two misspelt
    names of the document's own example.

    :raises Poison: `unknown_type`, `unknown_store`, `malformed_json`, `not_an_object`, `duplicate_key` or
        `validation_failed`.
    """
    if envelope.type not in FULFILMENTS:
        raise Poison("unknown_type", f"{envelope.type} is no type of this topic")
    if envelope.store not in (None, context.store):
        raise Poison("unknown_store", f"{envelope.store} is no store of this installation")
    number = envelope.subject
    if len(number) > ACCOUNT_NUMBER_CHARS_MAX:
        raise Poison("validation_failed", f"ce_subject is longer than {ACCOUNT_NUMBER_CHARS_MAX} characters")
    body = _fold(raw)
    transaction = _validate(body)
    command_id = input_command_id(envelope.source, envelope.id)
    payload = {"accountNumber": number, **transaction.model_dump(by_alias=True, exclude_unset=True)}
    return [
        Translated(
            id=command_id,
            type="points.post_transaction.v1",
            subject=account_id(context.store, number),
            store=context.store,
            value=to_json(payload),
            request_hash=request_hash(context.secret, envelope.type, number, canonical(body)),
            correlation_id=envelope.correlation_id or command_id,
            causation_id=envelope.id,
        )
    ]


def _fold(raw: bytes) -> dict[str, Any]:
    try:
        return fold(raw, Transaction, MISSPELT)
    except FoldingError as error:
        raise Poison(error.code, str(error)) from error


def _validate(body: dict[str, Any]) -> Transaction:
    """The transaction; what is wrong with it is told without quoting what was sent."""
    try:
        return Transaction.model_validate(body)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[:ERRORS_SHOWN_MAX]
        told = "; ".join(f"/{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in wrong)
        raise Poison("validation_failed", told) from error
