"""The far end of a bare channel's load: each message once, none that was not sent, every byte as it left."""

from __future__ import annotations

import json

import pytest

from bench.peers import pump
from bench.peers.pump import MESSAGE, START, Arrived, Pump


def message(number: int) -> bytes:
    return number.to_bytes(8, "big") + pump._PATTERN


@pytest.mark.parametrize("order", [range(9), range(8, -1, -1)])
def test_in_any_order_all_have_come_when_the_last_has(order: range) -> None:
    arrived = Arrived(9)
    for left, number in enumerate(order):
        assert arrived.missing == 9 - left
        arrived.take(number)
    assert arrived.missing == 0


def test_a_message_comes_once_and_was_sent() -> None:
    arrived = Arrived(8)
    arrived.take(7)
    with pytest.raises(ValueError, match="twice"):
        arrived.take(7)
    with pytest.raises(ValueError, match="never sent"):
        arrived.take(8)


def test_a_load_is_told_when_it_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    end = Pump()
    end.received(START + str(2 * MESSAGE).encode())
    end.received(message(1))
    assert capsys.readouterr().out == ""
    end.received(message(0))
    assert json.loads(capsys.readouterr().out)["received"] == 2 * MESSAGE


def test_a_damaged_byte_is_seen() -> None:
    end = Pump()
    end.received(START + str(MESSAGE).encode())
    with pytest.raises(ValueError, match="damaged"):
        end.received(message(0)[:-1] + b"\xff")
