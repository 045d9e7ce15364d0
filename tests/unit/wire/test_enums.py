"""Numbers from a peer and their names."""

from __future__ import annotations

from mayfly.errors import Reply
from mayfly.wire.enums import member


def test_a_known_number_is_its_member() -> None:
    assert member(Reply, 5) is Reply.CONNECTION_REFUSED
    assert member(Reply, 5, Reply.SUCCEEDED) is Reply.CONNECTION_REFUSED


def test_an_unknown_number_is_the_default() -> None:
    assert member(Reply, 9) is None
    assert member(Reply, 1 << 61, Reply.GENERAL_FAILURE) is Reply.GENERAL_FAILURE
    assert member(Reply, -1) is None
