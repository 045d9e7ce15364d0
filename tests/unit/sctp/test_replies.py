"""What waits to be said is given once, and bounded."""

from __future__ import annotations

import pytest

from mayfly.config import SctpConfig
from mayfly.sctp.replies import Replies
from mayfly.sctp.retry import Retry


def test_chunks_share_a_packet_and_packets_stand_alone() -> None:
    replies = Replies()
    replies.chunk(b"one")
    replies.packet(b"whole")
    replies.chunk(b"two")
    assert (replies.take_chunks(), replies.take_packets()) == (b"onetwo", [b"whole"])
    assert (replies.take_chunks(), replies.take_packets()) == (b"", [])


def test_a_far_end_cannot_make_them_grow() -> None:
    replies = Replies()
    for _ in range(1000):
        replies.chunk(b"x")
        replies.packet(b"y")
    assert len(replies.take_chunks()) == len(replies.take_packets()) == 64


@pytest.mark.parametrize("alone", [True, False])
def test_what_is_repeated_goes_where_it_belongs(alone: bool) -> None:
    replies = Replies()
    replies.repeat(Retry(b"again", 1.0, SctpConfig(), alone=alone))
    assert (replies.take_packets(), replies.take_chunks()) == (([b"again"], b"") if alone else ([], b"again"))


def test_last_words_take_the_place_of_all_chunks() -> None:
    replies = Replies()
    replies.chunk(b"answer")
    replies.last_words(b"abort")
    assert replies.take_chunks() == b"abort"
    replies.chunk(b"answer")
    replies.last_words()
    assert replies.take_chunks() == b""
