"""What a client's options refuse."""

from __future__ import annotations

import dataclasses

import pytest

from mayfly.transport.base import LinkSettings
from mayfly_client.options import ClientOptions


def test_by_default_the_proxy_is_open_to_this_computer_alone() -> None:
    options = ClientOptions(link=LinkSettings())
    assert options.socks == ("127.0.0.1", 1080)
    assert options.socks_auth is None
    assert options.code is None


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none(port: int) -> None:
    with pytest.raises(ValueError, match="port"):
        ClientOptions(link=LinkSettings(), socks=("127.0.0.1", port))


def test_a_negative_grace() -> None:
    with pytest.raises(ValueError, match="grace"):
        ClientOptions(link=LinkSettings(), grace=-1.0)
    assert ClientOptions(link=LinkSettings(), grace=0.0).grace == 0


def test_options_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ClientOptions(link=LinkSettings()).grace = 1.0  # type: ignore[misc]
