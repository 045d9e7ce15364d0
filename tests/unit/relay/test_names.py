from __future__ import annotations

import pytest

from mayfly_relay.names import is_almost_address, is_local, is_onion


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "a.localhost",
        "printer.local",
        "nas",
        "router.lan.",
        "X.HOME.ARPA",
        "127.1",
        "0x7f.1",
        "a.0x7f",
        "1",
    ],
)
def test_names_of_the_own_network(name: str) -> None:
    assert is_local(name)


@pytest.mark.parametrize("name", ["example.com", "notlocal.example", "local.example.com", "a.1password.com", "x.home4"])
def test_names_of_the_internet(name: str) -> None:
    assert not is_local(name)


@pytest.mark.parametrize("name", ["127.1", "0x7f.1", "a.0X7F", "8", "example.12."])
def test_names_that_resolvers_take_for_addresses(name: str) -> None:
    assert is_almost_address(name)


@pytest.mark.parametrize("name", ["example.com", "1.example", "0xg.0y", "a.0b1"])
def test_names_that_they_do_not(name: str) -> None:
    assert not is_almost_address(name)


def test_onion_names() -> None:
    assert is_onion("ABC.Onion.")
    assert not is_onion("onion")
    assert not is_onion("abconion.example")
