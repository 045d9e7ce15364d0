"""Where the relay sends streams, and what SOCKS calls the ways in which that fails."""

from __future__ import annotations

import errno
import socket
from typing import Protocol

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination


class Upstream(Protocol):
    """A way out to the network, shared by all clients."""

    async def connect(self, destination: Destination) -> socket.socket:
        """A connected, non-blocking TCP socket, the caller's to close. Raises UpstreamError; may be cancelled."""
        ...

    async def resolve(self, destination: Destination) -> Destination:
        """Look up a name's address, or an address's name, as `Destination(answer, 0)`. Raises UpstreamError."""
        ...


def refused_by_policy() -> UpstreamError:
    """The volunteer does not lend the network for this."""
    return UpstreamError(Reply.NOT_ALLOWED, "the exit policy refuses this destination")


def looks_up_nothing() -> UpstreamError:
    """This upstream only connects."""
    return UpstreamError(Reply.COMMAND_NOT_SUPPORTED, "the upstream looks up no names")


def nameless() -> UpstreamError:
    """An address was looked up, and has no name."""
    return UpstreamError(Reply.HOST_UNREACHABLE, "the address has no name")


def lookup_too_slow() -> UpstreamError:
    """A name or an address was looked up, and no answer came in time."""
    return UpstreamError(Reply.TTL_EXPIRED, "the lookup took too long")


_REPLIES = {
    errno.ECONNREFUSED: Reply.CONNECTION_REFUSED,
    # A reset during the handshake is what some firewalls and load balancers do instead of refusing.
    errno.ECONNRESET: Reply.CONNECTION_REFUSED,
    errno.ENETUNREACH: Reply.NETWORK_UNREACHABLE,
    errno.ENETDOWN: Reply.NETWORK_UNREACHABLE,
    # These three are how a machine without IPv6 answers an IPv6 address.
    errno.EADDRNOTAVAIL: Reply.NETWORK_UNREACHABLE,
    errno.EAFNOSUPPORT: Reply.NETWORK_UNREACHABLE,
    errno.EPFNOSUPPORT: Reply.NETWORK_UNREACHABLE,
    errno.EHOSTUNREACH: Reply.HOST_UNREACHABLE,
    errno.EHOSTDOWN: Reply.HOST_UNREACHABLE,
    errno.ETIMEDOUT: Reply.TTL_EXPIRED,
    # The volunteer's own firewall forbids it.
    errno.EACCES: Reply.NOT_ALLOWED,
    errno.EPERM: Reply.NOT_ALLOWED,
}


def connect_error(error: OSError | RuntimeError) -> UpstreamError:
    """What to tell the client about a failed connect().

    Several addresses that failed for different reasons come from aiohappyeyeballs as one error without an errno.
    """
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, TimeoutError):
        number = errno.ETIMEDOUT
    if number is None:
        return UpstreamError(Reply.HOST_UNREACHABLE, "none of the addresses could be reached")
    return UpstreamError(_REPLIES.get(number, Reply.GENERAL_FAILURE), "the destination could not be reached")
