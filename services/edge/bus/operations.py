"""The ids by which callers poll: each is good for the client that was given it, and for administrators of its store.

The id ends in a keyed hash over the operation, the store and the client, so that nobody can compute that of another
client, and any edge can check one without asking anybody.
"""

import hmac
import re

from schemas.topics import TOPICS
from services.edge.auth.tokens import Caller
from services.edge.http.problems import Problem
from shared.hashing import keyed_hash
from shared.runtime.requests import Operation
from shared.settings import Settings

ADMIN = "api_admin"

_SEAL_CHARS = 32
_ID = re.compile(
    r"([a-z]{1,30}\.[0-9]{1,5}\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.[0-9]{1,15})"
    r"(?:\.([0-9a-f]{32}))?"
)


class Operations:
    """Makes and reads the ids of operations."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.secret.get_secret_value().encode()
        self._partitions = settings.partitions

    def id_of(self, operation: Operation, caller: Caller) -> str:
        """What this caller polls."""
        return f"{operation}.{self._seal(str(operation), caller)}"

    def read(self, text: str, caller: Caller) -> Operation:
        """The operation that this caller may ask for; an administrator may do so without the hash.

        :raises Problem: `operation_unknown`: no operation is called that, or it is another client's.
        """
        if found := _ID.fullmatch(text):
            said, seal = found.groups()
            operation = Operation.parse(said)
            known = f"{operation.service}.commands" in TOPICS and operation.partition < self._partitions
            if known and (ADMIN in caller.scopes or hmac.compare_digest(seal or "", self._seal(said, caller))):
                return operation
        raise Problem("operation_unknown", "No operation of this client has this id.")

    def _seal(self, operation: str, caller: Caller) -> str:
        return keyed_hash(self._secret, "operation", operation, caller.store, caller.client)[:_SEAL_CHARS]
