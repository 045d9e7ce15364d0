"""The relay's own addresses and networks."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from mayfly_relay.addresses import Network
from mayfly_relay.interfaces import OwnNetworks, local_network, local_networks


def test_this_machine_has_a_loopback_network() -> None:
    assert any(ip_address("127.0.0.1") in network for network in local_networks())


@pytest.mark.parametrize(
    ("address", "prefix", "network"),
    [
        ("192.168.1.7", 24, "192.168.1.0/24"),
        ("203.0.113.7", 32, "203.0.113.7/32"),
        ("10.8.0.2", 0, "10.8.0.2/32"),  # a tunnel that claims everything keeps nobody out of the Internet
        ("2a00:1450:0:101::7", 64, "2a00:1450:0:100::/56"),  # the household's other networks are in the /56
        ("2a00:1450:0:101::7", 128, "2a00:1450:0:100::/56"),  # from DHCPv6
        ("fd00:0:0:1::7", 64, "fd00:0:0:1::/64"),
        ("fd00:0:0:1::7", 128, "fd00:0:0:1::/64"),
        ("2a00:1450:0:1::7", 56, "2a00:1450::/56"),
        ("2a00:1450:0:1::7", 48, "2a00:1450::/48"),
        ("2a00:1450:0:1::7", 0, "2a00:1450:0:1::7/128"),
    ],
)
def test_local_network(address: str, prefix: int, network: str) -> None:
    assert local_network(address, prefix) == ip_network(network)


class Machine:
    """Interfaces that change; counts how often they are looked at."""

    def __init__(self) -> None:
        self.networks: set[Network] = {ip_network("192.0.2.0/24")}
        self.looks = 0
        self.broken = False

    def look(self) -> frozenset[Network]:
        self.looks += 1
        if self.broken:
            raise OSError("no")
        return frozenset(self.networks)


def test_a_look_is_good_for_the_interval() -> None:
    machine = Machine()
    own = OwnNetworks(machine.look, interval=60)
    assert own.current(0.0) == machine.networks
    machine.networks = {ip_network("198.51.100.0/24")}
    assert own.current(59.9) == {ip_network("192.0.2.0/24")}
    assert machine.looks == 1
    assert own.current(60.0) == {ip_network("198.51.100.0/24")}


def test_what_has_not_changed_stays_the_same_object() -> None:
    own = OwnNetworks(lambda: frozenset({ip_network("192.168.1.0/24")}), interval=60)
    assert own.current(0) is own.current(100)
    before = own.current(100)
    own.add([ip_address("8.8.8.8")])
    assert own.current(100) == before | {ip_network("8.8.8.8/32")}


def test_a_failed_look_keeps_the_last_result() -> None:
    machine = Machine()
    own = OwnNetworks(machine.look, interval=60)
    own.current(0.0)
    machine.broken = True
    assert own.current(100.0) == {ip_network("192.0.2.0/24")}


def test_added_addresses_stay_over_refreshes_and_are_unwrapped() -> None:
    machine = Machine()
    own = OwnNetworks(machine.look, interval=60)
    own.add([ip_address("8.8.8.8"), ip_address("::ffff:9.9.9.9")])
    expected = {ip_network("192.0.2.0/24"), ip_network("8.8.8.8/32"), ip_network("9.9.9.9/32")}
    assert own.current(0.0) == expected
    assert own.current(1000.0) == expected
