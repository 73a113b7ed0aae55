"""Cards: one more, one instead of another, and what the points service is told of it (rules 4.1.2)."""

import pytest

from schemas.customers import AddCard, CardAdded, CardReplaced, ClaimKind, CustomerRefusal, ReplaceCard
from services.customer.cards import CARDS_MAX
from shared.decider import Document
from shared.ids import account_id
from tests.unit.customer.world import ADA, BEN, STORE, T0, Given, ada, create


def known(number: str) -> tuple[str, str, Document]:
    """What points are told of a card, so that inputs may open an account under its number."""
    return "points.know_number.v1", account_id(STORE, number), {"accountNumber": number}


def test_one_more_card() -> None:
    when = ada().when(AddCard(card_number="6002"))
    when.then(CardAdded(customer=ADA, card_number="6002", booked_at=T0))
    assert when.accepted.result["cardNumber"] == "6002"
    assert when.follow_ups == [known("6002")]
    assert when.world.owner(ClaimKind.CARD, "6002") == ADA
    assert when.world.view()["cardNumber"] == "6001"
    when.world.when(AddCard(card_number="6002")).then()
    drawn = ada().when(AddCard())
    assert len(drawn.accepted.result["cardNumber"]) == 19


def test_a_card_instead_of_another_leads_to_its_account() -> None:
    when = ada().when(ReplaceCard(new_number="6002"))
    when.then(CardReplaced(customer=ADA, card_number="6001", new_number="6002", booked_at=T0))
    leads = {"accountNumber": "6001", "newNumber": "6002"}
    assert when.follow_ups == [("points.replace_card.v1", account_id(STORE, "6001"), leads), known("6002")]
    assert when.accepted.follow_ups[0].topic == "points.commands"
    view = when.world.view()
    assert view["cardNumber"] == "6002"
    assert [(card["cardNumber"], card["replacedBy"]) for card in view["cards"]] == [("6001", "6002"), ("6002", None)]
    assert view["search"]["cardNumbers"] == ["6001", "6002"]
    again = when.world.when(ReplaceCard(new_number="6003"))
    assert again.world.view()["cardNumber"] == "6003"
    assert again.follow_ups[0][1:] == (account_id(STORE, "6002"), {"accountNumber": "6002", "newNumber": "6003"})


@pytest.mark.parametrize(
    ("payload", "code", "pointer"),
    [
        (ReplaceCard(card_number="6009", new_number="6002"), CustomerRefusal.CARD_UNKNOWN, "/cardNumber"),
        (ReplaceCard(card_number="6001", new_number="6005"), CustomerRefusal.CARD_REPLACED, "/cardNumber"),
        (ReplaceCard(new_number="6001"), CustomerRefusal.CARD_IN_USE, "/newNumber"),
        (ReplaceCard(new_number="6002"), CustomerRefusal.CARD_IN_USE, "/newNumber"),
        (ReplaceCard(new_number="7001"), CustomerRefusal.CARD_IN_USE, "/newNumber"),
        (AddCard(card_number="7001"), CustomerRefusal.CARD_IN_USE, "/cardNumber"),
    ],
)
def test_refusals(payload: AddCard | ReplaceCard, code: CustomerRefusal, pointer: str) -> None:
    world = ada().when(ReplaceCard(new_number="6002")).world.when(create("7001"), BEN).world
    world.when(payload).refused(code, pointer)


def test_there_is_an_end_to_it() -> None:
    world = ada()
    for number in range(1, CARDS_MAX):
        world = world.when(AddCard(card_number=f"6001-{number}")).world
    world.when(AddCard(card_number="one more")).refused(CustomerRefusal.TOO_MANY_CARDS, "/cardNumber")
    world.when(ReplaceCard()).refused(CustomerRefusal.TOO_MANY_CARDS, "/newNumber")
    world.when(AddCard(card_number="6001")).then()


def test_nobody_has_cards() -> None:
    Given().when(AddCard()).refused(CustomerRefusal.CUSTOMER_UNKNOWN)
    Given().when(ReplaceCard()).refused(CustomerRefusal.CUSTOMER_UNKNOWN)
