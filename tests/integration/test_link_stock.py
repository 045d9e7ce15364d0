"""A stock aiortc peer connection at the far end, through hand-made SDP: it offers, or it answers."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription

from mayfly.signaling.description import Candidate, CandidateType, Description, Kind, Setup
from mayfly.transport.aiortc.engine import AiortcEngine
from support.links import LOOPBACK, End

ENGINE = AiortcEngine()


def to_sdp(description: Description) -> RTCSessionDescription:
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        f"a=ice-ufrag:{description.ufrag}",
        f"a=ice-pwd:{description.password}",
        f"a=fingerprint:sha-256 {description.fingerprint.hex(':').upper()}",
        f"a=setup:{description.setup.value}",
        "a=sctp-port:5000",
        "a=max-message-size:262144",
        *(f"a=candidate:1 1 udp 1 {c.address} {c.port} typ {c.type.value}" for c in description.candidates),
        "",
    ]
    return RTCSessionDescription("\r\n".join(lines), description.kind.value)


def from_sdp(sdp: RTCSessionDescription) -> Description:
    media = SessionDescription.parse(sdp.sdp).media[0]
    assert media.ice is not None and media.ice.usernameFragment and media.ice.password and media.dtls
    fingerprint = next(f.value for f in media.dtls.fingerprints if f.algorithm == "sha-256")
    return Description(
        kind=Kind(sdp.type),
        setup={"auto": Setup.ACTPASS, "client": Setup.ACTIVE, "server": Setup.PASSIVE}[media.dtls.role],
        fingerprint=bytes.fromhex(fingerprint.replace(":", "")),
        ufrag=media.ice.usernameFragment,
        password=media.ice.password,
        candidates=tuple(Candidate(CandidateType(c.type), ip_address(c.ip), c.port) for c in media.ice_candidates),
    )


@pytest.mark.parametrize("stock_offers", [True, False])
async def test_messages_to_and_from_a_stock_connection(stock_offers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    stock = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    channel: RTCDataChannel = stock.createDataChannel("mayfly", negotiated=True, id=0, ordered=False)
    is_open, heard = asyncio.Event(), list[bytes]()
    got = asyncio.Event()
    channel.on("open", is_open.set)

    def on_message(message: bytes) -> None:
        heard.append(message)
        got.set()

    channel.on("message", on_message)
    if stock_offers:
        await stock.setLocalDescription(await stock.createOffer())
        answer = await ENGINE.answer(LOOPBACK, from_sdp(stock.localDescription))
        await stock.setRemoteDescription(to_sdp(answer.description))
        end = End(await answer.connected())
    else:
        offer = await ENGINE.offer(LOOPBACK)
        await stock.setRemoteDescription(to_sdp(offer.description))
        await stock.setLocalDescription(await stock.createAnswer())
        end = End(await offer.accept(from_sdp(stock.localDescription)))
    async with asyncio.timeout(10):
        await is_open.wait()
    channel.send(bytes(100_000))
    end.link.send(bytes(200_000))
    await end.until(messages=1)
    async with asyncio.timeout(10):
        await got.wait()
    assert (end.messages, heard) == ([bytes(100_000)], [bytes(200_000)])
    await stock.close()
    await end.until(lost=1, within=2.0)
    await end.link.close()
