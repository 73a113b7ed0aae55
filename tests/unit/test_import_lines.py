"""Opening balances as a JSON object a line: no line ends an import, each is refused by itself."""

from pathlib import Path

from cli.importing import Format, Rejects
from cli.importing.balances import LAYOUT
from cli.importing.reading import GIVEN, LINE_CHARS_MAX
from schemas.text import IDENTIFIER
from tests.unit.test_import import read, refused

HALF = "a text has an unpaired surrogate, which is not a character"


def test_no_line_of_json_ends_an_import(tmp_path: Path) -> None:
    good = '{"account_number":"A","programme":"P","value":1}'
    long = f"the line has more than {LINE_CHARS_MAX} characters"
    wrong = {
        '{"account_number":"\\ud800","programme":"P","value":1}': HALF,
        '{"account_number":"A","programme":"\\udfff","value":1}': HALF,
        '{"account_number":"A","programme":"P","value":1,"reason":"\\ud800"}': HALF,
        '{"account_number":"A","programme":"P","value":1,"expires_at":"\\ud800"}': HALF,
        good.replace("A", "A" * LINE_CHARS_MAX): long,
        good.replace("A", "A" * (3 * LINE_CHARS_MAX)): long,
        good.replace("A", "A\u200b"): f"account_number {IDENTIFIER.wanted}",
        "[" * 60_000: "the line is not JSON",
    }
    lines = [line for each in wrong for line in (each, good)]
    content = "\n".join(lines).encode() + b"\n" + good.replace("A", "caf\xe9").encode("latin-1") + b"\n" + good.encode()
    found = refused(tmp_path, content, Format.JSONL)
    expected = [(2 * at + 1, told) for at, told in enumerate(wrong.values())]
    assert found == [*expected, (2 * len(wrong) + 1, "the line is not UTF-8")]
    rows = read(tmp_path, content, Format.JSONL)
    assert {row.line for row in rows if row.fault is None} >= {2 * at + 2 for at in range(len(wrong) + 1)}
    rejects = Rejects(tmp_path / "rejects.csv")
    for row in rows:
        rejects.add((*LAYOUT.columns, GIVEN), row, "why")
    rejects.close()
    assert (tmp_path / "rejects.csv").stat().st_size < 4 * LINE_CHARS_MAX
