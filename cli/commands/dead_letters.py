"""`fealty dead-letters`: what could never work, and trying it again (protocol P6)."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from cli.commands.console import Failure, complain, out
from cli.commands.output import Form, Sheet, print_json, show
from cli.commands.stores import journal_of
from schemas.base import format_instant
from schemas.topics import TOPICS
from shared.clock import instant, now_ms
from shared.decider import Document
from shared.runtime.journal import Journal, translated
from shared.runtime.kafka import PRODUCER_BATCH_BYTES, Producer, Record
from shared.settings import Settings

_CHUNK_LETTERS = 100
_UNREADABLE = "an unreadable batch cannot be replayed; let the sender send its records again"
_ERASED = "the content was erased when the customer was anonymised"


async def list_letters(service: str, settings: Settings, limit: int, form: Form = Form.TABLE) -> None:
    """Print the latest dead letters as a table."""
    async with _journal(service, settings) as journal:
        letters = await journal.letters(limit=limit)
    shown = Sheet(("id", "at", "reason", "replayed", "detail"), documents=[_document(letter) for letter in letters])
    for letter in letters:
        shown.add(letter["_id"], letter["at"], letter["reason"], letter.get("replayed_at"), letter["detail"])
    show(shown, form, "no dead letters")


async def remove(service: str, settings: Settings, ids: Sequence[str]) -> None:
    """Remove dead letters for good; all of them, or none when one is unknown.

    :raises Failure: there is none with one of these ids; nothing was removed.
    :raises Unavailable: the database is away.
    """
    async with _journal(service, settings) as journal:
        found = {letter["_id"] for letter in await journal.letters(ids)}
        if unknown := sorted(set(ids) - found):
            raise Failure(f"unknown dead letter {', '.join(unknown)}; nothing was removed")
        async with translated():
            await journal.dead_letters.delete_many({"_id": {"$in": sorted(found)}})
    out().print(f"removed: {len(found)}")


async def show_letter(service: str, settings: Settings, letter_id: str, form: Form = Form.TABLE) -> None:
    """Print one dead letter whole.

    :raises Failure: there is none with this id.
    """
    async with _journal(service, settings) as journal:
        letters = await journal.letters([letter_id], whole=True)
    if not letters:
        raise Failure(f"unknown dead letter {letter_id}; `fealty dead-letters list` shows their ids")
    if form is Form.JSON:
        print_json(_document(letters[0]))
    else:
        out().print("\n".join(lines_of(letters[0])), soft_wrap=True)


def _document(letter: Document) -> Document:
    """A dead letter as JSON; of what was sent, what is no text is in hexadecimal."""
    found = {
        "id": letter["_id"],
        "at": letter["at"],
        "reason": letter["reason"],
        "detail": letter["detail"],
        "attempts": letter["attempts"],
        "commandId": letter.get("command_id"),
        "replayedAt": letter.get("replayed_at"),
        "erased": bool(letter.get("erased")),
    }
    if "headers" in letter:
        found["key"], found["value"] = readable(letter["key"]), readable(letter["value"])
        found["headers"] = [{"name": name, "value": readable(value)} for name, value in letter["headers"]]
        found["trace"] = letter.get("trace")
    return found


def lines_of(letter: Document) -> list[str]:
    """A dead letter as text: what is known about it, its headers, its value."""
    about = {
        "id": letter["_id"],
        "at": _text(letter["at"]),
        "reason": letter["reason"],
        "detail": letter["detail"],
        "attempts": letter["attempts"],
        "replayed": _text(letter.get("replayed_at")) or "never",
        "key": readable(letter["key"]),
    }
    lines = [f"{name:<9} {value}" for name, value in about.items()]
    if letter.get("erased"):
        return [*lines, _ERASED]
    lines += ["headers", *(f"  {name}: {readable(value)}" for name, value in letter["headers"])]
    lines += ["value", readable(letter["value"])]
    return [*lines, "trace", letter["trace"].rstrip()] if letter.get("trace") else lines


def readable(raw: bytes | None) -> str:
    """Bytes as text when all of it can be shown, else in hexadecimal."""
    if raw is None:
        return "null"
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return f"0x{raw.hex()}"
    printable = all(character.isprintable() or character in "\n\t\r" for character in text)
    return text if printable else f"0x{raw.hex()}"


async def replay(service: str, settings: Settings, ids: Sequence[str] | None, *, again: bool) -> None:
    """Publish dead letters (these, or all not yet replayed nor erased) again as they were, and mark them.

    The order of offsets, and so that of each key, is kept per partition.

    :raises Failure: one is unknown, was replayed before or was erased, and nothing was sent; or some are too large,
        and the others were sent.
    :raises Unavailable: a server is away; what was sent so far is marked.
    """
    async with _journal(service, settings) as journal:
        chosen = _chosen(await journal.letters(ids), ids, again, settings)
        producer = Producer(settings)
        late, too_large = 0, list[str]()
        try:
            for start in range(0, len(chosen), _CHUNK_LETTERS):
                chunk = chosen[start : start + _CHUNK_LETTERS]
                letters = sorted(await journal.letters(chunk, whole=True), key=_place)
                fitting = [letter for letter in letters if _fits(letter)]
                too_large += [letter["_id"] for letter in letters if not _fits(letter)]
                await producer.publish(map(_record, fitting))
                await journal.mark_replayed([letter["_id"] for letter in fitting], instant(now_ms()))
                late += sum(map(_is_late, fitting))
        finally:
            await producer.stop()
    out().print(f"replayed: {len(chosen) - len(too_large)}")
    if late:
        complain(f"{late} of them have expired (ce_notafter is in the past): the service drops them")
    if too_large:
        raise Failure(f"too large to be published again: {', '.join(too_large)}")


def _chosen(found: Iterable[Document], ids: Sequence[str] | None, again: bool, settings: Settings) -> list[str]:
    """The ids to replay, in the order of their places."""
    letters = sorted(found, key=_place)
    if ids is not None:
        if unknown := sorted(set(ids) - {letter["_id"] for letter in letters}):
            raise Failure(f"unknown dead letter {', '.join(unknown)}; nothing was sent")
        if (before := [letter["_id"] for letter in letters if letter.get("replayed_at")]) and not again:
            raise Failure(f"replayed before: {', '.join(before)}; nothing was sent; use --again to send it again")
        if erased := [letter["_id"] for letter in letters if letter.get("erased")]:
            raise Failure(f"{_ERASED}: {', '.join(erased)}; nothing was sent")
        if unreadable := [letter["_id"] for letter in letters if letter.get("unreadable")]:
            raise Failure(f"{_UNREADABLE}: {', '.join(unreadable)}; nothing was sent")
    else:
        letters = [each for each in letters if _can_be_sent(each) and (again or not each.get("replayed_at"))]
    topics = {settings.topic(name) for name in TOPICS}
    for letter in letters:
        if letter["topic"] not in topics or letter["partition"] >= settings.partitions:
            raise Failure(f"{letter['_id']} did not come from a topic of this installation; nothing was sent")
    return [letter["_id"] for letter in letters]


def _can_be_sent(letter: Document) -> bool:
    return not (letter.get("erased") or letter.get("unreadable"))


def _record(letter: Document) -> Record:
    """The record as it was, byte for byte; a null key or value stays null."""
    headers: list[Any] = [(name, value) for name, value in letter["headers"]]
    return Record(letter["topic"], letter["partition"], letter["key"], letter["value"], headers)


def _fits(letter: Document) -> bool:
    """Whether a batch of the producer takes it."""
    return len(letter["value"] or b"") <= PRODUCER_BATCH_BYTES * 3 // 4


def _is_late(letter: Document) -> bool:
    raw = dict(letter["headers"]).get("ce_notafter") or b""
    return raw.isdigit() and int(raw) < now_ms()


def _place(letter: Document) -> tuple[str, int, int]:
    return letter["topic"], letter["partition"], letter["offset"]


def _text(at: datetime | None) -> str:
    return "" if at is None else format_instant(at)


@asynccontextmanager
async def _journal(service: str, settings: Settings) -> AsyncIterator[Journal]:
    owners = sorted({topic.owner for topic in TOPICS.values() if topic.name.endswith(".dead-letters")})
    if service not in owners:
        raise Failure(f"unknown service {service!r}; choose one of {', '.join(owners)}")
    async with journal_of(service, settings) as journal:
        yield journal
