"""What can go wrong with the local stack.

StackError            a server or service could not be started, reached or locked
└── FetchError        a server's files could not be fetched

The message of each is one line for the person at the terminal: what failed, and what to do or where to look.
"""


class StackError(Exception):
    """The stack, or one process of it, cannot run; the message is one line."""


class FetchError(StackError):
    """A server is neither here nor to be had; the message names what to install or which variable to set."""
