"""Stream headers and answers: round trips, refusals, arbitrary bytes, arrival in pieces."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import Reply
from mayfly.wire.address import NOWHERE, Destination
from mayfly.wire.header import Answer, Header, HeaderError, Service, UnknownServiceError, take_prefixed
from mayfly.wire.varint import MAX_VARINT, encode_varint
from support.spoilt import spoilt

LIMIT = 512
hosts = (
    st.builds(IPv4Address, st.integers(0, 2**32 - 1))
    | st.builds(IPv6Address, st.integers(0, 2**128 - 1))
    | st.from_regex(r"\A[a-z]([a-z0-9-]{0,20}[a-z])?(\.[a-z]{2,9}){0,3}\Z")
)
destinations = st.builds(Destination, hosts, st.integers(0, 65535))
headers = st.builds(Header, st.sampled_from([Service.TCP, Service.RESOLVE]), destinations) | st.builds(
    Header, st.sampled_from([Service.UDP, Service.CHAT, Service.FILE])
)

answers = st.builds(Answer, st.sampled_from(Reply), destinations)


@given(header=headers, behind=st.binary(max_size=20))
def test_a_header_comes_back(header: Header, behind: bytes) -> None:
    encoded = header.encode()
    taken = take_prefixed(encoded + behind, LIMIT)
    assert taken is not None
    body, end = taken
    assert end == len(encoded)
    assert Header.decode(body) == header


@given(answer=answers)
def test_an_answer_comes_back(answer: Answer) -> None:
    taken = take_prefixed(answer.encode(), LIMIT)
    assert taken is not None
    assert Answer.decode(taken[0]) == answer


@given(header=headers, data=st.data())
def test_a_part_is_not_enough(header: Header, data: st.DataObject) -> None:
    encoded = header.encode()
    assert take_prefixed(encoded[: data.draw(st.integers(0, len(encoded) - 1))], LIMIT) is None


def body_of(encoded: bytes) -> bytes:
    taken = take_prefixed(encoded, LIMIT)
    assert taken is not None
    return taken[0]


@given(body=st.binary(max_size=300) | spoilt(headers.map(lambda header: body_of(header.encode()))))
def test_any_bytes_give_a_header_or_its_error(body: bytes) -> None:
    try:
        header = Header.decode(body)
    except HeaderError:
        return
    assert Header.decode(body_of(header.encode())) == header


@given(body=st.binary(max_size=300) | spoilt(answers.map(lambda answer: body_of(answer.encode()))))
def test_any_bytes_give_an_answer_or_its_error(body: bytes) -> None:
    try:
        answer = Answer.decode(body)
    except HeaderError:
        return
    assert Answer.decode(body_of(answer.encode())) == answer


@given(data=st.binary(max_size=600), limit=st.integers(0, 600))
def test_any_bytes_give_a_body_within_the_limit(data: bytes, limit: int) -> None:
    try:
        taken = take_prefixed(bytearray(data), limit)
    except HeaderError:
        return
    if taken is not None:
        assert len(taken[0]) <= limit
        assert taken[1] <= len(data)


def test_the_limit_is_met_before_the_bytes_come() -> None:
    assert take_prefixed(encode_varint(LIMIT), LIMIT) is None
    for size in (LIMIT + 1, MAX_VARINT):
        with pytest.raises(HeaderError, match="too long"):
            take_prefixed(encode_varint(size), LIMIT)
    assert take_prefixed(b"", LIMIT) is None
    assert take_prefixed(b"\x00rest", LIMIT) == (b"", 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x40",
        b"\x01",
        b"\x01\x01\x7f\x00\x00\x01\x00",
        b"\x01\x01\x7f\x00\x00\x01\x00\x50x",
        b"\x01\x02ab",
        b"\x01\x03\x00\x00\x50",
        b"\x01\x03\x03a b\x00\x50",
        b"\x01\x03\x03a\x1bb\x00\x50",
    ],
)
def test_what_is_no_header(body: bytes) -> None:
    with pytest.raises(HeaderError):
        Header.decode(body)


def test_an_unknown_service_has_its_own_error() -> None:
    with pytest.raises(UnknownServiceError):
        Header.decode(b"\x07")
    with pytest.raises(UnknownServiceError):
        Header.decode(b"\x00")


def test_a_service_without_destination_ignores_what_follows() -> None:
    assert Header.decode(b"\x03later parameters") == Header(Service.UDP)


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x00\x01\x00\x00\x00\x00\x00", NOWHERE.encode() + b"\x00\x00"])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(HeaderError):
        Answer.decode(body)


def test_a_reply_that_nobody_knows_is_a_general_failure() -> None:
    assert Answer.decode(b"\x7f" + NOWHERE.encode()) == Answer(Reply.GENERAL_FAILURE)
