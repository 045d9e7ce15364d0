"""Links by a real TURN server alone, each engine at either end: neither learns the other's address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mayfly.signaling.description import CandidateType
from mayfly.transport.base import IpPolicy, LinkSettings, TurnServer
from mayfly.transport.engines import make_engine
from support.links import PAIRS, End, connect, settings_of
from support.own_network import address, own_network
from support.programs import Program, program

pytestmark = pytest.mark.needs("root", "ip", "turnserver")
SERVER = "203.0.113.5"
"""Not on loopback: a far end's loopback address is no business of a TURN server."""


@pytest.fixture(autouse=True)
def network(request: pytest.FixtureRequest) -> Iterator[None]:
    """A network of its own, in which the server has an address."""
    del request
    with own_network(), address(f"{SERVER}/32"):
        yield


@pytest.mark.parametrize(("offers", "answers"), PAIRS)
async def test_both_ends_behind_a_turn_server(offers: str, answers: str, tmp_path: Path) -> None:
    def relayed(engine: str, transport: str) -> LinkSettings:
        turn = TurnServer(f"turn:{SERVER}:3478?transport={transport}", "user", "word")
        return settings_of(engine, turn=(turn,), ip_policy=IpPolicy.TURN_ONLY)

    argv = (
        *(program("turnserver"), "-n", "-v", "--log-file=stdout", "--simple-log", "--no-cli", "--no-tls", "--no-dtls"),
        *(f"--listening-ip={SERVER}", f"--relay-ip={SERVER}", "--listening-port=3478"),
        *("--user=user:word", "--realm=test", "--lt-cred-mech"),
        *(f"--pidfile={tmp_path / 'pid'}", f"--db={tmp_path / 'db'}"),
    )
    async with Program.running(*argv) as server:
        await server.until(lambda: "IO method (admin thread)" in server.output, "all its threads", timeout=20)
        offer = await make_engine(offers).offer(relayed(offers, "udp"))
        assert {candidate.type for candidate in offer.description.candidates} == {CandidateType.RELAYED}
        await offer.close()
        links = await connect(
            make_engine(offers), relayed(offers, "udp"), relayed(answers, "tcp"), far_engine=make_engine(answers)
        )
        near, far = map(End, links)
        for end in (near, far):
            for _ in range(40):
                end.link.send(bytes(16_000))
        await asyncio.gather(near.until(messages=40), far.until(messages=40))
        for end in (near, far):
            path = end.link.path()
            assert path.local is CandidateType.RELAYED
            # libwebrtc may allocate anew, and come from a port that no code named; its own engine hides which.
            hidden = "wrtc" in (offers, answers) and path.remote is None
            assert hidden or path.remote is CandidateType.RELAYED
            assert path.remote_address is None
        await near.link.close()
        await far.until(lost=1, within=2.0)
        await far.link.close()
