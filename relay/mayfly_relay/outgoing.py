"""Sockets for clients' destinations, which never take the last descriptors of this process.

Each stream is at least one socket, and a name with many addresses several while it is tried. A client that opens as
many as it may would otherwise keep the relay from accepting its next one, and from what the others ask for.
"""

from __future__ import annotations

import errno
import socket

from mayfly.runtime import descriptors

RESERVE = 256
"""Descriptors that are kept free for links, lookups, files and the control socket; a quarter where there are few."""


def open_socket(family: int, kind: int, protocol: int = 0) -> socket.socket:
    """A new socket. Raises OSError, with EMFILE also where only the reserve is left."""
    sock = socket.socket(family, kind, protocol)
    most = descriptors.limit()
    # A new one has the lowest number that is free, so all below it are in use.
    if most is not None and sock.fileno() >= most - min(RESERVE, most // 4):
        sock.close()
        raise OSError(errno.EMFILE, "the rest of the descriptors is kept free")
    return sock
