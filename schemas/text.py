"""Texts and identifiers as every door takes them: HTTP, topics, imports and declarations.

Doors check; what is stored, and what services send each other, is read with `STORED` as the context of validation, so
that a door that became stricter never makes unreadable what it let in before.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

STORED = "stored"
"""The validation context of what our own services wrote: lengths count, characters do not."""

IDENTIFIER_CHARS_MAX = 64
REASON_CHARS_MAX = 200

_CONTROLS = r"\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""Beyond C0: DEL, C1, line separators, and what turns the direction of a line."""

_INVISIBLE = (
    r"\u007f-\u00a0\u00ad\u0300-\u036f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u2800\u3000\u3164\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U0001d173-\U0001d17a\U000e0000-\U0010ffff"
)
"""What nobody sees in an identifier, blanks but the ordinary one, and accents that are apart from their letter."""


def _without(characters: str) -> str:
    return rf"^[^{characters}]*$"


def _named_without(characters: str) -> str:
    visible = rf"[^\u0000-\u0020{characters}]+"
    return rf"^{visible}( +{visible})*$"


@dataclass(frozen=True, slots=True)
class Characters:
    """Which characters a text may have: a pattern of JSON Schema, and what is said of a text that does not fit it."""

    pattern: str
    wanted: str

    def fit(self, text: str) -> bool:
        """Whether the whole of `text` has these characters only; no lone surrogate fits."""
        return _is_unicode(text) and re.fullmatch(self.pattern, text) is not None


LINE = Characters(
    _without(rf"\u0000-\u001f{_CONTROLS}"), "must have no control characters, and none that turn its direction"
)
LINES = Characters(
    _without(rf"\u0000-\u0008\u000b\u000c\u000e-\u001f{_CONTROLS}"),
    "must have no control characters but tabs and line ends, and none that turn its direction",
)
IDENTIFIER = Characters(
    _named_without(f"/{_INVISIBLE}"),
    "must have visible characters only, no '/', no blank at either end, and no accent apart from its letter",
)
REFERENCE = Characters(
    _named_without(_INVISIBLE),
    "must have visible characters only, no blank at either end, and no accent apart from its letter",
)


@dataclass(frozen=True, slots=True)
class Checked:
    """Annotates `str`: a text of these characters, of so many of them.

    What fits costs no call of Python. What does not is refused, unless it is read as `STORED`.
    """

    characters: Characters
    chars_max: int
    chars_min: int = 0

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The lengths first, since their errors have codes of their own."""
        least = self.chars_min or None
        return core_schema.chain_schema(
            [
                core_schema.str_schema(min_length=least, max_length=self.chars_max),
                core_schema.union_schema(
                    [
                        core_schema.str_schema(pattern=self.characters.pattern),
                        core_schema.with_info_plain_validator_function(_stored),
                    ],
                    mode="left_to_right",
                    custom_error_type="characters",
                    custom_error_message=f"It {self.characters.wanted}.",
                ),
            ]
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """A string with its lengths; its pattern only where it is accepted, since what is published may be older."""
        written = {"type": "string", "maxLength": self.chars_max}
        if self.chars_min:
            written["minLength"] = self.chars_min
        if handler.mode == "validation":
            written["pattern"] = self.characters.pattern
        return written


def _stored(text: str, info: core_schema.ValidationInfo) -> str:
    if info.context != STORED:
        raise ValueError("does not fit")
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


Text = Annotated[str, Checked(LINE, 64)]
"""A short text given to us: a receipt, the name of a shop."""

Line = Annotated[str, Checked(LINE, 200)]
"""A line of text: a name, a street."""

Comment = Annotated[str, Checked(LINES, 1000)]
"""What somebody noted, in as many lines as it takes."""

Description = Annotated[str, Checked(LINES, 10_000)]
"""What something is called, for people to read."""

Reason = Annotated[str, Checked(LINE, REASON_CHARS_MAX, 1)]
"""Why something is done, for whoever reads it later."""

Key = Annotated[str, Checked(IDENTIFIER, IDENTIFIER_CHARS_MAX, 1)]
"""An identifier given to us: the number of an account, a serial, a code, a name."""

Reference = Annotated[str, Checked(REFERENCE, IDENTIFIER_CHARS_MAX, 1)]
"""An identifier that others number as they like, `/` included: an order, one of its lines, a fact about it."""

KnownKey = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
"""An identifier that a door has taken: of what services send each other, old ones included."""
