"""What every process stands on: the runtime, the embedded stack, secrets, settings and time."""

import sys
from importlib.util import find_spec

if find_spec("service_identity") is None:
    # pymongo's optional PyOpenSSL needs it, too. Looking for it, pymongo would import all of cryptography first, 8 MiB
    # in every process, and take Python's own TLS in the end: None here tells it so at once.
    sys.modules.setdefault("pymongo.pyopenssl_context", None)  # type: ignore[arg-type]
