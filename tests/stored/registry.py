"""All kinds of documents that are stored."""

from tests.stored.edge import EDGE
from tests.stored.runtime import RUNTIME
from tests.stored.states import STATES

KINDS = [*STATES, *RUNTIME, *EDGE]
