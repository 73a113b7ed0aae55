"""The command line on real servers: declaring programmes, dead letters, topics."""

import json
import re
import sys
from pathlib import Path

import pytest

from services.registry import JOURNALED
from tests import forks
from tests.harness import DEMO, PARTITIONS, Command, Headers, Installation, eventually

pytestmark = pytest.mark.real


async def fealty(installation: Installation, *arguments: str, **more: str) -> tuple[int, str, str]:
    """Run a command on an installation: exit status, standard output, standard error."""
    command = [sys.executable, "-m", "cli", *arguments]
    code, out, err = await forks.run(command, installation.environment("cli", 0, more))
    return code, out.decode(), err.decode()


def rows(out: str) -> list[list[str]]:
    """The rows of a table in a pipe, header and lines around it left out; the demo draws its tables."""
    if any(line.startswith("│") for line in out.splitlines()):
        return [[cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines() if line[:1] == "│"]
    return [line.split("\t") for line in out.splitlines() if "\t" in line][1:]


async def test_applying_twice_changes_nothing_and_the_scale_never_changes(
    empty_installation: Installation, tmp_path: Path
) -> None:
    installation = empty_installation
    names = ["LOY22-BuyVouchers", "LOY22-IssueThreshold", "CASHBACK", "LOY22-Orders"]
    vouchers = [["voucher", name] for name in ("VOUCHER-5", "VOUCHER-10", "VOUCHER-25", "WELCOME")]
    declared = [*vouchers, *(["programme", name] for name in names), ["tier set", "LEVELS"], ["account numbers", "all"]]
    other = tmp_path / "other.yaml"
    text = DEMO.read_text().replace("price: 500", "price: 501").replace("days: 30", "days: 31")
    other.write_text(text.replace("scale: 2", "scale: 1"))
    changed = tmp_path / "changed.yaml"
    changed.write_text(text)
    async with installation.points(), installation.worker("voucher"):
        code, out, err = await fealty(installation, "apply", "-f", str(DEMO))
        assert (code, err) == (0, "")
        assert rows(out) == [[*each, "1", "applied", "", ""] for each in declared]
        code, out, err = await fealty(installation, "apply", "-f", str(DEMO))
        assert (code, err) == (0, "")
        assert rows(out) == [[*each, "1", "unchanged", "", ""] for each in declared]
        code, out, err = await fealty(installation, "apply", "-f", str(other))
        place = "/programmes/2/scale: cannot be changed: CASHBACK is declared with another value"
        assert (code, out) == (1, "")
        assert re.fullmatch(rf"fealty: {re.escape(str(other))}:\d+:\d+: {place}\n", err)
        code, out, err = await fealty(installation, "apply", "-f", str(changed))
        assert (code, err) == (0, "")
        assert rows(out) == [
            *([*each, "1", "unchanged", "", ""] for each in declared[:3]),
            [*declared[3], "2", "applied", "", ""],
            [*declared[4], "2", "applied", "", ""],
            *([*each, "1", "unchanged", "", ""] for each in declared[5:]),
        ]
        await programmes_are_listed_shown_and_compared(installation, other)
        await order_numbers_become_unique_per_shop_and_stay_so(installation, tmp_path)
        await the_status_tells_what_runs(installation)


async def programmes_are_listed_shown_and_compared(installation: Installation, other: Path) -> None:
    code, out, err = await fealty(installation, "programmes", "list")
    assert (code, err) == (0, "")
    assert ["CASHBACK", "active", "1", "EUR", "2", "loads"] in rows(out)
    code, out, err = await fealty(installation, "programmes", "show", "CASHBACK")
    shown = other.parent / "shown.yaml"
    shown.write_text(out)
    code, out, err = await fealty(installation, "programmes", "diff", "-f", str(shown))
    assert (code, out, err) == (0, "nothing would change\n", "")
    code, out, err = await fealty(installation, "programmes", "diff", "-f", str(other), "-o", "json")
    assert (code, err) == (1, "")
    assert json.loads(out) == [{"programme": "CASHBACK", "member": "/scale", "now": "2", "inTheFiles": "1"}]


async def order_numbers_become_unique_per_shop_and_stay_so(installation: Installation, tmp_path: Path) -> None:
    files = {}
    for per in ("shop", "store"):
        files[per] = str(tmp_path / f"{per}.yaml")
        (tmp_path / f"{per}.yaml").write_text(f"orderNumbers: {{uniquePer: {per}}}\n")
    code, out, err = await fealty(installation, "programmes", "diff", "-f", files["shop"])
    assert (code, rows(out), err) == (1, [["-", "/orderNumbers/uniquePer", "store", "shop"]], "")
    for outcome in ("applied", "unchanged"):
        code, out, err = await fealty(installation, "apply", "-f", files["shop"])
        assert (code, rows(out), err) == (0, [["order numbers", "all", "1", outcome, "", ""]], "")
    code, out, err = await fealty(installation, "apply", "-f", files["store"])
    place = "/orderNumbers/uniquePer: order numbers of this store are unique per shop; this cannot be changed back"
    assert (code, out, err) == (1, "", f"fealty: {files['store']}:1:27: {place}\n")
    code, out, err = await fealty(installation, "programmes", "list")
    assert (code, out.splitlines()[0], err) == (0, "order numbers are unique per shop", "")


async def the_status_tells_what_runs(installation: Installation) -> None:
    code, out, err = await fealty(installation, "status", "-o", "json")
    services = {each["service"]: each for each in json.loads(out)["services"]}
    processes = {**dict.fromkeys(JOURNALED, 0), "points": 1, "voucher": 1}
    assert {name: each["processes"] for name, each in services.items()} == processes
    assert services["points"]["lag"] == 0
    assert services["points"]["deadLetters"] == 0
    assert json.loads(out)["databaseFreeBytes"] > 0, "nobody wrote to the customers' database yet"
    assert (code, err) == (1, "")


async def test_without_its_service_a_declaration_stays_unanswered(empty_installation: Installation) -> None:
    code, out, err = await fealty(empty_installation, "apply", "-f", str(DEMO), FEALTY_REPLY_WAIT_MS="500")
    assert code == 1
    waits_for = (
        ["not sent", "it refers to VOUCHER-5, VOUCHER-10, which could not be applied"],
        ["not sent", "it refers to VOUCHER-25, which could not be applied"],
    )
    assert [row[3] for row in rows(out)] == ["unanswered"] * 4 + ["not sent"] * 2 + ["unanswered"] * 4
    assert [[row[3], row[5]] for row in rows(out)[4:6]] == [*waits_for]
    assert err.startswith("fealty: not applied: ")


async def test_topics_are_created_once_and_counted(empty_installation: Installation) -> None:
    installation = empty_installation
    await installation.commands([Command.transaction("A-1", "P", load=1)] * 3)
    code, out, err = await fealty(installation, "topics")
    assert (code, err) == (0, "")
    table = {row[0].removeprefix(installation.settings.prefix): row[1:] for row in rows(out)}
    assert table["points.commands"] == ["points", str(PARTITIONS), "6 days", "3", "no"]
    assert table["points.changes"] == ["points", str(PARTITIONS), "for ever", "0", "no"]
    code, _, err = await fealty(installation, "topics", FEALTY_PARTITIONS="6")
    assert code == 1
    assert f"has {PARTITIONS} partitions, but FEALTY_PARTITIONS is 6" in err


async def test_dead_letters_are_listed_shown_and_replayed_in_order(empty_installation: Installation) -> None:
    """An identical record ends as a new dead letter: so it is seen that it came again, byte for byte, in order."""
    installation = empty_installation
    poison: list[tuple[bytes | None, Headers]] = [
        (b'{"first": 1}', Command.transaction("A-1", "P", load=1).headers()),
        (b"\xff\xfe", [*Command.transaction("A-1", "P", load=1).headers(), ("odd", b"\xff"), ("none", None)]),
        (None, []),
    ]
    ids = []
    for value, headers in poison:
        offset = await installation.send("points.commands", value, headers, "A-1", partition=2)
        ids.append(f"{installation.settings.topic('points.commands')}/2/{offset}")
    letters = installation.collection("points", "dead_letters")
    async with installation.points(PROBE="none:kill:1"):
        await eventually(lambda: letters.count_documents({}), 3)
        reasons = ["bad_payload", "bad_payload", "bad_envelope"]
        code, out, err = await fealty(installation, "dead-letters", "list")
        assert (code, err) == (0, "")
        assert {row[0]: row[2] for row in rows(out)} == dict(zip(ids, reasons, strict=True))
        code, out, err = await fealty(installation, "dead-letters", "list", "--limit", "1")
        assert len(rows(out)) == 1

        code, out, err = await fealty(installation, "dead-letters", "show", ids[0])
        assert (code, err) == (0, "")
        assert '{"first": 1}' in out
        assert "ce_type: points.post_transaction.v1" in out
        code, out, err = await fealty(installation, "dead-letters", "show", ids[1])
        assert "value\n0xfffe" in out
        assert "odd: 0xff" in out

        code, out, err = await fealty(installation, "dead-letters", "replay", ids[1])
        assert (code, out, err) == (0, "replayed: 1\n", "")
        await eventually(lambda: letters.count_documents({}), 4)
    code, out, err = await fealty(installation, "dead-letters", "replay", ids[0], ids[1])
    assert (code, err) == (1, f"fealty: replayed before: {ids[1]}; nothing was sent; use --again to send it again\n")
    code, out, err = await fealty(installation, "dead-letters", "replay", "--again", *reversed(ids))
    assert (code, out, err) == (0, "replayed: 3\n", "")
    code, out, err = await fealty(installation, "dead-letters", "replay", "--all")
    assert (code, out, err) == (0, "replayed: 1\n", "")
    assert await letters.count_documents({"replayed_at": None}) == 0
    code, out, err = await fealty(installation, "dead-letters", "replay", "--all")
    assert (code, out, err) == (0, "replayed: 0\n", "")

    code, out, err = await fealty(installation, "dead-letters", "remove", ids[0], "nothing")
    assert (code, err) == (1, "fealty: unknown dead letter nothing; nothing was removed\n")
    code, out, err = await fealty(installation, "dead-letters", "remove", ids[0], ids[2])
    assert (code, out, err) == (0, "removed: 2\n", "")
    code, out, err = await fealty(installation, "dead-letters", "list", "-o", "json")
    kept = {letter["id"]: letter for letter in json.loads(out)}
    assert not {ids[0], ids[2]} & kept.keys()
    assert kept[ids[1]]["reason"] == "bad_payload"

    found = await installation.read("points.commands")
    assert {record.partition for record in found} == {2}
    assert {record.key for record in found} == {b"A-1"}
    sent = [(value, [*headers]) for value, headers in poison]
    assert [(record.value, [*record.headers]) for record in found] == [
        *sent,
        sent[1],
        *sent,
        sent[1],
    ]
