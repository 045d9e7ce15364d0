"""The codec: our bytes are read by aiortc and back, and any bytes end in an object or BrokenRuleError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiortc.rtcsctptransport import ForwardTsnChunk, InitAckChunk, SackChunk, parse_packet
from hypothesis import given
from hypothesis import strategies as st

from mayfly.sctp.endings import BrokenRuleError
from mayfly.sctp.packet import Header
from mayfly.sctp.wire import (
    ForwardTsn,
    Init,
    OtherRequest,
    OutgoingReset,
    Response,
    Sack,
    chunk_at,
    decode_forward_tsn,
    decode_init,
    decode_parameters,
    decode_reconfig,
    decode_sack,
    encode_chunk,
    encode_forward_tsn,
    encode_parameters,
    encode_reset,
    encode_response,
    encode_sack,
)


def read_by_aiortc(chunk: bytes) -> Any:
    return parse_packet(Header(1, 2, 3).seal(chunk))[3][0]


def body_of(chunk: bytes) -> bytes:
    _, _, begin, end = chunk_at(chunk, 0)
    return chunk[begin:end]


@pytest.mark.parametrize("cookie", [None, b"12345"])
@pytest.mark.parametrize("forward", [False, True])
@pytest.mark.parametrize("zero", [False, True])
def test_init(cookie: bytes | None, forward: bool, zero: bool) -> None:
    init = Init(7, 1 << 20, 65535, 65534, 9, cookie, forward, zero, 16384 if zero else 0)
    assert decode_init(body_of(init.encode())) == init
    theirs = read_by_aiortc(init.encode())
    assert isinstance(theirs, InitAckChunk) == (cookie is not None)
    assert (theirs.initiate_tag, theirs.advertised_rwnd, theirs.initial_tsn) == (7, 1 << 20, 9)
    assert dict(theirs.params)[0x8008] == (b"\x82\xc0" if forward else b"\x82")


def test_sack() -> None:
    chunk = encode_sack(5, 1000, [(2, 3), (7, 7)], [4, 4])
    assert decode_sack(body_of(chunk)) == Sack(5, 1000, ((2, 3), (7, 7)), 2)
    theirs = read_by_aiortc(chunk)
    assert isinstance(theirs, SackChunk)
    assert (theirs.cumulative_tsn, theirs.gaps, theirs.duplicates) == (5, [(2, 3), (7, 7)], [4, 4])


def test_forward_tsn() -> None:
    chunk = encode_forward_tsn(77, [(0, 5)])
    assert decode_forward_tsn(body_of(chunk)) == ForwardTsn(77, ((0, 5),))
    theirs = read_by_aiortc(chunk)
    assert isinstance(theirs, ForwardTsnChunk) and theirs.streams == [(0, 5)]


def test_reconfiguration() -> None:
    assert decode_reconfig(body_of(encode_reset(1, 2, 3, 0))) == [OutgoingReset(1, 3, (0,))]
    assert decode_reconfig(body_of(encode_response(4, 6))) == [Response(4, 6)]
    others = encode_parameters([(14, b"\0\0\0\x05\0\0"), (17, b"\0\0\0\x06\0\1\0\0"), (99, b"?")])
    assert decode_reconfig(others) == [OtherRequest(5), OtherRequest(6)]


def test_chunks_and_parameters_are_padded() -> None:
    assert encode_chunk(9, b"12345") == b"\x09\0\0\x0912345\0\0\0"
    assert decode_parameters(encode_parameters([(1, b"a"), (2, b"bc")])) == [(1, b"a"), (2, b"bc")]


@pytest.mark.parametrize(
    "body", [bytes(19), bytes(20), Init(1, 1, 0, 1, 1).encode()[4:], Init(0, 1, 1, 1, 1).encode()[4:]]
)
def test_an_init_without_tag_or_streams_is_malformed(body: bytes) -> None:
    with pytest.raises(BrokenRuleError):
        decode_init(body)


DECODERS: list[Callable[[bytes], object]] = [
    decode_init,
    decode_sack,
    decode_forward_tsn,
    decode_reconfig,
    decode_parameters,
    lambda raw: chunk_at(raw, 0),
]


@pytest.mark.parametrize("decode", DECODERS)
@given(raw=st.one_of(st.binary(max_size=80), st.binary(max_size=40).map(lambda tail: b"\0\x0d\0\x12" + tail)))
def test_any_bytes_end_in_an_answer(decode: Callable[[bytes], object], raw: bytes) -> None:
    try:
        decode(raw)
    except BrokenRuleError:
        return
