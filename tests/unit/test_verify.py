"""Recomputing one stream: what is seen in a journal, in a snapshot, and in both together."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.commands.verify import checks_of
from cli.verify import Difference, Report
from cli.verify.replay import Replay
from schemas.points import PostTransaction, PutProgramme
from schemas.programme import Programme
from services.points.decider import DECIDER
from services.points.identities import check_state
from services.points.state import Account, Balance, Lot
from shared.decider import Accepted, Command
from shared.findings import differences
from shared.ids import account_id, new_id
from shared.runtime.journal import Stored
from shared.settings import Settings
from shared.writes import first_write, last_write, split, write_of
from tests.entries import entry_of

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
ACCOUNT = account_id("default", "A-1")
STREAM = f"account/default/{ACCOUNT}"
CHECKS = checks_of("points", Settings.model_construct())


def entries() -> tuple[list[dict[str, Any]], Stored]:
    """Three entries of one account, and the snapshot after them."""
    programme = Programme(id="P", descriptions={"en": "points"})
    states: dict[str, Any] = {}
    made = []
    for type_, subject, payload in (
        ("points.put_programme.v1", "P", PutProgramme(programme=programme)),
        *(
            ("points.post_transaction.v1", ACCOUNT, transaction(load, redeem))
            for load, redeem in ((9, 0), (5, 2), (0, 4))
        ),
    ):
        command = Command(new_id(), type_, "default", subject, payload, NOW)
        streams = DECIDER.streams(command)
        known = {name: states.get(name) or DECIDER.initial(name) for name in (*streams.writes, *streams.reads)}
        verdict = DECIDER.decide(command, known)
        assert isinstance(verdict, Accepted)
        for name, event in verdict.events:
            states[name] = DECIDER.evolve(states.get(name) or DECIDER.initial(name), event)
        made.append(
            {"at": NOW, "events": [{"stream": name, "data": DECIDER.dump_event(each)} for name, each in verdict.events]}
        )
    state = DECIDER.dump_state(states[STREAM])
    return made[1:], Stored(3, {"_id": STREAM, "version": 3, "booked_at": NOW, "state": state})


def transaction(load: int, redeem: int) -> PostTransaction:
    part = {"loyaltyPointDefinitionId": "P", "loads": [{"value": load}], "redemptions": [{"value": redeem}]}
    return PostTransaction.model_validate({"accountNumber": "A-1", "loyaltyPrograms": [part]})


def compared(journal: list[tuple[int, dict[str, Any]]], stored: Stored | None) -> list[Difference]:
    replay = Replay(STREAM, CHECKS)
    for version, entry in journal:
        replay.add(version, entry_of(**entry))
    return replay.compared(stored)


def numbered(journal: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(journal, 1))


def test_what_belongs_together_does_not_differ() -> None:
    journal, stored = entries()
    assert compared(numbered(journal), stored) == []


def test_a_missing_snapshot_and_a_missing_journal() -> None:
    journal, stored = entries()
    assert compared(numbered(journal), None) == [Difference("snapshot", "version 3", "nothing")]
    assert compared([], stored) == [Difference("journal", "versions 1 to 3", "nothing")]


def test_a_gap_in_the_versions() -> None:
    journal, stored = entries()
    assert compared(numbered(journal)[1:], stored) == [Difference("version in the journal", "1", "2")]
    assert compared(numbered(journal)[::2], stored) == [Difference("version in the journal", "2", "3")]
    assert compared(numbered(journal)[:2], stored) == [Difference("version of the snapshot", "2", "3")]


def test_a_changed_delta_breaks_the_running_sum_and_the_state() -> None:
    journal, stored = entries()
    journal[1]["events"][0]["data"]["delta"] = 6
    found = compared(numbered(journal), stored)
    assert Difference("movement 2, booked of P: sum of deltas", "15", "14") in found
    assert Difference("movement 2, delta of P: its lots less what it adds to the debt", "5", "6") in found
    assert Difference("snapshot /balances/0/booked", "9", "8") in found


def test_a_changed_sequence() -> None:
    journal, stored = entries()
    journal[1]["events"][1]["data"]["sequence"] = 4
    assert Difference("sequence", "3", "4") in compared(numbered(journal), stored)


def test_an_event_that_cannot_be_applied_is_told_and_nothing_after_it() -> None:
    journal, stored = entries()
    journal[1]["events"][1]["data"]["lots"][0]["lot"] = 77
    (found,) = compared(numbered(journal), stored)
    assert (found.what, found.found) == ("event of version 2", "ValueError: there are no lots [77]")
    journal[0]["events"][0]["data"]["type"] = "points.gone.v1"
    (found,) = compared(numbered(journal), stored)
    assert found.what == "event of version 1"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda document: document["state"].__setitem__("sequence", 9), "snapshot /sequence"),
        (lambda document: document["state"]["balances"][0].__setitem__("earned", 15), "snapshot /balances/0/earned"),
        (lambda document: document["state"]["balances"][0]["lots"].clear(), "snapshot /balances/0/lots/0"),
        (lambda document: document["state"].pop("balances"), "snapshot"),
        (lambda document: document.pop("state"), "snapshot"),
        (lambda document: document.pop("booked_at"), "booked_at"),
    ],
)
def test_a_changed_snapshot_is_told_with_the_place(change: Any, what: str) -> None:
    journal, stored = entries()
    change(stored.document)
    assert what in [each.what for each in compared(numbered(journal), stored)]


def test_the_identities_of_an_account() -> None:
    good = Balance("P", 1, 0, booked=10, earned=14, redeemed=4, next_lot=3, lots=(Lot(1, 4), Lot(2, 6)))
    assert list(check_state(Account(ACCOUNT, "A-1", 3, NOW, {"P": good}))) == []
    for wrong, count in (
        (good._replace(earned=15), 1),
        (good._replace(lots=(Lot(1, 4),)), 1),
        (good._replace(lots=(Lot(1, 14), Lot(2, -4))), 1),
        (good._replace(booked=-1, earned=3, lots=(Lot(1, -1),)), 1),
        (good._replace(debt=3), 2),
        (good._replace(pending=-1), 1),
        (good._replace(scheduled=(Lot(3, -1, None, NOW),)), 1),
        (good._replace(expired=1, adjusted_up=2, adjusted_down=2), 1),
    ):
        assert len(list(check_state(Account(ACCOUNT, "A-1", 3, NOW, {"P": wrong})))) == count, wrong


def test_writes_name_stream_and_version_whatever_the_name() -> None:
    for stream in ("programme/s/a", "programme/s/a#b", "programme/s/#000000000001", "programme/s/a b"):
        assert split(write_of(stream, 12)) == (stream, 12)
        assert first_write(stream) < write_of(stream, 1) < write_of(stream, 999_999_999_999) < last_write(stream)


def test_documents_differ_where_they_do() -> None:
    assert list(differences({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]})) == []
    assert list(differences({"a": [1, {"b": 2}], "c": 1}, {"a": [1, {"b": 3}, 4]})) == [
        Difference("/a/1/b", "2", "3"),
        Difference("/a/2", "nothing", "4"),
        Difference("/c", "1", "nothing"),
    ]


def test_a_report_is_bounded_and_counts_all() -> None:
    report = Report()
    for number in range(200):
        report.add(f"stream {number}", [Difference("x", "1", "2")] * 30)
    assert (report.ok, report.streams_off, len(report.findings)) == (False, 200, 1000)
