"""A tunnel that a TURN server carries: coturn, and traffic with checksums through it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from support.bodies import body_sha256, file_sha256, write_body
from support.coturn import turn_server, turn_url
from support.http import Origin, uploaded
from support.mayfly import MayflyProcess, introduce
from support.namespaces import ADDRESS, namespace
from support.programs import Program, run

SIZE = 4 << 20
ALLOWED = ("--allow", f"{ADDRESS}:*")
CURL = ("curl", "-sS", "--fail", "--max-time", "60")


def by_turn(transport: str | None) -> tuple[str, ...]:
    """The addresses of one end: the server's alone, or its own."""
    own = ("--engine", "aiortc", "--bind", ADDRESS)
    return own if transport is None else (*own, "--ip-policy", "turn-only", "--turn", turn_url(transport))


@pytest.mark.needs("ip", "turnserver", "curl")
@pytest.mark.parametrize(("at_relay", "at_client"), [("udp", "udp"), ("tcp", None)])
async def test_traffic_both_ways_through_turn(tmp_path: Path, at_relay: str, at_client: str | None) -> None:
    source, target = tmp_path / "upload", tmp_path / "download"
    write_body(source, SIZE)
    async with (
        namespace() as network,
        turn_server(network, tmp_path),
        Program.running(*network.command(sys.executable, "-m", "support.http", ADDRESS)) as web,
        MayflyProcess.running("relay", *by_turn(at_relay), *ALLOWED, within=network.command()) as relay,
    ):
        await web.until(lambda: bool(web.lines), "its port")
        origin = Origin(ADDRESS, int(web.lines[0]))
        offer = await relay.code("offer")
        argv = ("client", offer, *by_turn(at_client), "--socks", "127.0.0.1:0")
        async with MayflyProcess.running(*argv, within=network.command()) as client:
            await introduce(relay, client, offer)
            paths = [(await end.event("connected"))["path"]["local"] for end in (relay, client)]
            proxy = ("--socks5-hostname", (await client.event("listening"))["address"])
            _, answer = await asyncio.gather(
                run(*network.command(*CURL, *proxy, "-o", str(target), origin.url(f"/bytes/{SIZE}"))),
                run(*network.command(*CURL, *proxy, "-T", str(source), origin.url("/upload"))),
            )
    assert paths == ["relay", "host" if at_client is None else "relay"]
    assert file_sha256(target) == body_sha256(SIZE)
    assert uploaded(answer.text) == (body_sha256(SIZE), SIZE)
