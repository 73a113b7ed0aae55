"""The demo's files, and the programme that its figures are in."""

from pathlib import Path

from cli.commands.console import Failure

DEMO = Path(__file__).resolve().parents[2] / "demo"
DECLARATIONS = (DEMO / "programmes.yaml", DEMO / "giftcards.yaml")
PROGRAMME = "LOY22-BuyVouchers"


def contents(name: str) -> bytes:
    """The bytes of one of the demo's files.

    :raises Failure: it is not there.
    """
    path = DEMO / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
