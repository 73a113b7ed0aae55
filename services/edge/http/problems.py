"""Problems: errors with a stable code, sent as RFC 9457 documents. docs/problems.md lists every code.

400: malformed; 401, 403: not allowed; 404: not found; 409: refused by the state; 422: refused by a rule; 503, 504:
see protocol P8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from shared.hashing import to_json
from shared.runtime.connections import REFUSALS

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = "1"
ERRORS_MAX = 100

BODY_CODES: dict[str, tuple[int, str]] = {
    "malformed_json": (400, "The body is not JSON"),
    "not_an_object": (400, "The body is not a JSON object"),
    "duplicate_key": (400, "A key is given twice"),
    "unknown_field": (400, "A field is not known"),
    "wrong_type": (400, "A value has the wrong JSON type"),
    "value_out_of_range": (400, "A value is outside of its limits"),
    "missing_field": (400, "A field is missing"),
    "invalid_value": (400, "A value is not valid"),
    "body_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The body must be JSON"),
}
"""Problems of a request body, found before the command is sent."""

EDGE_CODES: dict[str, tuple[int, str]] = {
    "invalid_account_number": (400, "The account number is not valid"),
    "invalid_parameter": (400, "A parameter is not valid"),
    "invalid_idempotency_key": (400, "The idempotency key is not valid"),
    "unauthenticated": (401, "The request has no access token"),
    "token_expired": (401, "The access token has expired"),
    "token_invalid": (401, "The access token is not accepted"),
    "insufficient_scope": (403, "The access token lacks a scope"),
    "not_found": (404, "Not found"),
    "refusal_unknown": (404, "There is no such refusal"),
    "operation_unknown": (404, "There is no such operation"),
    "method_not_allowed": (405, "The method is not allowed here"),
    "idempotency_key_reused": (422, "The idempotency key was used for another request"),
    "too_many_requests": (429, "There are too many requests"),
    "too_many_wrong_codes": (429, "Too many wrong scratch codes were sent"),
    "internal": (500, "Something went wrong here"),
    "dead_lettered": (500, "The command could not be processed"),
    "unavailable": (503, "The service cannot take requests now"),
    "too_late": (503, "The command arrived too late and was dropped"),
    "outcome_unknown": (504, "The outcome is not known yet"),
}
"""Problems of requests and servers that any operation can have."""

RULE_CODES: dict[str, tuple[int, str]] = {
    "account_unknown": (404, "There is no such account"),
    "programme_unknown": (422, "There is no such programme"),
    "programme_retired": (409, "The programme is retired"),
    "account_mismatch": (422, "The account does not match"),
    "value_negative": (422, "A value is negative"),
    "value_zero": (422, "A value is zero"),
    "too_many_decimals": (422, "A value has too many decimals"),
    "insufficient_points": (409, "There are not enough points"),
    "load_limit_exceeded": (422, "A load is larger than allowed"),
    "threshold_limit_exceeded": (422, "More vouchers would be issued at once than allowed"),
    "balance_limit_exceeded": (409, "The balance would become too large"),
    "too_many_lots": (409, "The account has too many lots"),
    "expiry_in_past": (422, "An expiry is in the past"),
    "expiry_before_activation": (422, "An expiry is before the activation"),
    "scheduled_debit": (422, "A debit cannot be scheduled"),
    "voucher_not_offered": (422, "The voucher is not on offer"),
    "transaction_timed_out": (409, "The transaction took too long"),
    "transaction_open": (409, "A transaction is open"),
    "too_many_open_transactions": (409, "Too many transactions are open"),
    "scale_changed": (409, "A programme's scale cannot change"),
    "unit_changed": (409, "A programme's unit cannot change"),
    "programme_mismatch": (422, "The programme does not match"),
    "account_spending_blocked": (409, "The account may not spend"),
    "account_suspended": (409, "The account is suspended"),
    "account_closed": (409, "The account is closed"),
    "number_in_use": (409, "The number is in use"),
    "too_many_numbers": (409, "The account has too many numbers"),
    "too_many_inputs_wait": (409, "Too many messages wait for the account number"),
    "order_already_earns": (409, "The order has already earned its points"),
    "receipt_already_loaded": (409, "Points were already loaded for the order's receipt"),
    "order_conflict": (409, "The order's revision was different before"),
    "order_account_mismatch": (409, "The order belongs to another account"),
    "order_amendment_below_facts": (409, "The amended order is smaller than what already happened to it"),
    "order_exceeded": (409, "More was fulfilled or cancelled than ordered"),
    "return_exceeds_fulfilled": (409, "More was returned than fulfilled"),
    "order_line_unknown": (422, "The order has no such line"),
    "order_fact_conflict": (409, "The order's event was different before"),
    "too_many_facts": (409, "The order has too many events"),
    "order_too_large": (409, "The order is larger than what is kept of one"),
    "currency_changed": (409, "An order's currency cannot change"),
    "shop_required": (422, "The shop of the order is not named"),
    "order_numbers_fixed": (409, "Order numbers that are unique per shop stay so"),
    "transaction_unknown": (422, "The account has no such transaction"),
    "transaction_foreign": (409, "The transaction is another client's"),
    "reversed_operation_unknown": (422, "The transaction has no such operation"),
    "not_reversible": (422, "The operation cannot be reversed"),
    "already_reversed": (409, "It has already been reversed"),
    "reversal_exceeds_original": (409, "More would be reversed than was booked"),
    "tier_set_unknown": (404, "There is no such tier set"),
    "tier_set_mismatch": (422, "The tier set does not match"),
    "tier_unknown": (422, "The tier set has no such tier"),
    "tier_set_fixed": (409, "This part of a tier set cannot change"),
    "primary_taken": (409, "Another tier set is already the primary one"),
    "voucher_unknown": (422, "There is no such voucher"),
    "voucher_foreign": (409, "The voucher belongs to another account"),
    "voucher_void": (409, "The voucher is void"),
    "voucher_redeemed": (409, "The voucher has been redeemed"),
    "voucher_expired": (409, "The voucher has expired"),
    "voucher_not_yet_valid": (409, "The voucher is not valid yet"),
    "voucher_used": (409, "The voucher has been used"),
    "definition_unknown": (422, "There is no such voucher definition"),
    "definition_retired": (409, "The voucher definition is retired"),
    "definition_mismatch": (422, "The voucher definition does not match"),
    "bearer_not_allowed": (422, "The voucher needs an owner"),
    "serial_in_use": (409, "The serial already has a voucher"),
    "customer_unknown": (404, "There is no such customer"),
    "customer_exists": (409, "The customer already exists"),
    "customer_id_invalid": (422, "The customer's id is not valid"),
    "customer_deleted": (409, "The customer is deleted"),
    "customer_anonymised": (409, "The customer was anonymised"),
    "email_in_use": (409, "Another customer has this e-mail address"),
    "phone_in_use": (409, "Another customer has this phone number"),
    "card_in_use": (409, "The card number is in use"),
    "card_unknown": (422, "The customer has no such card"),
    "card_replaced": (409, "The card has been replaced"),
    "too_many_cards": (409, "The customer has too many cards"),
    "birth_date_in_future": (422, "The date of birth is in the future"),
    "card_type_unknown": (422, "There is no such gift card type"),
    "card_type_required": (422, "The gift card type is not named"),
    "card_type_mismatch": (422, "The gift card type does not match"),
    "card_type_retired": (409, "The gift card type is retired"),
    "batch_exists": (409, "There is a batch with this id already"),
    "gift_card_exists": (409, "The gift card already exists"),
    "serial_number_in_use": (409, "Another gift card has this serial number"),
    "gift_card_unknown": (404, "There is no such gift card"),
    "gift_card_not_active": (409, "The gift card is not active yet"),
    "gift_card_expired": (409, "The gift card has expired"),
    "gift_card_void": (409, "The gift card is void"),
    "gift_card_refunded": (409, "The gift card was refunded"),
    "reload_not_allowed": (409, "The gift card cannot be loaded again"),
    "currency_mismatch": (422, "The currency is not the gift card's"),
    "load_too_small": (422, "A load is smaller than allowed"),
    "insufficient_balance": (409, "The gift card does not have enough"),
    "transaction_cancelled": (409, "The transaction was cancelled before it arrived"),
    "not_cancellable": (409, "The transaction cannot be cancelled like this"),
    "not_latest_mutation": (409, "Only the gift card's latest mutation can be cancelled"),
    "mutation_foreign": (409, "The mutation comes from another till or receipt"),
    "too_many_cancels_wait": (409, "Too many cancels wait on the gift card"),
    "too_large": (422, "The command's effect is too large"),
}
"""Refusals by the business rules of a service; nothing is booked."""

CODES: dict[str, tuple[int, str]] = {**BODY_CODES, **REFUSALS, **EDGE_CODES, **RULE_CODES}
"""All codes, with status and title."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One error in a body: its code, a JSON pointer in the documented spelling, and a description."""

    code: str
    pointer: str | None
    detail: str


class Problem(Exception):
    """Ends a request with a problem document. `more` has additional members of the document."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        pointer: str | None = None,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.pointer = pointer
        self.errors = errors
        self.headers = headers
        self.more = more or {}

    @property
    def status(self) -> int:
        """The HTTP status of the code; 422 for an unknown code, which a newer service may send."""
        return CODES.get(self.code, _UNLISTED)[0]

    def document(self) -> dict[str, Any]:
        """The problem document; `pointer` and `errors` are left out if there are none."""
        status, title = CODES.get(self.code, _UNLISTED)
        document: dict[str, Any] = {
            "type": f"urn:fealty:problem:{self.code}",
            "title": title,
            "status": status,
            "detail": self.detail,
            "code": self.code,
            **self.more,
        }
        if self.pointer is not None:
            document["pointer"] = self.pointer
        if self.errors:
            document["errors"] = [
                {"code": fault.code, "pointer": fault.pointer, "detail": fault.detail} for fault in self.errors
            ]
        return document

    def response(self) -> Response:
        """The document as an HTTP response."""
        return Response(to_json(self.document()), self.status, self.headers, MEDIA_TYPE)


_UNLISTED = (422, "A business rule refused the command")
_PARAMETER_CODES = {"accountNumber": "invalid_account_number"}


def parameter_code(name: str) -> str:
    """The problem code of an invalid path or query parameter."""
    return _PARAMETER_CODES.get(name, "invalid_parameter")


def invalid_parameter(name: str, detail: str) -> Problem:
    """400: a parameter is invalid; the document names it."""
    code = parameter_code(name)
    return Problem(code, f"{name}: {detail}", more={"parameter": name} if code == "invalid_parameter" else None)


def unavailable(detail: str) -> Problem:
    """503: no command was sent; the caller may retry."""
    return Problem("unavailable", detail, headers={"Retry-After": RETRY_AFTER_S})
