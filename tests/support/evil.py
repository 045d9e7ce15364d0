"""What a far end, or a stranger, may send that no well-behaved one does."""

from __future__ import annotations

from random import Random
from typing import cast

from aiortc.rtcsctptransport import Chunk, serialize_packet

from support.chunks import raw_chunk
from support.stock_sctp import data_chunk


def garbage(random: Random) -> bytes:
    first = random.choice([b"", b"\x00\x01", b"\x01\x01", b"\x16\xfe\xfd", b"\x17\xfe\xfd", b"\x80", b"\xff"])
    cookie = random.choice([b"", b"\x00\x10\x21\x12\xa4\x42"])
    return first + cookie + random.randbytes(random.randrange(200))


EVIL = {
    "noise": b"\x00" * 40,
    "nothing": b"x",
    "two inits": raw_chunk(1, bytes(16)) + raw_chunk(1, bytes(16)),
    "a short data chunk": raw_chunk(0, b"abc"),
    "a parameter of no length": raw_chunk(4, bytes(8)),
    "a short reconfiguration": raw_chunk(130, b"\x00\x0d\x00\x06\x00\x00"),
    "forward tsn": raw_chunk(192, bytes(4)),
    "another channel": bytes(data_chunk(0, b"x", stream=3)),
    "a channel opened twice": bytes(data_chunk(0, b"\x03" + bytes(11), kind=50)),
    "text": bytes(data_chunk(0, b"hello", kind=51)),
    "broken text": bytes(data_chunk(0, b"\xff\xff", kind=51)),
}


def evil_packet(name: str, tag: int, tsn: int) -> bytes:
    """An SCTP packet of EVIL, where the far end expects that tag and that TSN next."""
    chunk = EVIL[name]
    if chunk[:1] == b"\x00" and len(chunk) > 16 and any(chunk):
        chunk = chunk[:4] + (tsn % 2**32).to_bytes(4, "big") + chunk[8:]
    return serialize_packet(5000, 5000, 0 if "init" in name else tag, cast(Chunk, chunk))
