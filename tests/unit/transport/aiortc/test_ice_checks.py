"""Whom we pair with, whose checks are answered, and how much an authenticated far end can make us keep."""

from __future__ import annotations

import asyncio
import logging
import socket
from ipaddress import ip_address
from types import SimpleNamespace

import pytest
from aioice import Candidate, Connection, stun
from aioice.ice import CandidatePair

from mayfly.transport.aiortc.gather import local_candidate
from mayfly.transport.aiortc.ice import LinkConnection, is_local
from mayfly.transport.base import IpPolicy
from support.ice import also_at, bound, check_request


def pairs(connection: LinkConnection) -> list[str]:
    return [f"{pair.local_addr[0]}>{pair.remote_addr[0]}" for pair in connection._check_list]


async def test_a_check_without_priority_is_refused(
    connection: LinkConnection, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        request = check_request(connection)
        del request.attributes["PRIORITY"]
        request.add_message_integrity(connection.local_password.encode())
        address = connection.sockets[0].local_candidate
        peer.sendto(bytes(request), (address.host, address.port))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            response = stun.parse_message(await loop.sock_recv(peer, 2000))
    assert response.error_code == 400
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def answers(connection: LinkConnection) -> list[tuple[stun.Class, tuple[str, int]]]:
    """What is answered from now on, and to whom."""
    told: list[tuple[stun.Class, tuple[str, int]]] = []
    protocol = connection.sockets[0]
    protocol.send_stun = lambda message, addr: told.append((message.message_class, addr))  # type: ignore[method-assign]
    return told


async def test_a_check_is_answered(connection: LinkConnection) -> None:
    told, far = answers(connection), ("127.0.0.1", 1111)
    request = check_request(connection)
    request.add_message_integrity(connection.local_password.encode())
    connection.request_received(request, far, connection.sockets[0])
    assert told == [(stun.Class.RESPONSE, far)]


async def test_checks_that_come_before_the_answer_are_answered_once_it_is_there(
    connection: LinkConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A far end that hears that the way is open begins DTLS, while a person still carries its answer to us."""
    told, far = answers(connection), ("127.0.0.1", 1111)
    connection.remote_username = None
    first, second = (check_request(connection) for _ in range(2))
    for request in (first, second, first):
        request.attributes.pop("MESSAGE-INTEGRITY", None)
        request.add_message_integrity(connection.local_password.encode())
        connection.request_received(request, far, connection.sockets[0])
    assert told == []
    connection.remote_username = "user"
    kept: list[bytes] = []

    async def connect(self: Connection) -> None:
        kept.extend(message.transaction_id for message, _, _ in self._early_checks)

    monkeypatch.setattr(Connection, "connect", connect)
    await connection.connect()
    assert told == [(stun.Class.RESPONSE, far)] * 2, "one that was repeated is answered once"
    assert kept == [first.transaction_id, second.transaction_id], "and each begins one of ours"


@pytest.mark.parametrize("wrong", ["method", "unsigned", "username", "password", "nameless"])
async def test_no_check_of_a_stranger_is_kept_until_the_answer(connection: LinkConnection, wrong: str) -> None:
    told, far = answers(connection), ("127.0.0.1", 1111)
    connection.remote_username = None
    request = check_request(connection)
    if wrong == "method":
        request.message_method = stun.Method.ALLOCATE
    if wrong == "username":
        request.attributes["USERNAME"] = "somebody:user"
    if wrong == "nameless":
        del request.attributes["USERNAME"]
    if wrong != "unsigned":
        request.add_message_integrity(b"guess" if wrong == "password" else connection.local_password.encode())
    connection.request_received(request, far, connection.sockets[0])
    assert told == [(stun.Class.ERROR, far)]
    assert not connection._early_checks


async def test_learned_addresses_are_bounded(connection: LinkConnection) -> None:
    connection._early_checks_done = True
    request = check_request(connection)
    for port in range(10_000, 10_100):
        connection.check_incoming(request, ("127.0.0.1", port), connection.sockets[0])
    assert len(connection._remote_candidates) == len(connection._check_list) == 8


async def test_offered_addresses_are_bounded(connection: LinkConnection) -> None:
    for port in range(10_000, 10_100):
        await connection.add_remote_candidate(local_candidate("host", "127.0.0.1", port))
    assert len(connection.remote_candidates) == len(connection._check_list) == 4


@pytest.mark.parametrize(
    ("host", "goes"),
    [
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("224.0.0.1", False),
        ("::", False),
        ("ff02::1", False),
        ("::ffff:192.0.2.1", False),
        ("example.org", False),
        ("192.0.2.1", True),
        ("2001:db8::1", True),
    ],
)
async def test_no_packet_goes_where_it_should_not(connection: LinkConnection, host: str, goes: bool) -> None:
    also_at(connection, "host", "192.0.2.9")
    also_at(connection, "host", "2001:db8::9")
    await connection.add_remote_candidate(Candidate("1", 1, "udp", 1, host, 5000, "host"))
    assert len(connection._check_list) == goes


@pytest.mark.parametrize(
    ("host", "resolved", "pairs"),
    [
        ("192.168.1.5", "192.168.1.5", ["192.0.2.9", "203.0.113.9"]),
        ("x.local", "192.168.1.5", ["192.0.2.9"]),
        ("127.0.0.5", "127.0.0.5", ["127.0.0.1"]),
    ],
)
async def test_a_turn_server_learns_of_no_name_and_no_loopback(
    connection: LinkConnection, host: str, resolved: str, pairs: list[str]
) -> None:
    also_at(connection, "host", "192.0.2.9")
    also_at(connection, "relay", "203.0.113.9")
    connection._add_remote_candidate(Candidate("1", 1, "udp", 1, host, 5000, "host"), resolved)
    connection._pair_remote_candidate(connection._remote_candidates[0])
    assert sorted({pair.local_addr[0] for pair in connection._check_list}) == pairs
    assert [protocol.local_candidate.host for protocol in connection.sockets] == ["127.0.0.1", "192.0.2.9"]


async def test_port_zero_is_no_destination(connection: LinkConnection) -> None:
    await connection.add_remote_candidate(local_candidate("host", "127.0.0.1", 0))
    connection._early_checks_done = True
    connection.check_incoming(check_request(connection), ("127.0.0.1", 0), connection.sockets[0])
    assert connection._check_list == []


async def test_loopback_pairs_with_loopback_of_its_family() -> None:
    connection = await bound(IpPolicy.ALL, "127.0.0.1", "::1")
    for host in ("127.0.0.2", "::1", "192.168.1.1", "2001:db8::1"):
        await connection.add_remote_candidate(local_candidate("host", host, 5000))
    assert sorted(pairs(connection)) == ["127.0.0.1>127.0.0.2", "::1>::1"]
    await connection.close()


async def test_lan_checks_no_public_address() -> None:
    connection = await bound(IpPolicy.LAN)
    connection._early_checks_done = True
    assert not connection._usable(ip_address("8.8.8.8"), 1) and connection._usable(ip_address("192.168.0.1"), 1)
    connection.check_incoming(check_request(connection), ("8.8.8.8", 5), connection.sockets[0])
    await connection.add_remote_candidate(local_candidate("host", "8.8.4.4", 5))
    connection.check_incoming(check_request(connection), ("8.8.4.4", 5), connection.sockets[0])
    assert connection._check_list == []
    connection.check_incoming(check_request(connection), ("192.168.0.1", 5), connection.sockets[0])
    assert len(connection._check_list) == 1
    await connection.close()


async def test_role_conflicts_without_end_fail_the_pair(connection: LinkConnection) -> None:
    asked = 0

    async def conflict(*_args: object, **_kwargs: object) -> tuple[stun.Message, tuple[str, int]]:
        nonlocal asked
        asked += 1
        error = stun.Message(stun.Method.BINDING, stun.Class.ERROR)
        error.attributes["ERROR-CODE"] = (487, "Role Conflict")
        raise stun.TransactionFailed(error)

    await connection.add_remote_candidate(local_candidate("host", "127.0.0.1", 5000))
    connection.sockets[0].request = conflict  # type: ignore[method-assign]
    pair = connection._check_list[0]
    role = connection.ice_controlling
    connection.switch_role(not role)
    assert connection.ice_controlling is not role
    await connection.check_start(pair)
    assert pair.state is pair.State.FAILED and asked < 12


@pytest.mark.parametrize("controlling", [True, False])
async def test_the_pair_in_use_is_nominated_again_by_each_check(connection: LinkConnection, controlling: bool) -> None:
    connection.ice_controlling = controlling
    used, other = (CandidatePair(connection.sockets[0], local_candidate("host", "127.0.0.1", port)) for port in (1, 2))
    connection._nominated[1] = used
    again, never = (connection.build_request(pair, nominate=False).attributes for pair in (used, other))
    assert ("USE-CANDIDATE" in again) is controlling and "USE-CANDIDATE" not in never


async def test_a_check_that_found_nobody_begins_anew_when_the_far_end_comes(
    connection: LinkConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was dropped at the far end's NAT, and would be repeated half a minute later."""
    now = 100.0
    clock = SimpleNamespace(time=lambda: now)
    monkeypatch.setattr("mayfly.transport.aiortc.ice.asyncio", SimpleNamespace(get_running_loop=lambda: clock))
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 60.0)
    connection._early_checks_done = True
    protocol = connection.sockets[0]
    sent: list[tuple[str, int]] = []
    protocol.send_stun = lambda message, addr: sent.append(addr)  # type: ignore[method-assign]
    far, elsewhere, stranger = (("127.0.0.1", port) for port in (1111, 3333, 2222))

    async def comes(source: tuple[str, int]) -> list[tuple[str, int]]:
        """What is sent when a check from there has come."""
        sent.clear()
        connection.check_incoming(check_request(connection), source, protocol)
        await asyncio.sleep(0)
        return sent

    for address in (far, elsewhere):
        await connection.add_remote_candidate(local_candidate("host", *address))
    for pair in connection._check_list:
        connection.check_start_task(pair)
    await asyncio.sleep(0)
    assert sent == [far, elsewhere]
    now = 102.0
    connection.check_start_task(connection._check_list[0])  # is under way, and stays as old as it is
    now = 102.9
    assert await comes(far) == [], "its answer may still be on the way"
    now = 103.1
    before = connection._check_list[0].task
    assert before is not None
    assert await comes(far) == [far]
    assert before.cancelled()
    now = 105.9
    assert await comes(far) == [], "the new one is young"
    assert await comes(stranger) == [stranger]
    assert {pair.state for pair in connection._check_list} == {CandidatePair.State.IN_PROGRESS}


@pytest.mark.parametrize("text", ["10.0.0.1", "100.64.0.1", "192.168.1.1", "fd00::1", "127.0.0.1", "169.254.1.1"])
def test_local_addresses(text: str) -> None:
    assert is_local(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "2600::1"])
def test_public_addresses(text: str) -> None:
    assert not is_local(ip_address(text))
