"""Values compare otherwise than they once did: what was claimed before is still found, and moves when it is named."""

import re
from unicodedata import normalize

import pytest

from schemas.customers import ClaimKind, CustomerRefusal
from services.customer import claims
from services.customer.claims import Keys
from tests.unit.customer.world import BEN, Given, create, update

UNICODE, ASCII = "ada@ex\u00e4mple.nl", "ada@xn--exmple-cua.nl"
IN_NL = Keys(b"a key", phone_region="NL")


def before(monkeypatch: pytest.MonkeyPatch, keys: Keys = IN_NL, **info: str) -> Given:
    """Ada, created when e-mails were compared in lower case and phones by their digits."""
    with monkeypatch.context() as then:
        then.setattr(claims, "email_forms", lambda text: (normalize("NFC", text.strip()).lower(),))
        then.setattr(claims, "phone_forms", lambda text, _: (re.sub(r"[\s().\-/]", "", text),))
        return Given(keys=keys).when(create(**info)).world


@pytest.mark.parametrize(("stored", "written"), [(UNICODE, ASCII), (ASCII, UNICODE), (UNICODE, f" {UNICODE.upper()}")])
def test_an_email_that_was_claimed_in_another_form_is_in_use(
    monkeypatch: pytest.MonkeyPatch, stored: str, written: str
) -> None:
    world = before(monkeypatch, email_address=stored)
    when = world.when(create("6002", email_address=written), BEN)
    when.refused(CustomerRefusal.EMAIL_IN_USE, "/customerInfo/emailAddress")


@pytest.mark.parametrize("stored", ["+31612345678", "+31 06 12345678", "06-12345678"])
@pytest.mark.parametrize("written", ["+31612345678", "0031 6 12345678", "+31 (0)6 12345678", "06 12345678"])
def test_a_phone_that_was_claimed_in_another_form_is_in_use(
    monkeypatch: pytest.MonkeyPatch, stored: str, written: str
) -> None:
    world = before(monkeypatch, mobile=stored)
    world.when(create("6002", mobile=written), BEN).refused(CustomerRefusal.PHONE_IN_USE, "/customerInfo/mobile")


def test_the_owner_keeps_a_value_and_its_claim_moves_when_it_is_named_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = before(monkeypatch, email_address=UNICODE, mobile="+31 06 12345678")
    settled = world.when(update(email_address=UNICODE, mobile="+31612345678")).settled
    assert settled.owner(ClaimKind.EMAIL, ASCII) == settled.customer().customer
    assert settled.owner(ClaimKind.PHONE, "+31612345678") == settled.customer().customer
    assert settled.owner(ClaimKind.EMAIL, UNICODE) is None
    assert settled.owner(ClaimKind.PHONE, "+310612345678") is None
    settled.when(create("6002", email_address=ASCII), BEN).refused(
        CustomerRefusal.EMAIL_IN_USE, "/customerInfo/emailAddress"
    )


def test_what_is_given_up_in_its_earlier_form_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    world = before(monkeypatch, mobile="+31 06 12345678").when(update(mobile="")).settled
    assert world.when(create("6002", mobile="06 12345678"), BEN).accepted


def test_without_a_region_a_national_number_is_told_apart_by_its_digits() -> None:
    world = Given(keys=Keys(b"a key")).when(create(mobile="06 12345678")).world
    assert world.when(create("6002", mobile="+31612345678"), BEN).accepted
    world.when(create("6002", mobile="0612345678"), BEN).refused(CustomerRefusal.PHONE_IN_USE, "/customerInfo/mobile")


def test_the_view_finds_a_phone_by_the_region() -> None:
    world = Given(keys=IN_NL).when(create(mobile="06 12345678")).world
    assert world.view()["search"]["mobile"] == "+31612345678"
