"""Stream resets, as a browser closes its channel."""

from __future__ import annotations

from struct import pack

import pytest

from mayfly.sctp.reset import answer_reconfig
from mayfly.sctp.wire import Response, chunk_at, decode_reconfig, encode_parameters


def answer(*parameters: tuple[int, bytes], received: int = 100) -> tuple[list[object], bool]:
    answers, closes = answer_reconfig(encode_parameters(parameters), 0, received=received, sent=50, own=7)
    found: list[object] = []
    for chunk in answers:
        _, _, begin, end = chunk_at(chunk, 0)
        found += decode_reconfig(chunk[begin:end])
    return found, closes


@pytest.mark.parametrize("streams", [b"", b"\0\0", b"\0\5\0\0"])
def test_the_channel_or_all_channels(streams: bytes) -> None:
    found, closes = answer((13, pack("!LLL", 9, 0, 100) + streams))
    assert closes and found[0] == Response(9, 1) and len(found) == 2


def test_not_before_all_that_was_sent_has_come() -> None:
    assert answer((13, pack("!LLLH", 9, 0, 101, 0))) == ([Response(9, 6)], False)
    assert answer((13, pack("!LLLH", 9, 0, 3, 0)), received=2**32 - 1) == ([Response(9, 6)], False)


def test_other_channels_and_other_wishes_change_nothing() -> None:
    assert answer((13, pack("!LLLH", 9, 0, 0, 5)), (14, pack("!LH", 8, 0)), (17, pack("!LHH", 3, 1, 0))) == (
        [Response(9, 0), Response(8, 2), Response(3, 2)],
        False,
    )
    assert answer((16, pack("!LL", 7, 1))) == ([], False)
