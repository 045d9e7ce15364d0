"""The lines between a caller and a relay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.onion.messages import (
    MAX_SECONDS,
    Accepted,
    Answered,
    Call,
    LineReader,
    Message,
    Offered,
    OnionError,
    Refusal,
    Refused,
    decode,
    encode,
)
from support.spoilt import spoilt

SPANS = st.floats(0, MAX_SECONDS)
MESSAGES = st.one_of(
    st.builds(Call, st.integers(0, 10)),
    st.builds(Offered, st.text(), SPANS),
    st.builds(Answered, st.text()),
    st.just(Accepted()),
    st.builds(Refused, st.sampled_from(Refusal), SPANS),
)


@given(MESSAGES)
def test_a_message_is_one_line_and_comes_back(message: Message) -> None:
    line = encode(message)
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == message


@given(st.binary(max_size=300) | spoilt(MESSAGES.map(lambda message: encode(message)[:-1])))
def test_any_line_is_a_message_or_the_documented_error(line: bytes) -> None:
    try:
        message = decode(line)
    except OnionError:
        return
    assert decode(encode(message)[:-1]) == message


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"{}",
        b'"call"',
        b"[" * 100_000,
        b'{"call":true}',
        b'{"call":"1"}',
        b'{"accepted":false}',
        b'{"offer":"x","seconds":-1}',
        b'{"offer":"x","seconds":NaN}',
        b'{"offer":"x","seconds":Infinity}',
        b'{"offer":"x","seconds":"9"}',
    ],
)
def test_what_is_no_message(line: bytes) -> None:
    with pytest.raises(OnionError):
        decode(line)


def test_what_a_newer_relay_may_add() -> None:
    assert decode(b'{"refused":"raining","umbrella":true}') == Refused(Refusal.BUSY)
    assert decode(b'{"offer":"x","seconds":1e300}') == Offered("x", MAX_SECONDS)


@given(st.lists(st.binary(max_size=8).filter(lambda line: b"\n" not in line)), st.data())
def test_lines_come_apart_wherever_they_were_cut(lines: list[bytes], data: st.DataObject) -> None:
    text = b"".join(line + b"\n" for line in lines)
    reader, found = LineReader(8), []
    while text:
        size = data.draw(st.integers(1, len(text)))
        found += reader.feed(text[:size])
        text = text[size:]
    assert found == lines


@pytest.mark.parametrize("text", [b"123456789", b"123456789\n", b"1\n123456789"])
def test_a_line_that_is_too_long(text: bytes) -> None:
    with pytest.raises(OnionError, match="too long"):
        LineReader(8).feed(text)
