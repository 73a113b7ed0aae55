"""Response models of the token endpoint."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field


class TokenAnswer(BaseModel):
    """An access token (RFC 6749 5.1); send it as `Authorization: Bearer …`."""

    access_token: Annotated[str, Field(description="The token, a JSON Web Token; treat it as opaque.")]
    token_type: Annotated[Literal["Bearer"], Field(description="How to send it.")]
    expires_in: Annotated[int, Field(description="For how many seconds it is good.")]
    scope: Annotated[str, Field(description="What it covers, with spaces between the scopes.")]


class TokenError(BaseModel):
    """Why there is no token (RFC 6749 5.2)."""

    error: Annotated[
        Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"],
        Field(description="The code, as RFC 6749 5.2 lists them."),
    ]
    error_description: Annotated[str, Field(description="What is wrong, for people; it may change.")]
