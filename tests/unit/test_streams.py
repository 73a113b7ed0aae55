"""No name that anybody may choose leads into a stream, or into the history of a stream, that is not its own."""

import ast
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.envelope import Envelope, EnvelopeError
from services.customer import state as customer
from services.giftcard import state as giftcard
from services.points import streams as points
from services.points.orders.state import Order
from services.points.state import initial
from services.voucher import state as voucher
from shared.settings import Settings
from shared.writes import first_write, last_write, split, write_of
from tests.test_house import CODE, ROOT

BUILDERS: tuple[Callable[[str, str], str], ...] = (
    points.account_stream,
    points.programme_stream,
    points.order_stream,
    points.transaction_stream,
    points.reversals_stream,
    voucher.definition_stream,
    voucher.voucher_stream,
    customer.customer_stream,
    giftcard.type_stream,
    giftcard.serial_stream,
    giftcard.card_stream,
)
WHERE = {"services/points/streams.py", "services/voucher/state.py", "services/customer/state.py"}
WHERE |= {"services/giftcard/state.py"}
WHERE |= {
    f"services/edge/views/{name}.py" for name in ("catalogue", "customers", "giftcard_batches", "giftcards", "vouchers")
}
HOSTILE = ("a/b", "a", "b", "a#000000000001", "a%23000000000001", "a%", "#", "/", "//", "a/", "/a", "default/a", "é#/")
STORES = ("a", "b", "a.b", "A", "default")
BAD_STORES = ("", "a/b", "a#b", "a b", "a\n", "/", "..", "é", "a%2Fb", "x" * 65, "\u202ea")


@pytest.mark.parametrize("store", BAD_STORES)
def test_a_store_whose_name_would_lead_elsewhere_is_refused_at_every_door(store: str) -> None:
    with pytest.raises(ValidationError):
        Settings(store=store)
    good = Envelope(id="i", type="t", source="s", subject="u", store="default").headers()
    assert Envelope.from_headers(good).store == "default"
    with pytest.raises(EnvelopeError, match="ce_store"):
        Envelope.from_headers([*(each for each in good if each[0] != "ce_store"), ("ce_store", store.encode())])


@pytest.mark.parametrize("name", ["prefix", "instance"])
@pytest.mark.parametrize("value", ["a/b", "a b", "a#b", "x" * 65, "a\n"])
def test_prefixes_and_instances_are_names_too(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({name: value})


def test_no_two_aggregates_share_a_stream() -> None:
    asked = list(product(BUILDERS, STORES, HOSTILE))
    assert len({build(store, id_) for build, store, id_ in asked}) == len(asked)
    shops = ("a", "b", "a/b", "a%2Fb", "%", "a%", "#", "é", " ", "shop-order", "..")
    orders = {points.order_stream(store, number, shop) for store in STORES for number in HOSTILE for shop in shops}
    loads = {points.receipt_stream("a", "b", number, shop) for number in HOSTILE for shop in (*shops, None)}
    assert len(orders) == len(STORES) * len(HOSTILE) * len(shops)
    assert len(loads) == len(HOSTILE) * (len(shops) + 1)
    assert not orders & {build(store, id_) for build, store, id_ in asked}


@given(st.text(alphabet="a#%/2350:\ud7ff", max_size=20), st.integers(1, 10**12 - 1))
def test_a_write_tells_its_stream_and_version(stream: str, version: int) -> None:
    assert split(write_of(stream, version)) == (stream, version)


@given(st.text(alphabet="a/%#é 2F", min_size=1, max_size=9), st.text(alphabet="a/%#é", min_size=1, max_size=9))
def test_a_shops_order_is_told_by_its_stream(shop: str, number: str) -> None:
    assert initial(points.order_stream("s", number, shop)) == Order(number, shop=shop)


def test_no_write_lies_among_those_of_another_stream() -> None:
    named = product(STORES, HOSTILE, (None, "a", "a#000000000001", "a/b"))
    streams = [points.order_stream(store, id_, shop) for store, id_, shop in named]
    writes = {stream: [write_of(stream, version) for version in (1, 10**12 - 1)] for stream in streams}
    for stream in streams:
        first, last = first_write(stream), last_write(stream)
        within = {name for name, its in writes.items() if any(first < each < last for each in its)}
        assert within == {stream}


def test_streams_are_named_in_one_place_a_service() -> None:
    """Whoever writes a name by hand with the store in its middle would go round what is tested here."""
    for path in CODE:
        if path.parts[0] in ("bench", "schemas") or str(path) in WHERE:
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.JoinedStr) and len(node.values) >= 3:
                first, second = node.values[:2]
                kind = first.value if isinstance(first, ast.Constant) else ""
                named = ast.unparse(second.value) if isinstance(second, ast.FormattedValue) else ""
                assert not (str(kind).endswith("/") and "store" in named), f"{path}:{node.lineno} names a stream"
