from __future__ import annotations

import pytest

from mayfly_cli.paths import way


@pytest.mark.parametrize(
    ("local", "remote", "words"),
    [
        ("host", "host", "directly, on one network or without address translation"),
        ("srflx", "host", "directly, through address translation on this side"),
        ("host", "srflx", "directly, through address translation on the other side"),
        ("srflx", "srflx", "directly, through address translation on both sides"),
        ("relay", "host", "through a TURN server on this side"),
        ("srflx", "relay", "through a TURN server on the other side"),
        ("relay", "relay", "through a TURN server on both sides"),
        ("relay", None, "through a TURN server on this side"),
        ("srflx", None, "directly or through a TURN server, which cannot be told from here"),
        (None, "host", "directly or through a TURN server, which cannot be told from here"),
        (None, None, "directly or through a TURN server, which cannot be told from here"),
    ],
)
def test_a_way_in_words(local: str | None, remote: str | None, words: str) -> None:
    assert way(local, remote) == words
