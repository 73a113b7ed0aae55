"""Serials of vouchers compare without case: what the one of a serial may be called, for whoever looks for it."""


def stream_names(serial: str) -> tuple[str, ...]:
    """Under which names a serial's voucher may be kept, the one that is looked at first in front.

    Streams are named in upper case; those from before they were have the serial as it was written then, which is found
    by who writes it so again, or in lower case by anybody. Whatever is written, none of two vouchers hides another.
    """
    return tuple(dict.fromkeys((serial, serial.upper(), serial.lower())))
