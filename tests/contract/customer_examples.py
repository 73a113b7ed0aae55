"""One instance of every wire type of the customer service; the first is the fullest."""

from datetime import UTC, date, datetime
from typing import Any

from schemas import contacts, customer_views, customers

CUSTOMER = "01936f2e-7c00-7000-8000-00000000000a"
NUMBER = "6299000000000000017"
NOW = datetime(2026, 11, 22, 10, 0, 1, 123_000, UTC)
LATER = datetime(2026, 11, 29, 10, 0, 1, 123_000, UTC)

ADDRESS = contacts.Address(
    type="home", primary=True, street="Oudegracht", house_number="12", postal_code="1234 AB", city="Utrecht"
)
PHONE = contacts.Phone(type="mobile", primary=True, number="+31612345678")
LABEL = contacts.Label(key="vip", value="yes")
CONSENT = contacts.Consent(code="profiling", given=False)
DEVICE = contacts.Device(serial_number="0-17", registration_type="IOS", registration_token="t")

INFO = contacts.CustomerInfo(
    first_name="Ada",
    last_name="Lovelace",
    language="nl",
    email_address="ada@example.org",
    date_of_birth="1990-09-11",
    gender=contacts.Gender.FEMALE,
    communication_via_email=True,
    communication_via_sms=False,
)
MORE = contacts.ContactData(
    addresses=(ADDRESS,),
    phones=(PHONE,),
    labels=(LABEL,),
    consents=(CONSENT,),
    referral_code="REF-1",
    referred_by="REF-0",
    devices=(DEVICE,),
)
REFUSED = customers.CustomerRejected(
    command="customer.create.v1",
    code=customers.CustomerRefusal.EMAIL_IN_USE,
    detail="another customer has this e-mail address",
    pointer="/customerInfo/emailAddress",
)
_OF: dict[str, Any] = {"customer": CUSTOMER, "booked_at": NOW}
_SEARCH = customer_views.SearchView(
    card_numbers=(NUMBER,),
    first_name="ada",
    last_name="lovelace",
    email_address="ada@example.org",
    mobile="+31612345678",
    postal_code="1234ab",
    house_number="12",
    house_number_addition=None,
)
_NAMED = ("first_name", "last_name", "email_address", "mobile", "postal_code", "house_number")
VIEW = customer_views.CustomerView(
    customer=CUSTOMER,
    state=customers.CustomerState.ACTIVE,
    card_number=NUMBER,
    cards=(customer_views.CardView(card_number=NUMBER, since=NOW, replaced_by=None),),
    customer_info=customer_views.CustomerInfoView(
        first_name="Ada",
        last_name="Lovelace",
        country_id=None,
        city="Utrecht",
        street="Oudegracht",
        postal_code="1234 AB",
        house_number="12",
        house_number_addition=None,
        language="nl",
        email_address="ada@example.org",
        mobile="+31612345678",
        date_of_birth=date(1990, 9, 11),
        gender=contacts.Gender.FEMALE,
        communication_via_email=True,
        communication_via_sms=False,
    ),
    contact_data=customer_views.ContactDataView(
        addresses=(ADDRESS,),
        phones=(PHONE,),
        labels=(LABEL,),
        consents=(CONSENT,),
        referral_code="REF-1",
        referred_by=None,
        devices=(DEVICE,),
    ),
    search=_SEARCH,
    created_at=NOW,
    booked_at=NOW,
    anonymised_at=None,
)
FORGOTTEN = VIEW.model_copy(
    update={
        "state": customers.CustomerState.DELETED,
        "customer_info": None,
        "contact_data": None,
        "search": _SEARCH.model_copy(update=dict.fromkeys(_NAMED)),
        "anonymised_at": NOW,
    }
)

EXAMPLES: dict[str, tuple[Any, ...]] = {
    "customer.create.v1": (
        customers.CreateCustomer(customer_info=INFO, contact_data=MORE, card_number=NUMBER),
        customers.CreateCustomer(),
    ),
    "customer.update.v1": (
        customers.UpdateCustomer(customer_info=INFO.model_copy(update={"gender": "", "mobile": ""})),
        customers.UpdateCustomer(),
    ),
    "customer.add_card.v1": (customers.AddCard(card_number=NUMBER), customers.AddCard()),
    "customer.replace_card.v1": (customers.ReplaceCard(card_number=NUMBER, new_number="6"), customers.ReplaceCard()),
    "customer.set_state.v1": (
        customers.SetCustomerState(state=customers.CustomerState.BLOCKED, reason="lost the card"),
    ),
    "customer.anonymise.v1": (customers.AnonymiseCustomer(),),
    "customer.release_claim.v1": (customers.ReleaseClaim(kind=customers.ClaimKind.EMAIL, key="ab" * 32),),
    "customer.created.v1": (customers.CustomerCreated(**_OF, state=customers.CustomerState.NEW, card_number=NUMBER),),
    "customer.updated.v1": (customers.CustomerUpdated(**_OF, changed=("firstName", "addresses")),),
    "customer.card_added.v1": (customers.CardAdded(**_OF, card_number="6"),),
    "customer.card_replaced.v1": (customers.CardReplaced(**_OF, card_number=NUMBER, new_number="6"),),
    "customer.state_changed.v1": (
        customers.CustomerStateChanged(**_OF, from_=customers.CustomerState.NEW, to=customers.CustomerState.ACTIVE),
    ),
    "customer.anonymised.v1": (customers.CustomerAnonymised(**_OF, gone_by=LATER),),
    "customer.claimed.v1": (customers.Claimed(**_OF, claim=customers.ClaimKind.PHONE),),
    "customer.claim_released.v1": (customers.ClaimReleased(**_OF, claim=customers.ClaimKind.PHONE),),
    "customer.snapshot.v1": (VIEW, FORGOTTEN),
    **{
        rejection: (REFUSED.model_copy(update={"command": command}),)
        for command, rejection in customers.REJECTIONS.items()
    },
}
