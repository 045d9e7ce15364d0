"""Chunks that are sent again until they are answered."""

from __future__ import annotations

from mayfly.config import SctpConfig
from mayfly.sctp.retry import Retry


def test_intervals_double_up_to_a_limit_and_tries_end() -> None:
    config = SctpConfig(rto_initial=1.0, rto_max=4.0, max_handshakes=4)
    retry = Retry(b"x", 10.0, config, alone=True)
    times = [retry.at]
    while retry.again(retry.at):
        times.append(retry.at)
    assert times == [11.0, 13.0, 17.0, 21.0, 25.0]
    assert (retry.what, retry.alone) == (b"x", True)
