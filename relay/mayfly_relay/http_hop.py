"""HTTP CONNECT to an upstream proxy (RFC 9110 §9.3.6), on a connection that is there already.

python-socks, which does this too, takes whatever one read gives for the proxy's whole answer: the rest of a longer one
ends up in the client's stream, and first words of the destination that come along are lost. Here exactly the answer's
head is read and nothing behind it.
"""

from __future__ import annotations

import asyncio
import base64
import re
import socket

from mayfly.wire.address import Destination

MAX_HEAD = 16 * 1024
"""Bytes of the answer's head. More is no proxy."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")


class HttpRefusedError(Exception):
    """The proxy said no. `status` is its status, None where what it said is no HTTP."""

    def __init__(self, status: int | None) -> None:
        super().__init__("no HTTP" if status is None else str(status))
        self.status = status


def connect_request(destination: Destination, user: str = "", password: str = "") -> bytes:
    """The request's head."""
    lines = [f"CONNECT {destination} HTTP/1.1", f"Host: {destination}"]
    if user:
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {login}")
    return "\r\n".join([*lines, "", ""]).encode()


def parse_answer(head: bytes) -> None:
    """Look at an answer's whole head. Raises HttpRefusedError unless it is a 2xx."""
    match = _STATUS.match(head)
    status = int(match[1]) if match is not None else None
    if status is None or not 200 <= status < 300:
        raise HttpRefusedError(status)


async def connect(sock: socket.socket, destination: Destination, user: str = "", password: str = "") -> None:
    """Have the proxy at the other end of `sock` connect. Raises HttpRefusedError, OSError; does not close it."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, connect_request(destination, user, password))
    head = b""
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        # One by one, because what comes behind the head belongs to the client. It is read once a connection.
        byte = await loop.sock_recv(sock, 1)
        if not byte or len(head) >= MAX_HEAD:
            raise HttpRefusedError(None)
        head += byte
    parse_answer(head)
