"""Records: round trips, bodies that break the rules, and arbitrary bodies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.files import records as r
from mayfly.files.fields import FilesError
from mayfly.wire.varint import decode_varint, prefixed
from unit.files.strategies import bodies

KNOWN = {kind.value for kind in r.RecordType} - {r.RecordType.CHUNK}


def parts(encoded: bytes) -> tuple[int, bytes]:
    """Type and body of one record."""
    kind, position = decode_varint(encoded, 0)
    size, position = decode_varint(encoded, position)
    assert len(encoded) == position + size
    return kind, encoded[position:]


@given(record=bodies)
def test_round_trip(record: r.Record) -> None:
    assert r.decode(*parts(record.encode())) == record


@given(record=bodies, more=st.binary(min_size=1, max_size=3))
def test_a_body_is_as_long_as_its_fields(record: r.Record, more: bytes) -> None:
    kind, body = parts(record.encode())
    with pytest.raises(FilesError):
        r.decode(kind, body + more)
    for end in range(len(body)):
        with pytest.raises(FilesError):
            r.decode(kind, body[:end])


@given(kind=st.sampled_from(sorted(KNOWN)), body=st.binary(max_size=120))
def test_any_body_gives_a_record_or_the_documented_error(kind: int, body: bytes) -> None:
    try:
        record = r.decode(kind, body)
    except FilesError:
        return
    again, encoded = parts(record.encode())
    assert again == kind
    assert r.decode(kind, encoded) == record


@pytest.mark.parametrize("kind", sorted(set(range(70)) - KNOWN))
def test_an_unknown_type_is_refused(kind: int) -> None:
    with pytest.raises(FilesError):
        r.decode(kind, b"")


def test_the_bytes_are_those_of_the_specification() -> None:
    offer = r.Offer(bytes(16), r.Kind.DIRECTORY, "pictures", 300, 2)
    assert offer.encode().hex() == "011d" + "00" * 16 + "01" + "412d" + "02" + "08" + b"pictures".hex()
    entry = r.Entry(1, ("pictures", "a"), r.EntryType.FILE, 300, -1, executable=True)
    assert (
        entry.encode().hex() == "021a" + "01" + "00" + "412d" + "ff" * 8 + "02" + "087069637475726573" + "0161" + "0100"
    )
    assert r.Want(1).encode().hex() == "12020100"
    assert r.Want(1, r.BLOCK, b"h" * 32).encode().hex() == "122501" + "80100000" + b"h".hex() * 32
    assert r.Chunk(b"abc").encode().hex() == "0503616263"
    assert r.chunk_head(r.MAX_CHUNK).hex() == "0580040000"
    assert r.Cancel(r.Reason.DISK_FULL).encode().hex() == "220104"


def test_an_offer_has_entries_and_a_short_name() -> None:
    head = bytes(16) + b"\0\0"
    with pytest.raises(FilesError, match="without entries"):
        r.decode(r.RecordType.OFFER, head + b"\0" + prefixed(b"x"))
    with pytest.raises(FilesError, match="too long"):
        r.decode(r.RecordType.OFFER, head + b"\1" + prefixed(b"x" * (r.MAX_DISPLAY_NAME + 1)))


def test_an_entry_s_fields_fit_its_type() -> None:
    def body(kind: int, size: int, target: bytes, count: int = 1) -> bytes:
        return bytes((0, kind, size)) + bytes(8) + bytes((count,)) + prefixed(b"x") * count + b"\0" + prefixed(target)

    assert r.decode(r.RecordType.ENTRY, body(0, 0, b"")) == r.Entry(0, ("x",), r.EntryType.FILE, None, 0)
    for wrong in (
        body(3, 1, b""),
        body(1, 2, b""),
        body(2, 1, b""),
        body(0, 1, b"y"),
        body(1, 0, b""),
        body(0, 1, b"", 0),
    ):
        with pytest.raises(FilesError):
            r.decode(r.RecordType.ENTRY, wrong)


def test_what_a_newer_peer_says_is_read_as_something_near() -> None:
    assert r.decode(r.RecordType.CANCEL, b"\x3f") == r.Cancel(r.Reason.LEAVING)
    newer = bytes(16) + b"\x3f" + b"\0\1" + prefixed(b"x")
    assert r.decode(r.RecordType.OFFER, newer) == r.Offer(bytes(16), r.Kind.MIXED, "x", None, 1)


def test_a_name_that_is_not_unicode_cannot_be_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        r.Entry(0, ("\udcff",), r.EntryType.FILE, 0, 0).encode()
