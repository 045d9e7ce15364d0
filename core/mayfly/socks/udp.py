"""The header in front of each datagram between an application and the UDP association, RFC 1928 §7.

RSV (2 bytes), FRAG, ATYP, DST.ADDR, DST.PORT, data. On the way back DST.ADDR is the source.
"""

from __future__ import annotations

from mayfly.wire.address import AddressError, Destination


def decode(datagram: bytes) -> tuple[Destination, bytes] | None:
    """Give the destination and the data, or None for what must be dropped: short, malformed, or a fragment.

    RFC 1928 §7 has an implementation without reassembly drop every datagram whose FRAG is not 0.
    """
    if len(datagram) < 3 or datagram[2] != 0:
        return None
    try:
        found = Destination.decode(datagram, 3)
    except AddressError:
        return None
    if found is None:
        return None
    destination, end = found
    return destination, datagram[end:]


def encode(source: Destination, data: bytes) -> bytes:
    """Wrap what came from `source` for the application."""
    return b"\0\0\0" + source.encode() + data
