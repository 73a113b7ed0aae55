"""States of all services with every field filled, as their snapshots keep them."""

from datetime import date
from functools import partial
from typing import Any

import services.customer.documents
import services.giftcard.documents
import services.points.documents
import services.voucher.documents
from schemas.giftcards import CardType
from schemas.holds import TransactionHeld
from schemas.programme import Programme
from schemas.reversals import ReversalHeld
from schemas.tiers import TierSet
from schemas.vouchers import TransactionExecuted, VoucherDefinition, VoucherIssued
from services.customer.profile import Profile
from services.customer.state import Claim, Customer
from services.giftcard.state import Batch, Card, DeclaredType, Payment, SerialNumber
from services.points.held import Hold
from services.points.orders.state import Order
from services.points.receipts import Receipt
from services.points.reversals import Reversals
from services.points.state import Account, Catalogue, ProgrammeRules
from services.voucher.state import Definition, Pivot, Voucher
from shared.decider import Document
from tests.contract import customer_examples as people
from tests.contract import giftcard_examples, voucher_examples
from tests.contract.examples import EXAMPLES, PROGRAMME
from tests.contract.more_examples import TIER_SET
from tests.stored.filled import filled
from tests.stored.kinds import Kind

_PROFILE = Profile(
    first_name="Ada",
    last_name="Lovelace",
    language="nl",
    email_address="ada@example.org",
    date_of_birth=date(1990, 9, 11),
    gender=people.INFO.gender,
    communication_via_email=True,
    communication_via_sms=True,
    addresses=(people.ADDRESS,),
    phones=(people.PHONE,),
    labels=(people.LABEL,),
    consents=(people.CONSENT,),
    referral_code="REF-1",
    referred_by="REF-0",
    devices=(people.DEVICE,),
)
GIVEN: dict[Any, Any] = {
    Programme: PROGRAMME,
    TierSet: TIER_SET,
    TransactionHeld: EXAMPLES["points.transaction_held.v1"][0],
    ReversalHeld: EXAMPLES["points.reversal_held.v1"][0],
    VoucherDefinition: voucher_examples.DEFINITION,
    VoucherIssued: EXAMPLES["voucher.issued.v1"][0],
    TransactionExecuted: EXAMPLES["voucher.transaction_executed.v1"][0],
    Profile: _PROFILE,
    CardType: giftcard_examples.TYPE,
}
_SERVICES: tuple[tuple[Any, dict[str, type]], ...] = (
    (
        services.points.documents,
        {
            "account": Account,
            "programme": ProgrammeRules,
            "catalogue": Catalogue,
            "order": Order,
            "receipt": Receipt,
            "transaction": Hold,
            "reversals": Reversals,
        },
    ),
    (services.voucher.documents, {"definition": Definition, "voucher": Voucher, "transaction": Pivot}),
    (services.customer.documents, {"customer": Customer, "claim": Claim}),
    (
        services.giftcard.documents,
        {"card": Card, "type": DeclaredType, "serial": SerialNumber, "payment": Payment, "batch": Batch},
    ),
)


def _documents(documents: Any, type_: type) -> list[Document]:
    state = filled(type_, GIVEN)
    found = [documents.dump_state(state)]
    if type_ is Customer:
        living = {each: getattr(state, each) for each in ("customer", "state", "cards", "created_at", "booked_at")}
        found.append(documents.dump_state(Customer(**living, profile=_PROFILE, claims=state.claims)))
    return found


def _read(documents: Any, stream: str, document: Document) -> Document:
    again: Document = documents.dump_state(documents.load_state(stream, document))
    return again


STATES = [
    Kind(documents.SHAPES[type_], partial(_documents, documents, type_), partial(_read, documents, f"{kind}/s/x/y"))
    for documents, kinds in _SERVICES
    for kind, type_ in kinds.items()
]
