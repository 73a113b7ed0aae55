"""`python -m shared.embedded fetch`: fetch the servers that this machine needs, and say where they are."""

import asyncio
import logging
import sys
from pathlib import Path

from shared.embedded.archive import make_class_archive
from shared.embedded.errors import StackError
from shared.embedded.locate import locate_kafka, locate_mongod


def main() -> int:
    """Exit code 0 when everything is there, 1 with one line when not, 2 for a wrong command line."""
    if sys.argv[1:] != ["fetch"]:
        sys.stderr.write("usage: python -m shared.embedded fetch\n")
        return 2
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    try:
        sys.stdout.write(f"MongoDB: {locate_mongod()}\n")
        sys.stdout.flush()
        kafka = locate_kafka()
        sys.stdout.write(f"Kafka: {kafka}\n")
        sys.stdout.flush()
        if isinstance(kafka, Path):
            asyncio.run(make_class_archive(kafka))
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
