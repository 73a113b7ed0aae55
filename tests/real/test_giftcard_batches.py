"""Batches and imports of gift cards on real servers: whatever is killed, each card is there once, and no code is."""

import asyncio
import csv
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from schemas.giftcards import CardStatus
from schemas.scratch_codes import code_matches
from services.giftcard.batches import drawn_at
from services.giftcard.decider import DECIDER
from services.giftcard.state import Batch
from tests import forks
from tests.harness import Command, Installation, eventually
from tests.real.test_cli import fealty
from tests.real.test_giftcards import TYPE, cards, drained, sound

pytestmark = pytest.mark.real

BATCH, COUNT = "summer", 620
ROWS = 400
SERVICE_TOPICS = ("commands", "events", "changes", "snapshots")


async def declare(installation: Installation) -> None:
    declaring = Command("giftcard.put_type.v1", "EUR", {"cardType": TYPE})
    await installation.commands([declaring])
    await installation.settled([declaring.id], service="giftcard")


async def batch_now(installation: Installation) -> Batch:
    stored = await installation.collection("giftcard", "snapshots").find_one({"_id": f"batch/default/{BATCH}"})
    state = DECIDER.load_state(f"batch/default/{BATCH}", stored["state"])
    assert isinstance(state, Batch)
    return state


async def written(installation: Installation) -> bytes:
    """Everything that the service and its callers put on topics or into the journal."""
    records = [each for topic in SERVICE_TOPICS for each in await installation.read(f"giftcard.{topic}")]
    entries = [each async for each in installation.collection("giftcard", "journal").find({})]
    return b"\n".join(each.value or b"" for each in records) + repr(entries).encode()


async def test_a_batch_is_whole_though_the_service_is_killed_and_exported_once(
    empty_installation: Installation, tmp_path: Path
) -> None:
    installation = empty_installation
    async with installation.worker("giftcard"):
        await declare(installation)
    key = installation.settings.code_key_set.current.id
    opening = {"batchId": BATCH, "cardType": "EUR", "count": COUNT, "key": key}
    await installation.commands([Command("giftcard.open_batch.v1", BATCH, opening)])
    for point in ("after_transaction", "after_publishing"):
        doomed, _ = await installation.spawn("giftcard", "giftcard-0", {"PROBE": f"{point}:kill:2"}, wait=False)
        assert await asyncio.wait_for(doomed.wait(), 60) == -signal.SIGKILL
    assert 0 < (await batch_now(installation)).created < COUNT, "it was not killed in the midst"

    async with installation.worker("giftcard"):
        await eventually(lambda: _is_full(installation), wanted=True)
        await drained(installation)
        batch, found = await batch_now(installation), await cards(installation)
        assert set(found) == {drawn_at("default", batch, at).card_id for at in range(COUNT)}
        assert {card.status for card in found.values()} == {CardStatus.CREATED}
        assert len({card.serial_number for card in found.values()}) == COUNT
        told = await sound(installation)
        assert [len(changes) for changes in told.values()] == [1] * COUNT

        file = tmp_path / "printer.csv"
        blocked = file.with_name("printer.csv.part")
        (blocked / "in the way").mkdir(parents=True)
        export = ("giftcards", "batch", "export", BATCH, "--file")
        code, _, _ = await fealty(installation, *export, str(file))
        assert code == 1, "it cannot have been written"
        begun = (await batch_now(installation)).export_id
        code, _, err = await fealty(installation, *export, str(tmp_path / "other.csv"))
        assert (code, str(begun) in err, "batch_export_open" in err) == (1, True, True)
        (blocked / "in the way").rmdir()
        blocked.rmdir()
        code, _, err = await fealty(installation, *export, str(file))
        assert code == 0, err
        assert (await batch_now(installation)).export_id == begun
        code, _, err = await fealty(installation, *export, str(tmp_path / "again.csv"))
        assert (code, "batch_exported" in err) == (1, True)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["printer.csv"]
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    keys = installation.settings.code_key_set
    assert {row["card_id"]: row["serial_number"] for row in rows} == {
        card.card_id: card.serial_number for card in found.values()
    }
    for row in rows:
        source = found[row["card_id"]].code
        assert code_matches(keys, "default", row["card_id"], source, row["scratch_code"])
    everything = await written(installation)
    assert not any(row["scratch_code"].encode() in everything for row in rows)


async def _is_full(installation: Installation) -> bool:
    return (await batch_now(installation)).created == COUNT


async def test_a_killed_import_of_cards_goes_on_to_the_exact_set(
    empty_installation: Installation, tmp_path: Path
) -> None:
    installation, path = empty_installation, tmp_path / "cards.csv"
    wanted: dict[str, int] = {}
    lines = ["card_id,serial_number,card_type,status,balance,expires_at,scratch_code"]
    for at in range(ROWS):
        if at % 40 == 7:
            lines.append(f"C-{at},S-{at},GBP,active,1,,")
        else:
            wanted[f"C-{at}"] = at * 101
            status = "active" if at else "redeemed"
            lines.append(f"C-{at},S-{at},EUR,{status},{at * 101 / 100:.2f},2098-12-31,SECRET-{at:04}")
    path.write_text("\n".join(lines))
    bad = ROWS - len(wanted)

    async def balances() -> dict[str, int]:
        return {card.card_id: card.balance for card in (await cards(installation)).values()}

    async with installation.worker("giftcard"):
        await declare(installation)
        command = ("giftcards", "import", str(path), "--label", "go-live")
        code, out, _ = await fealty(installation, *command, "--dry-run")
        assert (code, await balances()) == (1, {})
        assert f"{len(wanted)} to import, 0 imported before, {bad} refused" in out
        argv = [sys.executable, "-m", "cli", *command, "--concurrency", "20"]
        process = await forks.start(argv, installation.environment("cli", 0, {}))
        while len(await balances()) < ROWS // 4:
            assert process.returncode is None
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await drained(installation)
        assert ROWS // 4 <= len(await balances()) < len(wanted), "it was not killed half-way"
        for again in (False, True):
            code, out, err = await fealty(installation, *command)
            assert code == 1, err
            assert f"{bad} refused" in out
            assert again is (f"0 imported, {len(wanted)} imported before" in out)
            assert await balances() == wanted
    told = await sound(installation)
    assert {change.kind for changes in told.values() for change in changes} == {"import"}
    assert b"SECRET-" not in await written(installation)
    found = await cards(installation)
    keys = installation.settings.code_key_set
    assert all(code_matches(keys, "default", f"C-{at}", found[f"C-{at}"].code, f"secret{at:04}") for at in (1, 2, 399))
    assert {card.batch for card in found.values()} == {"go-live"}
