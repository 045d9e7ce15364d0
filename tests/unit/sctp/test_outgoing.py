"""Messages cut into chunks."""

from __future__ import annotations

from struct import unpack_from

from hypothesis import given
from hypothesis import strategies as st

from mayfly.sctp.outgoing import Outgoing


@given(st.lists(st.binary(max_size=50), max_size=6), st.integers(1, 30), st.booleans())
def test_the_chunks_of_a_message_are_the_message(messages: list[bytes], space: int, ordered: bool) -> None:
    queue = Outgoing(3, ordered=ordered)
    for message in messages:
        queue.put(message, None, None)
    assert queue.unsent == sum(len(m) or 1 for m in messages)
    tsn, got, parts = 5, list[bytes](), list[bytes]()
    while queue.unsent:
        first = queue.first
        chunk, size, _ = queue.cut(tsn, space)
        kind, flags, length, number, stream, sequence, protocol = unpack_from("!BBHLHHL", chunk)
        assert (kind, number, stream) == (0, tsn, 3)
        assert size == length - 16 == min(space, first) and len(chunk) % 4 == 0
        assert bool(flags & 4) is not ordered
        assert sequence == (len(got) if ordered else 0)
        assert bool(flags & 2) == (not parts)
        parts.append(chunk[16:length])
        if flags & 1:
            got.append(b"".join(parts) if protocol == 53 else b"")
            parts = []
        tsn += 1
    assert got == messages and parts == [] and queue.unsent == 0


def test_only_what_no_chunk_was_made_of_expires() -> None:
    queue = Outgoing(0, ordered=True)
    queue.put(b"begun", None, 5.0)
    queue.put(b"late", None, 5.0)
    queue.cut(1, 2)
    queue.drop_expired(6.0)
    assert queue.unsent == 3 + 4
    chunk, _, message = queue.cut(2, 99)
    assert chunk[16:19] == b"gun" and message.data == b"begun"
    queue.drop_expired(6.0)
    assert queue.unsent == 0


def test_the_rest_of_a_message_is_given_up() -> None:
    queue = Outgoing(0, ordered=True)
    queue.put(b"abcdef", 0, None)
    queue.put(b"next", None, None)
    _, _, message = queue.cut(1, 2)
    assert queue.give_up(message) and not queue.give_up(message)
    assert queue.unsent == 4
