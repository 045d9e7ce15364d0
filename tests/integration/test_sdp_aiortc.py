"""Two stock aiortc peer connections meet although each description crossed as a code."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable

import pytest
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.signaling.sdp import MAX_MESSAGE_SIZE, from_sdp, to_sdp

NOW = 1_800_000_000


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[], RTCPeerConnection]]:
    """Makes peer connections that gather 127.0.0.1 alone, and closes them."""

    def loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        del use_ipv6
        return ["127.0.0.1"] if use_ipv4 else []

    monkeypatch.setattr("aioice.ice.get_host_addresses", loopback)
    made: list[RTCPeerConnection] = []

    def peer_connection() -> RTCPeerConnection:
        made.append(RTCPeerConnection(RTCConfiguration(iceServers=[])))
        return made[-1]

    yield peer_connection
    await asyncio.gather(*(connection.close() for connection in made))


def channel(connection: RTCPeerConnection) -> tuple[RTCDataChannel, asyncio.Queue[bytes]]:
    made = connection.createDataChannel("mayfly", negotiated=True, id=0, ordered=False)
    received: asyncio.Queue[bytes] = asyncio.Queue()
    made.on("message", received.put_nowait)
    return made, received


async def opened(made: RTCDataChannel) -> None:
    if made.readyState != "open":
        event = asyncio.Event()
        made.on("open", event.set)
        await event.wait()


def code_of(connection: RTCPeerConnection, kind: Kind, offer: bytes = b"") -> str:
    return Code(from_sdp(connection.localDescription.sdp, kind), NOW + 900, offer).text


def session(code: Code) -> RTCSessionDescription:
    return RTCSessionDescription(to_sdp(code.description), code.description.kind.value)


async def connect(
    offerer: RTCPeerConnection, answerer: RTCPeerConnection, setup: str = "active"
) -> tuple[RTCDataChannel, RTCDataChannel, asyncio.Queue[bytes], asyncio.Queue[bytes]]:
    """Carry both descriptions as codes. Gives the two channels, the offerer's first, and what arrives on each."""
    (here, at_offerer), (there, at_answerer) = channel(offerer), channel(answerer)
    await offerer.setLocalDescription(await offerer.createOffer())
    shown = code_of(offerer, Kind.OFFER)
    assert len(shown) < 130
    offer = parse(f"here: {shown.upper()}", wanted=Kind.OFFER, now=NOW)

    await answerer.setRemoteDescription(session(offer))
    answer_sdp = await answerer.createAnswer()
    answer_sdp.sdp = answer_sdp.sdp.replace("a=setup:active", f"a=setup:{setup}")
    await answerer.setLocalDescription(answer_sdp)
    answer = parse(code_of(answerer, Kind.ANSWER, offer.digest), wanted=Kind.ANSWER, now=NOW, offers=[offer])
    assert answer.description.setup.value == setup
    await offerer.setRemoteDescription(session(answer))
    async with asyncio.timeout(20):
        await asyncio.gather(opened(here), opened(there))
    return here, there, at_offerer, at_answerer


@pytest.mark.parametrize("setup", ["active", "passive"])
async def test_connect_through_codes(make: Callable[[], RTCPeerConnection], setup: str) -> None:
    """With the answerer as the DTLS client, as it is by default, and as the server."""
    offerer, answerer = make(), make()
    here, there, at_offerer, at_answerer = await connect(offerer, answerer, setup)
    async with asyncio.timeout(20):
        here.send(b"from the offerer")
        there.send(b"from the answerer")
        assert await at_answerer.get() == b"from the offerer"
        assert await at_offerer.get() == b"from the answerer"
        # What the rebuilt SDP says of message sizes arrived, and such a message crosses.
        for connection in (offerer, answerer):
            assert connection.sctp is not None
            assert connection.sctp._remote_max_message_size == MAX_MESSAGE_SIZE
        here.send(bytes(MAX_MESSAGE_SIZE))
        assert await at_answerer.get() == bytes(MAX_MESSAGE_SIZE)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_rebuilt_sdp_carries_500_megabytes(make: Callable[[], RTCPeerConnection]) -> None:
    """Other projects' compact codes stalled under bulk load. Every message is numbered, hashed, and counted."""
    offerer, answerer = make(), make()
    here, there, at_offerer, at_answerer = await connect(offerer, answerer)
    size, count = 64 * 1024, 250_000_000 // (64 * 1024) + 1

    async def send(made: RTCDataChannel, seed: int) -> None:
        low = asyncio.Event()
        made.bufferedAmountLowThreshold = 512 * 1024
        made.on("bufferedamountlow", low.set)
        for number in range(count):
            body = number.to_bytes(8, "big") + bytes([seed]) + bytes([number & 0xFF]) * (size - 41)
            made.send(hashlib.sha256(body).digest() + body)
            while made.bufferedAmount > 1024 * 1024:
                low.clear()
                await low.wait()

    async def receive(arrived: asyncio.Queue[bytes], seed: int) -> None:
        seen = bytearray(count)
        for _ in range(count):
            message = await arrived.get()
            body = message[32:]
            assert hashlib.sha256(body).digest() == message[:32]
            assert body[8] == seed
            seen[int.from_bytes(body[:8], "big")] += 1
        assert seen == b"\x01" * count

    await asyncio.gather(send(here, 1), send(there, 2), receive(at_answerer, 1), receive(at_offerer, 2))
