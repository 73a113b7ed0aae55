import pytest

from services.registry import JOURNALED

# A `then` that does not hold shows which field of which event is another.
pytest.register_assert_rewrite(*(f"tests.unit.{service}.world" for service in JOURNALED))
