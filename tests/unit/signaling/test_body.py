"""body.py: the bytes of a code, one form for each, and nothing but valid descriptions out of them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.signaling import body, rules
from mayfly.signaling.body import Body, BodyError, UnknownKindError
from mayfly.signaling.description import Description, Kind
from support.descriptions import MDNS, PRIVATE, PUBLIC, description, descriptions

OFFER = Body(description(Kind.OFFER), 0x123456, b"")
ANSWER = Body(description(Kind.ANSWER), 0x123456, b"digest")


def changed(data: bytes, position: int, value: int) -> bytes:
    return data[:position] + bytes([value]) + data[position + 1 :]


def test_layout_of_an_offer() -> None:
    data = body.encode(OFFER)
    assert data[:4] == bytes([0b001_000_00, 0x12, 0x34, 0x56])
    assert data[4:36] == bytes(range(32))
    assert data[36:38] == bytes([0, 0])
    # abcd is 26 27 28 29, then the last 22 of the alphabet from `q` on
    assert data[38:41] == bytes([0b011010_01, 0b1011_0111, 0b00_011101])
    assert data[58:] == bytes([0x00, 192, 168, 1, 4, 0xC3, 0xCB, 0x01, 203, 0, 113, 7, 0xEF, 0x32])
    assert len(data) == 72


def test_layout_of_an_answer() -> None:
    data = body.encode(ANSWER)
    assert data[0] == 0b001_001_01
    assert data[4:10] == b"digest"
    assert data[10:42] == bytes(range(32))
    assert len(data) == 78


def test_layout_of_other_addresses() -> None:
    address = IPv6Address("2001:db8::7")
    six = replace(PUBLIC, address=address)
    name = replace(MDNS, address="attic-pc.local")
    data = body.encode(Body(description(Kind.OFFER, six, MDNS, name), 0, b""))[58:]
    assert data[:19] == bytes([0x11]) + address.packed + bytes([0xEF, 0x32])
    assert data[19:38] == bytes.fromhex("20 0c6a2a527d3b4c1c8f2a0d8c6f1e2b3a d431")
    assert data[38:] == b"\x30\x08attic-pc\xd4\x31"


@given(descriptions(), st.integers(0, body.MAX_MINUTES), st.binary(min_size=6, max_size=6))
def test_round_trip(shown: Description, minutes: int, digest: bytes) -> None:
    original = Body(shown, minutes, digest if shown.kind is Kind.ANSWER else b"")
    assert body.decode(body.encode(original)) == original


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: body.encode(OFFER)[:58] + tail))
def test_any_bytes_are_a_valid_body_in_its_one_form_or_an_error(data: bytes) -> None:
    try:
        decoded = body.decode(data)
    except BodyError:
        return
    rules.check(decoded.description)
    assert body.encode(decoded) == data


@given(st.integers(0, 71), st.integers(0, 255))
def test_any_changed_byte(position: int, value: int) -> None:
    data = changed(body.encode(OFFER), position, value)
    try:
        decoded = body.decode(data)
    except BodyError:
        return
    assert body.encode(decoded) == data


def test_every_cut_through_a_field_is_an_error() -> None:
    data = body.encode(ANSWER)
    whole = {64, 71, 78}  # between candidates a shorter body is another valid one: the checksum is what tells
    for size in range(len(data)):
        if size not in whole:
            with pytest.raises(BodyError):
                body.decode(data[:size])


@pytest.mark.parametrize("kind", range(2, 8))
def test_kinds_to_come(kind: int) -> None:
    with pytest.raises(UnknownKindError):
        body.decode(bytes([1 << 5 | kind << 2]) + bytes(40))


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, 0b010_000_00),  # version 2
        (0, 0b001_000_11),  # no such DTLS role
        (57, 0xFF),  # the credentials' padding
        (58, 0x40),  # no such family
        (58, 0x03),  # no such type
        (58, 0x80),
    ],
)
def test_bad_values(position: int, value: int) -> None:
    with pytest.raises(BodyError):
        body.decode(changed(body.encode(OFFER), position, value))


def test_answer_without_a_role() -> None:
    with pytest.raises(BodyError, match="role"):
        body.decode(changed(body.encode(ANSWER), 0, 0b001_001_00))


def test_trailing_byte() -> None:
    with pytest.raises(BodyError):
        body.decode(body.encode(OFFER) + b"\0")


def test_too_many_candidates() -> None:
    data = body.encode(OFFER)
    one = data[58:65]
    assert len(body.decode(data[:58] + one * 16).description.candidates) == 16
    with pytest.raises(BodyError, match="many"):
        body.decode(data[:58] + one * 17)


@pytest.mark.parametrize(
    "name",
    [b"", b"0c6a2a52-7d3b-4c1c-8f2a-0d8c6f1e2b3a", b"UPPER", b"a.b", b"esc\x1b[2J", b"\xff", b"x" * 64],
)
def test_bad_mdns_names(name: bytes) -> None:
    data = body.encode(OFFER)[:58] + bytes([0x30, len(name)]) + name + b"\x01\x00"
    with pytest.raises(BodyError):
        body.decode(data)


@pytest.mark.parametrize(
    "bad",
    [
        OFFER._replace(minutes=-1),
        OFFER._replace(minutes=1 << 24),
        OFFER._replace(offer=b"digest"),
        ANSWER._replace(offer=b""),
        ANSWER._replace(offer=b"digests"),
        OFFER._replace(description=replace(OFFER.description, candidates=(replace(PRIVATE, port=0),))),
    ],
)
def test_encode_refuses(bad: Body) -> None:
    with pytest.raises(ValueError):
        body.encode(bad)
