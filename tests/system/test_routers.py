"""Links between homes behind routers, on both engines and on pairs of two: meeting, and mappings that move.

All pairs of a test run at once in one small Internet (`support.routers`), because nearly all of the time is waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.bodies import body_sha256, file_sha256
from support.mayfly import Event, MayflyProcess
from support.programs import Program, poll, program, run
from support.routers import STUN, TURN, WEB, Nat, Routers, routers

pytestmark = [pytest.mark.needs("root", "ip", "nft", "curl", "wrtc"), pytest.mark.timeout(150)]

LINK_LOST = 5
NOTICED_WITHIN = 15.0
SIZE = 1_000_000
ASK_STUN = [word for address in STUN for word in ("--stun", f"{address}:3478")]
PAIRS = (("wrtc", "wrtc"), ("aiortc", "wrtc"), ("wrtc", "aiortc"), ("aiortc", "aiortc"))
"""Engines of the relay and of the client."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A relay at the volunteer's and a client at the friend's."""

    net: Routers
    relay: MayflyProcess
    client: MayflyProcess
    connected: tuple[Event, Event]
    proxy: str

    def curl(self, *more: str | Path) -> list[str]:
        """The argv that fetches through the client."""
        argv = ("curl", "-sS", "--fail", "--max-time", "60", "--socks5-hostname", self.proxy)
        return self.net.at("friend", *argv, *map(str, more))

    async def fetches(self, port: int, target: Path) -> None:
        """A body comes whole."""
        await run(*self.curl("-o", target, f"http://{WEB}:{port}/bytes/{SIZE}"))
        assert file_sha256(target) == body_sha256(SIZE)


@contextlib.asynccontextmanager
async def ends(
    net: Routers, engines: tuple[str, str], *more: str, client_offers: bool = False, carried: float = 0.0
) -> AsyncIterator[Pair]:
    """A relay and a client that are connected. Who carries the answer takes `carried` seconds."""
    relay_words, client_words = (["--engine", engine, *ASK_STUN, *more] for engine in engines)
    relay_line = ("relay", *(["-"] if client_offers else []), *relay_words)
    client_line = ("client", *([] if client_offers else ["-"]), *client_words, "--socks", "127.0.0.1:0")
    async with (
        MayflyProcess.running(*relay_line, within=net.at("volunteer")) as relay,
        MayflyProcess.running(*client_line, within=net.at("friend")) as client,
    ):
        offerer, answerer = (client, relay) if client_offers else (relay, client)
        await answerer.send_code(await offerer.code("offer"))
        answer = await answerer.code("answer")
        await asyncio.sleep(carried)  # a person who copies
        await offerer.send_code(answer)
        connected = (await relay.event("connected"), await client.event("connected"))
        yield Pair(net, relay, client, connected, (await client.event("listening"))["address"])


async def at_once(
    stack: contextlib.AsyncExitStack, pairs: Iterable[contextlib.AbstractAsyncContextManager[Pair]]
) -> list[Pair]:
    """All pairs, each made while the others are."""
    return list(await asyncio.gather(*map(stack.enter_async_context, pairs)))


def types(pair: Pair) -> set[tuple[str, str]]:
    """How each end describes its path."""
    return {(event["path"]["local"], event["path"]["remote"]) for event in pair.connected}


LOOKS_OFTEN = """\
import sys
from mayfly_cli.main import main
from mayfly_relay import whereabouts

whereabouts.INTERVAL = 0.2
sys.argv[1:] = sys.argv[sys.argv.index("relay"):]
main()
"""
"""Put before the command of a relay, makes it look for its public address all the time, and not once a minute."""


@dataclass(frozen=True, slots=True)
class Moving:
    """A relay at the friend's, whose router moves, and a client at the volunteer's. The one seat is taken, so that no
    offer waits which would tell the relay its address.
    """

    net: Routers
    relay: MayflyProcess
    proxy: str

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, net: Routers) -> AsyncIterator[Moving]:
        """While the block lasts, connected."""
        looking = net.at("friend", sys.executable, "-c", LOOKS_OFTEN)
        lending = ("relay", "--engine", "aiortc", *ASK_STUN, "--max-clients", "1")
        borrowing = ("client", "-", "--engine", "aiortc", *ASK_STUN, "--socks", "127.0.0.1:0")
        async with (
            MayflyProcess.running(*lending, within=looking) as relay,
            MayflyProcess.running(*borrowing, within=net.at("volunteer")) as client,
        ):
            await client.send_code(await relay.code())
            await relay.send_code(await client.code("answer"))
            yield cls(net, relay, (await client.event("listening"))["address"])

    async def refuses(self, address: str) -> bool:
        """Whether the relay's policy keeps its client from that address, where nothing listens."""
        argv = ("curl", "-sS", "--max-time", "60", "--socks5-hostname", self.proxy, f"http://{address}:81/")
        said = (await run(*self.net.at("volunteer", *argv), check=False)).stderr
        assert "Can't complete SOCKS5" in said
        return said.rstrip().endswith("(2)")

    async def comes_to_refuse(self, address: str) -> None:
        """Wait until it does, and serves what it served before."""
        async with asyncio.timeout(30):
            while not await self.refuses(address):
                await asyncio.sleep(0.1)
        assert not await self.refuses(WEB)
        assert self.relay.named("closed") == []


async def is_told(pair: Pair) -> None:
    """Both ends say that the link is lost; the client leaves with that status."""
    for end in (pair.relay, pair.client):
        closed = await end.event("closed", timeout=NOTICED_WITHIN + 3)
        assert closed["reason"] in ("the other side has stopped answering", "the path to the other side is gone")
    await pair.client.ends(LINK_LOST)
    error = pair.client.named("error")[-1]
    assert error["stage"] == "link" and "code" in error["hint"]


async def test_homes_behind_routers_meet_and_are_told_when_one_has_moved(tmp_path: Path) -> None:
    """Neither router lets in a stranger. So a slow answer needs holes that are kept open, and who has moved stays out:
    each end is told within the time that silence may take, and offers that wait at the moved router say so if they can.
    """
    async with (
        routers(Nat.CONE, Nat.CONE, mapping_lasts=15) as net,
        net.services() as port,
        MayflyProcess.running("relay", "--engine", "aiortc", *ASK_STUN, within=net.at("friend")) as waiting,
        MayflyProcess.running("relay", "--engine", "wrtc", *ASK_STUN, within=net.at("friend")) as unaware,
        contextlib.AsyncExitStack() as stack,
    ):
        pairs = await at_once(stack, (ends(net, engines, carried=17.0) for engines in PAIRS))
        assert [types(pair) for pair in pairs] == [{("srflx", "srflx")}] * len(pairs)
        await asyncio.gather(*(pair.fetches(port, tmp_path / str(number)) for number, pair in enumerate(pairs)))
        first = await waiting.code(), await unaware.code()
        await net.friend.move(address=False)
        await asyncio.gather(*map(is_told, pairs))
        assert await waiting.code() != first[0]
        assert len(unaware.named("code")) == 1  # as client/README.md says


async def test_an_open_link_lives_on_when_a_router_makes_other_mappings(tmp_path: Path) -> None:
    """Where the far end's router lets anybody in. A download goes on that began before, whichever end has offered.

    And a relay whose router this is comes to refuse the public address that it has now, as it refused the other.
    """
    async with (
        routers(Nat.OPEN, Nat.CONE) as net,
        net.services() as port,
        Moving.running(net) as moving,
        contextlib.AsyncExitStack() as stack,
    ):
        pairs = await at_once(
            stack,
            [
                *(ends(net, engines) for engines in PAIRS[:3]),
                *(ends(net, (engine, engine), client_offers=True) for engine in ("wrtc", "aiortc")),
            ],
        )

        async def fetches_across(number: int, pair: Pair, moved: asyncio.Event, underway: asyncio.Semaphore) -> None:
            target = tmp_path / str(number)
            fetching = Program.running(*pair.curl("-N", "-o", target, f"http://{WEB}:{port}/gated/{number}/{SIZE}"))
            async with fetching as curl:
                await poll(lambda: target.exists() and target.stat().st_size >= SIZE // 2, "half of the body")
                underway.release()
                await moved.wait()
                await run(*net.at("world", "curl", "-sS", "-X", "POST", f"http://{WEB}:{port}/open/{number}"))
                assert await curl.wait() == 0
            assert file_sha256(target) == body_sha256(SIZE)

        moved, underway = asyncio.Event(), asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as group:
            for number, pair in enumerate(pairs):
                group.create_task(fetches_across(number, pair, moved, underway))
            for _ in pairs:
                await underway.acquire()
            assert await moving.refuses("6.0.0.2")
            assert not await moving.refuses(WEB)
            await net.friend.move(address=True)
            moved.set()
            await moving.comes_to_refuse("6.0.0.3")
        assert [end.named("closed") for pair in pairs for end in (pair.relay, pair.client)] == [[]] * 2 * len(pairs)


@pytest.mark.needs("turnserver")
async def test_routers_that_map_by_destination_are_crossed_by_a_turn_server(tmp_path: Path) -> None:
    """With mixed pairs; `tests/integration/test_link_turn.py` has links of all of them."""
    argv = (
        *(program("turnserver"), "-n", f"--listening-ip={TURN}", f"--relay-ip={TURN}", "--listening-port=3478"),
        *("--no-cli", "--no-tls", "--no-dtls", "--lt-cred-mech", "--realm=mayfly.test", "--user=somebody:word"),
        *("--log-file=stdout", "--simple-log", f"--pidfile={tmp_path / 'pid'}", f"--userdb={tmp_path / 'users'}"),
    )
    async with (
        routers(Nat.SYMMETRIC, Nat.SYMMETRIC) as net,
        net.services() as port,
        Program.running(*net.at("world", *argv)) as server,
        contextlib.AsyncExitStack() as stack,
    ):
        await server.wait_for_line("Total General servers")
        by_turn = ("--turn", f"turn:somebody:word@{TURN}:3478?transport=udp")
        pairs = await at_once(stack, (ends(net, engines, *by_turn) for engines in PAIRS[1:3]))
        assert all("relay" in {end for path in types(pair) for end in path} for pair in pairs)
        await asyncio.gather(*(pair.fetches(port, tmp_path / f"body{number}") for number, pair in enumerate(pairs)))
