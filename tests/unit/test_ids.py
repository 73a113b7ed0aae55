"""Derived ids are UUIDv5 as the library makes them; placement is the Java client's."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from shared.ids import NAMESPACE, account_id, derived_id, input_command_id, keyed_command_id, new_id
from shared.runtime.kafka import partition_of


@given(st.lists(st.one_of(st.text(max_size=20), st.integers()), max_size=4))
def test_derived_ids_are_the_librarys_version_5(parts: list[str | int]) -> None:
    name = "".join(f"{len(str(part))}:{part}" for part in parts)
    assert derived_id(*parts) == str(uuid5(NAMESPACE, name))


def test_no_two_lists_of_parts_share_an_id() -> None:
    assert derived_id("a", "bc") != derived_id("ab", "c")
    assert len({account_id("s", "1"), input_command_id("s", "1"), keyed_command_id("s", "1", "")}) == 3


def test_new_ids_are_version_7() -> None:
    assert UUID(new_id()).version == 7


def test_keys_are_placed_where_the_java_client_places_them() -> None:
    # The hashes are those of the Java client's own tests.
    hashes = {
        "21": -973932308,
        "foobar": -790332482,
        "a-little-bit-long-string": -985981536,
        "a-little-bit-longer-string": -1486304829,
    }
    for key, hashed in hashes.items():
        assert partition_of(key, 12) == (hashed & 0x7FFFFFFF) % 12
