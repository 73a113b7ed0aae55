"""Errors quote what they met, which may be personal: it is in no log, and goes from the dead letters (rules 4.5.6)."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.errors import Conflict
from shared.runtime.journal import Append
from tests.entries import entry_of
from tests.real.counter import DEFECT
from tests.real.steps import Bench

pytestmark = pytest.mark.real

QUOTED = "a defect in the rules"


async def test_what_a_defect_quotes_is_in_no_log_and_is_erased(bench: Bench) -> None:
    for subject in ("gone", "kept"):
        await bench.count(DEFECT, subject)
    with capture_logs() as logged:
        await bench.processor().handle(await bench.batch())
    assert [each["event"] for each in logged].count("a record failed alone") == 2
    assert QUOTED not in repr(logged)
    await bench.journal.append(
        Append(fences=[(None, {"_id": "fence/t/0", "version": 1})], erased=["counter/default/gone"])
    )
    letters = await bench.journal.letters(whole=True)
    kept, gone = sorted(letters, key=lambda letter: letter.get("erased", False))
    assert QUOTED in kept["trace"]
    assert (kept["key"], bool(kept["value"]), bool(kept["headers"])) == (b"kept", True, True)
    blank: dict[str, Any] = {"key": None, "value": None, "headers": [], "trace": None, "erased": True}
    assert {name: gone[name] for name in blank} == blank
    assert (gone["reason"], gone["detail"]) == ("defect", "RuntimeError")


async def test_a_conflict_says_where_it_was_and_quotes_no_document(bench: Bench) -> None:
    for id_ in ("first", "second"):
        events = [{"data": {"personal": QUOTED}}]
        entry = entry_of(_id=id_, writes=["s/default/x#0000000001"], events=events)
        written = Append(entries=[entry], fences=[(None, {"_id": f"fence/{id_}/0", "version": 1})])
        if id_ == "first":
            await bench.journal.append(written)
            continue
        with pytest.raises(Conflict, match="s/default/x#0000000001") as conflict:
            await bench.journal.append(written)
        assert QUOTED in str(conflict.value.__cause__), "else nothing is shown by this"
        assert QUOTED not in str(conflict.value)
