"""How dead letters are shown, and which are chosen for a replay."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.commands.console import Failure
from cli.commands.dead_letters import _chosen, _fits, _is_late, lines_of, readable
from shared.clock import now_ms
from shared.settings import Settings

AT = datetime(2026, 11, 22, 10, 0, 1, 123_000, UTC)


def letter(offset: int, partition: int = 0, **more: Any) -> dict[str, Any]:
    place = {"topic": "points.commands", "partition": partition, "offset": offset}
    return {"_id": f"points.commands/{partition}/{offset}", **place, "at": AT, **more}


def test_bytes_are_shown_as_text_when_all_of_them_can_be() -> None:
    assert readable(b'{"a": 1}\n') == '{"a": 1}\n'
    assert readable("één".encode()) == "één"
    assert readable(b"") == ""
    assert readable(None) == "null"
    assert readable(b"\xff\x00") == "0xff00"
    assert readable(b"a\x1b[31mred") == "0x611b5b33316d726564"


def test_a_letter_is_shown_whole() -> None:
    shown = lines_of(
        letter(
            7,
            reason="bad_payload",
            detail="/value: wrong",
            attempts=1,
            key=b"k",
            value=b"{",
            headers=[["ce_id", b"x"], ["odd", b"\xff"], ["none", None]],
            trace="Traceback\n  last line\n",
        )
    )
    assert shown == [
        "id        points.commands/0/7",
        "at        2026-11-22T10:00:01.123Z",
        "reason    bad_payload",
        "detail    /value: wrong",
        "attempts  1",
        "replayed  never",
        "key       k",
        "headers",
        "  ce_id: x",
        "  odd: 0xff",
        "  none: null",
        "value",
        "{",
        "trace",
        "Traceback\n  last line",
    ]


def test_of_an_erased_letter_only_the_reason_is_shown() -> None:
    about: dict[str, Any] = {"reason": "bad_payload", "detail": "/value: wrong", "attempts": 1}
    shown = lines_of(letter(7, **about, key=None, value=None, headers=[], trace=None, erased=True))
    assert shown[-2:] == ["key       null", "the content was erased when the customer was anonymised"]
    assert "reason    bad_payload" in shown


def test_an_erased_letter_is_never_replayed() -> None:
    letters = [letter(1), letter(2, erased=True)]
    for again in (False, True):
        assert _chosen(letters, None, again, Settings()) == ["points.commands/0/1"]
        with pytest.raises(Failure, match=r"erased .*: points\.commands/0/2; nothing was sent"):
            _chosen(letters, ["points.commands/0/1", "points.commands/0/2"], again, Settings())


def test_all_means_those_not_replayed_in_the_order_of_their_offsets() -> None:
    letters = [letter(10), letter(9), letter(2, 1, replayed_at=AT), letter(1, 1)]
    in_order = ["points.commands/0/9", "points.commands/0/10", "points.commands/1/1"]
    assert _chosen(letters, None, False, Settings()) == in_order
    assert _chosen(letters, None, True, Settings()) == [*in_order, "points.commands/1/2"]


def test_a_replay_is_refused_as_a_whole() -> None:
    found = [letter(1), letter(2, replayed_at=AT)]
    ids = [each["_id"] for each in found]
    with pytest.raises(Failure, match=r"replayed before: points\.commands/0/2; nothing was sent"):
        _chosen(found, ids, False, Settings())
    assert _chosen(found, ids, True, Settings()) == ids
    with pytest.raises(Failure, match="unknown dead letter x/0/1; nothing was sent"):
        _chosen(found, [*ids, "x/0/1"], True, Settings())
    with pytest.raises(Failure, match="did not come from a topic of this installation"):
        _chosen(found, ids, True, Settings(prefix="other."))
    with pytest.raises(Failure, match="did not come from a topic of this installation"):
        _chosen([letter(1, 12)], None, True, Settings())


def test_what_the_service_will_drop_and_what_no_batch_takes_is_known() -> None:
    assert _is_late({"headers": [["ce_notafter", b"1"]]})
    assert not _is_late({"headers": [["ce_notafter", str(now_ms() + 60_000).encode()]]})
    assert not _is_late({"headers": [["ce_notafter", None]]})
    assert not _is_late({"headers": []})
    assert _fits({"value": None})
    assert not _fits({"value": b"x" * 1_000_000})
