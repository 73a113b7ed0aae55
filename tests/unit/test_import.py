"""Reading opening balances: what is read, what is refused and with which words, and which rows have which ids."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cli.importing import Format, Rejects, Row, Unreadable, count_rows, opened
from cli.importing.balances import LAYOUT, Key, Opening, booked_by, command_of, opening_of, refused_now
from cli.importing.importer import command_id
from cli.importing.kind import Refused
from cli.importing.reading import LINE_CHARS_MAX
from cli.importing.repeats import Repeats
from schemas.programme import Programme, ProgrammeState
from schemas.text import IDENTIFIER
from shared.ids import derived_id

HEADER = "account_number,programme,value,expires_at,active_from,reason\n"
EUROS = Programme.model_validate({"id": "P", "descriptions": {"en": "p"}, "scale": 2, "zone": "Europe/Amsterdam"})
POINTS = Programme.model_validate({"id": "P", "descriptions": {"en": "p"}, "zone": "Europe/Amsterdam"})
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def read(tmp_path: Path, content: str | bytes, form: Format = Format.CSV) -> list[Row]:
    """The rows of a file with this content."""
    path = tmp_path / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with opened(path, form, LAYOUT) as file:
        return list(file.rows)


def refused(tmp_path: Path, content: str | bytes, form: Format = Format.CSV) -> list[tuple[int, str]]:
    """The lines that are refused, and why; by the scale of EUROS."""
    found = []
    for row in read(tmp_path, content, form):
        opening = opening_of(row)
        command = command_of(opening, EUROS) if isinstance(opening, Opening) else opening
        if isinstance(command, Refused):
            found.append((row.line, command.reason))
    return found


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_marks_quotes_and_blank_lines(tmp_path: Path, end: str, mark: bytes) -> None:
    lines = ["value,programme,account_number,reason", '12.50,P,"A,1","said ""hi"",', 'twice"', "", "3,P,A-2,", ""]
    rows = read(tmp_path, mark + end.join(lines).encode())
    assert [row.line for row in rows] == [2, 5]
    assert rows[0].fields == {
        "value": "12.50",
        "programme": "P",
        "account_number": "A,1",
        "reason": f'said "hi",{end}twice',
    }
    assert rows[1].fields == {"value": "3", "programme": "P", "account_number": "A-2"}


@pytest.mark.parametrize(
    ("content", "told"),
    {
        "empty": ("", "the file is empty"),
        "no columns": (
            "a;b\n1;2\n",
            ":1: the header lacks the columns account_number, programme, value; columns are separated by commas",
        ),
        "unknown column": ("account_number,programme,value,colour\n", ":1: unknown in the header: 'colour'"),
        "twice": ("account_number,programme,value,value\n", ":1: the header has a column twice"),
        "UTF-16": (HEADER.encode("utf-16"), ":1: the header is not UTF-8"),
        "an open quote": (HEADER + 'A,P,1,,,\nA,P,"1,,,\nA,P,1,,,\n', ":3: the quotation marks are wrong"),
        "text after a quote": (HEADER + '"A"B,P,1,,,\n', ":2: the quotation marks are wrong"),
        "a huge line": (HEADER + "A" * LINE_CHARS_MAX, f":2: the line has more than {LINE_CHARS_MAX}"),
        "a header only": (HEADER, "the file has no rows"),
    }.values(),
)
def test_a_file_that_is_wrong_as_a_whole_is_not_begun(tmp_path: Path, content: str | bytes, told: str) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Unreadable) as raised:
        count_rows(path, Format.of(path), LAYOUT)
    assert str(raised.value).startswith(str(path))
    assert told in str(raised.value)


def test_the_format_is_that_of_the_name() -> None:
    assert [Format.of(Path(name)) for name in ("a.CSV", "a.jsonl", "a.ndjson")] == ["csv", "jsonl", "jsonl"]
    with pytest.raises(Unreadable, match="give --format"):
        Format.of(Path("a.txt"))


WRONG_ROWS = {
    "A,P,1": "the row has 3 cells and the header 6",
    "A,P,1,,,,7": "the row has 7 cells and the header 6",
    ",P,1,,,": "account_number is missing",
    "A,,1,,,": "programme is missing",
    "A,P,,,,": "value is missing",
    " A,P,1,,,": f"account_number {IDENTIFIER.wanted}",
    "A\t1,P,1,,,": f"account_number {IDENTIFIER.wanted}",
    f"{'A' * 65},P,1,,,": "account_number has more than 64 characters",
    'A,P,"1,50",,,': "value is not a number: write digits, with a point before the decimals",
    "A,P,1e3,,,": "value is not a number: write digits, with a point before the decimals",
    "A,P,NaN,,,": "value is not a number: write digits, with a point before the decimals",
    "A,P,٣,,,": "value is not a number: write digits, with a point before the decimals",
    "A,P,0.00,,,": "value must be greater than zero",
    "A,P,-5,,,": "value must be greater than zero",
    "A,P,1000000000001,,,": "value is more than 1000000000000",
    "A,P,1.000,,,": "value has too many decimals: P has 2 decimals",
    "A,P,1,2026-02-30,,": "expires_at is neither a date (2027-12-31) nor an instant (2027-12-31T23:00:00Z)",
    "A,P,1,31-12-2027,,": "expires_at is neither a date (2027-12-31) nor an instant (2027-12-31T23:00:00Z)",
    "A,P,1,2027-12-31T10:00:00,,": "expires_at is neither a date (2027-12-31) nor an instant (2027-12-31T23:00:00Z)",
    "A,P,1,,1767225600,": "active_from is neither a date (2027-12-31) nor an instant (2027-12-31T23:00:00Z)",
    f"A,P,1,,,{'r' * 201}": "reason has more than 200 characters",
}


@pytest.mark.parametrize(("row", "told"), WRONG_ROWS.items())
def test_a_wrong_row_is_refused_with_its_line_and_its_neighbours_are_not(tmp_path: Path, row: str, told: str) -> None:
    good = "A,P,1.5,2027-12-31,2027-01-01T00:00:00+01:00,why\n"
    assert refused(tmp_path, HEADER + good + row + "\n" + good) == [(3, told)]


def test_bytes_that_are_no_utf8_are_refused_and_kept_as_they_are(tmp_path: Path) -> None:
    rows = read(tmp_path, HEADER.encode() + b"Caf\xe9,P,1,,,\nCaf\xc3\xa9,P,1,,,\n")
    assert [row.fault for row in rows] == ["the row is not UTF-8", None]
    rejects = Rejects(tmp_path / "rejects.csv")
    rejects.add(HEADER.strip().split(","), rows[0], "the row is not UTF-8")
    rejects.close()
    header, row = (tmp_path / "rejects.csv").read_bytes().splitlines()
    assert header == b"refused_because," + HEADER.strip().encode()
    assert row == b"the row is not UTF-8,Caf\xe9,P,1,,,"


def test_json_lines(tmp_path: Path) -> None:
    good = '{"account_number": "A", "programme": "P", "value": 1.50, "expires_at": null, "reason": "é"}\n'
    rows = read(tmp_path, good + "\n" + good, Format.JSONL)
    assert [row.line for row in rows] == [1, 3]
    opening = opening_of(rows[0])
    assert isinstance(opening, Opening)
    assert opening == Opening(Key("A", "P", "", ""), Decimal("1.50"), None, None, None, "é")
    wrong = {
        '{"account_number": "A", "programme": "P", "value": 1.505}': "value has too many decimals: P has 2 decimals",
        '{"account_number": 1, "programme": "P", "value": 1}': "account_number must be a string, in quotes",
        '{"account_number": "A", "programme": "P", "value": NaN}': "the line is not JSON",
        '{"account_number": "A", "programme": "P", "value": true}': "a value is neither a string nor a number",
        '{"account_number": "A", "programme": "P", "value": 1e999999}': "value is more than 1000000000000",
        '{"account_number": "A", "programme": "P", "value": 1e-999999}': "value has more than 12 decimals",
        '{"account_number": "A", "programme": "P", "value": 1, "value": 2}': "a key is given twice",
        '{"account_number": "A", "programme": "P", "value": 1, "colour": 2}': "unknown in the object: 'colour'",
        "[1]": "the line is not a JSON object",
        "[" * 20_000: "the line is not JSON",
        '{"account_number": "A"': "the line is not JSON",
    }
    found = refused(tmp_path, good + "\n".join(wrong) + "\n" + good, Format.JSONL)
    assert found == [(line, told) for line, told in enumerate(wrong.values(), 2)]


# ── what rows mean ──────────────────────────────────────────────────────────────────────────────────────────────────


def opening(value: str = "5", expires_at: str = "", active_from: str = "") -> Opening:
    """A row that can be read."""
    fields = {"account_number": "A", "programme": "P", "value": value}
    fields |= {"expires_at": expires_at} if expires_at else {}
    found = opening_of(Row(2, (), fields | ({"active_from": active_from} if active_from else {})))
    assert isinstance(found, Opening)
    return found


@pytest.mark.parametrize(
    ("written", "expires_at"),
    [
        ("", None),
        ("2027-12-31", datetime(2027, 12, 31, 23, tzinfo=UTC)),
        ("2027-06-30", datetime(2027, 6, 30, 22, tzinfo=UTC)),
        ("2027-12-31T12:00:00+02:00", datetime(2027, 12, 31, 10, tzinfo=UTC)),
        ("9999-12-31", datetime(9999, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_date_means_the_whole_day_in_the_programmes_zone(written: str, expires_at: datetime | None) -> None:
    command = command_of(opening(expires_at=written, active_from="2027-01-01"), POINTS)
    assert not isinstance(command, Refused)
    assert command.expires_at == expires_at
    assert command.active_from == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert command.reason == "opening balance"


def test_a_written_zero_too_many_may_be_a_thousand_and_is_refused() -> None:
    """1.000 is a thousand to half of Europe; in JSON it is a number, and one."""
    assert command_of(opening("1.000"), POINTS) == Refused("value has too many decimals: P has no decimals")
    row = Row(1, (), {"account_number": "A", "programme": "P", "value": Decimal("1.000")})
    found = opening_of(row)
    assert isinstance(found, Opening)
    assert not isinstance(command_of(found, POINTS), Refused)


def test_what_is_too_late_to_book() -> None:
    retired = POINTS.model_copy(update={"state": ProgrammeState.RETIRED})
    for written, programme, told in (
        (opening(), retired, "P is retired: it books no more credits"),
        (opening(expires_at="2026-11-21"), POINTS, "expires_at is in the past"),
        (
            opening(expires_at="2027-01-01", active_from="2027-01-02"),
            POINTS,
            "expires_at is not later than active_from",
        ),
        (opening(expires_at="2026-11-22"), POINTS, None),
    ):
        command = command_of(written, programme)
        assert not isinstance(command, Refused)
        late = refused_now(command, programme, NOW)
        assert (late and late.reason) == told


def test_ids_are_those_of_the_contract_and_each_attempt_has_its_own() -> None:
    """An id that changes books a file twice that was imported before, so these never do."""
    key = Key("A", "P", "2027-12-31", "")
    first = command_id("default", "file.csv", key, 0, 0)
    assert first == derived_id("import", "default", "file.csv", "A", "P", "2027-12-31", "", 0)
    assert first == "dee0b06e-7a94-5991-9b4b-4c659def6632"
    others = [
        command_id("other", "file.csv", key, 0, 0),
        command_id("default", "file2.csv", key, 0, 0),
        command_id("default", "file.csv", key._replace(active_from="2027-12-31", expires_at=""), 0, 0),
        command_id("default", "file.csv", key, 1, 0),
        command_id("default", "file.csv", key, 0, 1),
    ]
    assert len({first, *others}) == 6


def test_what_an_entry_booked_is_its_own_operation_and_not_what_was_due() -> None:
    due = {"data": {"operation": -1, "delta": -70}}
    assert booked_by({"events": [due, {"data": {"operation": 0, "delta": 500}}]}) == 500
    assert booked_by({"events": [{"data": {"type": "opened"}}, {"data": {"operation": 0, "amount": 9}}]}) == 9
    assert booked_by({"events": [due]}) is None
    assert booked_by({}) is None


# ── counting, and refused rows ──────────────────────────────────────────────────────────────────────────────────────


def test_equal_keys_are_counted_and_stopped() -> None:
    repeats = Repeats()
    one, two = Key("A", "P", "", ""), Key("A", "P", "", "2027-01-01")
    assert [repeats.count(one, 2), repeats.count(two, 3), repeats.count(one, 9)] == [(0, 2), (0, 3), (1, 2)]
    assert not repeats.stopped(one)
    repeats.stop(one)
    assert (repeats.stopped(one), repeats.stopped(two), repeats.stopped(Key("B", "P", "", ""))) == (True, False, False)
    assert repeats.count(one, 10) == (2, 2)
    repeats.close()


def test_refused_rows_can_be_mended_and_read_again_and_nothing_is_written_over(tmp_path: Path) -> None:
    path, again = tmp_path / "rejects.csv", tmp_path / "again.csv"
    source = tmp_path / "file"
    source.write_text(HEADER + 'A,P,x,,,"a ""b"","\nA,P,1\nA,P,1,,,,7\n')
    rejects = Rejects(path)
    with opened(source, Format.CSV, LAYOUT) as file:
        for row in file.rows:
            rejects.add(file.columns, row, row.fault or "no number")
    assert not path.exists()
    rejects.close()
    with opened(path, Format.CSV, LAYOUT) as file:
        rows = list(file.rows)
        assert rows[0].fields == {"account_number": "A", "programme": "P", "value": "x", "reason": 'a "b",'}
        assert [row.cells[1:] for row in rows[1:]] == [("A", "P", "1"), ("A", "P", "1", "", "", "", "7")]
        second = Rejects(again)
        second.add(file.columns, rows[0], "still none")
        second.close()
    assert again.read_text().splitlines() == [f"refused_because,{HEADER.strip()}", 'still none,A,P,x,,,"a ""b"","']
    with pytest.raises(Unreadable, match="exists"):
        Rejects(path)
    Rejects(tmp_path / "none.csv").close()
    assert not (tmp_path / "none.csv").exists()


def test_a_json_line_that_cannot_be_read_is_kept_whole(tmp_path: Path) -> None:
    source = tmp_path / "file.jsonl"
    source.write_text('{"account_number": "A", "programme": "P", "value": -1.50}\nnone\n')
    rejects = Rejects(tmp_path / "rejects.csv")
    with opened(source, Format.JSONL, LAYOUT) as file:
        for row in file.rows:
            rejects.add(file.columns, row, "no")
    rejects.close()
    _, first, second = (tmp_path / "rejects.csv").read_text().splitlines()
    assert (first, second) == ("no,A,P,-1.50,,,,", "no,,,,,,,none")
    assert [row.line for row in read(tmp_path, (tmp_path / "rejects.csv").read_bytes())] == [2, 3]


def test_a_row_from_the_first_day_of_the_calendar_ends_no_import() -> None:
    command = command_of(opening(active_from="0001-01-01"), POINTS)
    assert not isinstance(command, Refused)
    assert command.active_from == datetime(1, 1, 1, tzinfo=UTC)
