"""Additional checks and strategies that schemathesis loads (`SCHEMATHESIS_HOOKS`) in its own process."""

import re
from functools import lru_cache
from typing import Any

import schemathesis
from hypothesis import strategies
from schemathesis.core.failures import Failure

NO_SCHEMA_SAYS = "invalid_value"
"""The code of well-formed values without meaning: a phone number that cannot exist, too many operations in all."""

NO_SCHEMA_SAYS_OF = frozenset({"cursor", "page"})
"""Parameters with rules that no schema can express: cursors are signed, and pages are limited."""

_WIDE = re.compile(r"\\U000e0000-\\U0010ffff|\U000e0000-\U0010ffff")
_NARROW = strategies.characters(max_codepoint=0xD7FF)
_from_regex = strategies.from_regex


@lru_cache(4096)
def _from_cheap_regex(regex: Any, *, fullmatch: bool = False, alphabet: Any = None) -> Any:
    """Texts of a pattern within the basic multilingual plane: hypothesis takes seconds to exclude other characters."""
    text = regex if isinstance(regex, str) else regex.pattern
    if not isinstance(text, str) or not _WIDE.search(text):
        return _from_regex(regex, fullmatch=fullmatch, alphabet=alphabet)
    return _from_regex(re.compile(_WIDE.sub("", text)), fullmatch=fullmatch, alphabet=_NARROW)


vars(strategies)["from_regex"] = _from_cheap_regex


class RefusedForItsShape(Failure):
    """A request that fits the document was refused as malformed, out of bounds, or of a wrong type."""


@schemathesis.check
def nothing_that_fits_is_refused_for_its_shape(ctx: Any, response: Any, case: Any) -> None:
    """A request that fits the document's types and bounds is refused by rules alone."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 413, 415):
        return
    problem = response.json()
    if problem.get("code") == NO_SCHEMA_SAYS or problem.get("parameter") in NO_SCHEMA_SAYS_OF or "error" in problem:
        return
    raise RefusedForItsShape(
        operation=case.operation.label,
        title="A request that fits the document was refused for its shape",
        message=f"{problem.get('code')} at {problem.get('pointer')}: {problem.get('detail')}",
    )
