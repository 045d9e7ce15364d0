"""Which of our addresses are opened, and which a code may hold."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from mayfly.config import EngineConfig, LinkConfig
from mayfly.transport.aiortc import gather as module
from mayfly.transport.aiortc.gather import disclosed, local_candidate
from mayfly.transport.aiortc.ice import LinkConnection, LinkProtocol
from mayfly.transport.aiortc.stun import StunMappings
from mayfly.transport.base import IpPolicy, LinkSettings

FOUND = ["127.0.0.1", "127.0.0.2", "::1", "169.254.1.1", "fe80::1", "192.168.1.5", "8.8.8.8", "2600::5", "fd00::5"]
SETTINGS = LinkSettings()


@pytest.mark.parametrize(
    ("policy", "opened"),
    [
        (IpPolicy.ALL, ["192.168.1.5", "8.8.8.8", "2600::5", "fd00::5"]),
        (IpPolicy.PUBLIC_ONLY, ["192.168.1.5", "8.8.8.8", "2600::5", "fd00::5"]),
        (IpPolicy.NO_STUN, ["192.168.1.5", "8.8.8.8", "2600::5", "fd00::5"]),
        (IpPolicy.LAN, ["192.168.1.5", "fd00::5"]),
        (IpPolicy.TURN_ONLY, []),
    ],
)
def test_what_is_opened_without_bind(policy: IpPolicy, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "get_host_addresses", lambda use_ipv4, use_ipv6: FOUND)
    assert [str(address) for address in module._addresses(replace(SETTINGS, ip_policy=policy))] == opened


def test_bind_is_taken_as_it_is_and_each_once() -> None:
    bind = tuple(map(ip_address, ["127.0.0.1", "::1", "127.0.0.1"]))
    assert [str(address) for address in module._addresses(replace(SETTINGS, bind=bind))] == ["127.0.0.1", "::1"]


async def described(policy: IpPolicy, *locals_: tuple[str, str], mapped: tuple[str, int] | None = None) -> list[str]:
    config = LinkConfig(max_candidates=4)
    connection = LinkConnection(controlling=True, policy=policy, config=config, limits=EngineConfig())
    stun = StunMappings((), 1.0)
    for port, (kind, host) in enumerate(locals_, 1000):
        protocol = LinkProtocol(connection)
        connection.add_local(protocol, local_candidate(kind, host, port))
        if mapped is not None and kind == "host":
            stun._mapped[protocol] = {("192.0.2.1", 1): mapped}
    found = disclosed(connection, stun, replace(SETTINGS, ip_policy=policy, config=config))
    return [f"{candidate.type.value} {candidate.address}" for candidate in found]


async def test_public_only_leaves_private_addresses_out() -> None:
    hosts = [("host", "192.168.1.5"), ("host", "8.8.8.8"), ("host", "fd00::5"), ("host", "100.64.0.1")]
    assert await described(IpPolicy.PUBLIC_ONLY, *hosts, mapped=("9.9.9.9", 5)) == ["host 8.8.8.8", "srflx 9.9.9.9"]


async def test_many_addresses_leave_room_for_the_mapped_and_the_relayed() -> None:
    hosts = [("host", f"192.168.1.{n}") for n in range(1, 9)]
    found = await described(IpPolicy.ALL, *hosts, ("relay", "8.8.4.4"), mapped=("9.9.9.9", 5))
    assert found == ["host 192.168.1.1", "host 192.168.1.2", "srflx 9.9.9.9", "relay 8.8.4.4"]
