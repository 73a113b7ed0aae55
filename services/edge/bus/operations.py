"""Operation ids, which callers poll: valid for the client that sent the command and for administrators of its store.

The id ends in a keyed hash (MAC) of the operation, the store and the client. So nobody can compute another client's
id, and each edge process can verify an id without a lookup.
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

_MAC_CHARS = 32
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
        """The id that this caller polls."""
        return f"{operation}.{self._mac(str(operation), caller)}"

    def read(self, text: str, caller: Caller) -> Operation:
        """The operation of an id; administrators may leave out the keyed hash.

        :raises Problem: `operation_unknown`: the id is invalid, or belongs to another client.
        """
        if match := _ID.fullmatch(text):
            unsigned_id, mac = match.groups()
            operation = Operation.parse(unsigned_id)
            topic_exists = f"{operation.service}.commands" in TOPICS and operation.partition < self._partitions
            if topic_exists and (
                ADMIN in caller.scopes or hmac.compare_digest(mac or "", self._mac(unsigned_id, caller))
            ):
                return operation
        raise Problem("operation_unknown", "No operation of this client has this id.")

    def _mac(self, operation: str, caller: Caller) -> str:
        return keyed_hash(self._secret, "operation", operation, caller.store, caller.client)[:_MAC_CHARS]
