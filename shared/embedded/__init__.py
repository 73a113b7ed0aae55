"""A real Kafka and a real MongoDB without Docker, and a supervisor for the processes that use them."""

from shared.embedded.client_files import write_client_files
from shared.embedded.endpoints import Endpoints, endpoints_of, remove_endpoints, write_endpoints
from shared.embedded.errors import FetchError, StackError
from shared.embedded.stack import Stack

__all__ = [
    "Endpoints",
    "FetchError",
    "Stack",
    "StackError",
    "endpoints_of",
    "remove_endpoints",
    "write_client_files",
    "write_endpoints",
]
