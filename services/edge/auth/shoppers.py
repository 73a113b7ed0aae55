"""The shopper for whom a client calls, so that wrong scratch codes are counted for each of a web shop's shoppers."""

from ipaddress import ip_address, ip_network
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from services.edge.http.documenting import Documentation, Documented
from services.edge.http.problems import invalid_parameter

HEADER = "ShopperAddress"
_PREFIX_V6 = 64
"""An IPv6 network of this size is one subscriber's, who may take any address of it."""


class ShopperHeader(Documented):
    """Reads the header `ShopperAddress`, which clients set; proxies, which set `X-Forwarded-For`, do not know it."""

    async def __call__(self, request: Request) -> str | None:
        """The shopper's address, of IPv6 the network; None when the header is absent or empty.

        :raises Problem: `invalid_parameter`.
        """
        given = request.headers.getlist(HEADER)
        if len(given) > 1:
            raise invalid_parameter(HEADER, "Give it once.")
        if not given or not given[0]:
            return None
        try:
            address = ip_address(given[0])
        except ValueError as error:
            raise invalid_parameter(HEADER, "It must be an IPv4 or IPv6 address.") from error
        if address.version == 4:
            return str(address)
        mapped = address.ipv4_mapped
        return str(mapped or ip_network((int(address), _PREFIX_V6), strict=False))

    def document(self, operation: Documentation) -> None:
        """Add the header, the problem of a wrong one, and how a lock-out ends a request."""
        operation.parameters.append(
            {
                "name": HEADER,
                "in": "header",
                "required": False,
                "schema": {"anyOf": [{"type": "string", "format": each} for each in ("ipv4", "ipv6")]},
                "description": "The IP address of the shopper for whom a web shop calls. Wrong scratch codes are then "
                "counted for each shopper, too.",
                "example": "203.0.113.7",
            }
        )
        operation.refuse("invalid_parameter", "too_many_wrong_codes", "gift_card_unknown", "unavailable", "internal")


Shopper = Annotated[str | None, Depends(ShopperHeader())]
