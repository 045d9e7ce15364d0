"""RESOLVE and RESOLVE_PTR through a tor's SOCKS port: Tor's extensions to SOCKS5 (socks-extensions §2)."""

from __future__ import annotations

import asyncio
import contextlib

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import AddressError, Destination
from mayfly.wire.enums import member
from mayfly_relay.upstream import lookup_too_slow

_RESOLVE, _RESOLVE_PTR = 0xF0, 0xF1
_NONSENSE = "tor's answer makes no sense"
_NOTHING = "tor found nothing"

_GREETING = b"\x05\x01\x02"  # SOCKS5, with the one method of user name and password
_METHOD, _LET_IN = b"\x05\x02", b"\x01\x00"


def login(user: str, password: str) -> bytes:
    """User name and password (RFC 1929 §2)."""
    return b"\x01" + bytes([len(user)]) + user.encode() + bytes([len(password)]) + password.encode()


def lookup(destination: Destination) -> bytes:
    """The request: a name's address, or an address's name."""
    command = _RESOLVE if isinstance(destination.host, str) else _RESOLVE_PTR
    return bytes([5, command, 0]) + destination.encode()


def parse_answer(data: bytes) -> Destination | None:
    """What was found, None while more bytes are needed. `data` starts behind the answer to the login.

    Raises UpstreamError for a refusal and for nonsense.
    """
    if len(data) < 3:
        return None
    if data[0] != 5:
        raise UpstreamError(Reply.GENERAL_FAILURE, _NONSENSE)
    if data[1] != Reply.SUCCEEDED:
        raise UpstreamError(member(Reply, data[1], Reply.HOST_UNREACHABLE), _NOTHING)
    try:
        parsed = Destination.decode(data, 3)
    except AddressError:
        raise UpstreamError(Reply.GENERAL_FAILURE, _NONSENSE) from None
    return None if parsed is None else Destination(parsed[0].host, 0)


async def look_up(
    socks: tuple[str, int], user: str, password: str, destination: Destination, timeout: float
) -> Destination:
    """Ask the tor whose SOCKS port this is. Raises UpstreamError."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(*socks)
            try:
                # One after the other: tor leaves answers out when more is there already.
                for request, answer in ((_GREETING, _METHOD), (login(user, password), _LET_IN)):
                    writer.write(request)
                    if await reader.readexactly(2) != answer:
                        raise UpstreamError(Reply.GENERAL_FAILURE, _NONSENSE)
                writer.write(lookup(destination))
                data = b""
                while (found := parse_answer(data)) is None:
                    more = await reader.read(512)
                    if not more:
                        raise UpstreamError(Reply.HOST_UNREACHABLE, _NOTHING)
                    data += more
                return found
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except TimeoutError:
        raise lookup_too_slow() from None
    except (OSError, asyncio.IncompleteReadError):
        raise UpstreamError(Reply.NETWORK_UNREACHABLE, "tor cannot be reached") from None
