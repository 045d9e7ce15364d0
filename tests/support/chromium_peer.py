"""A link to a page in Chromium, both in this network: the page echoes what our engine sends. Prints `ok`.

    python -m support.chromium_peer {offer|answer} ADDRESS PROFILE_FOLDER ENGINE [DTLS_ROLE HELLOS]

The first word is what our side does. Each description crosses as what a person would carry: our own as a code. With
HELLOS, a file, both DTLS hellos are caught on the loopback interface, which is what joins two ends of one computer, and
written there, normalised.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome

from mayfly.signaling import codes, sdp
from mayfly.signaling.description import Description, Kind
from mayfly.transport.base import DtlsRole, Engine, Link, LinkSettings
from mayfly.transport.engines import make_engine
from support import dtls
from support.browser import browser

MESSAGE = 16 * 1024
MESSAGES = 512
TIMEOUT = 60.0

START = """
window.pc = new RTCPeerConnection();
window.channel = pc.createDataChannel("", {negotiated: true, id: 0, ordered: false});
channel.binaryType = "arraybuffer";
channel.onmessage = event => channel.send(event.data);
const done = arguments[arguments.length - 1];
const gathered = () => new Promise(resolve => {
  pc.addEventListener("icecandidate", event => event.candidate || resolve());
  setTimeout(resolve, 3000);
});
"""
ANSWER = f"""{START}
(async () => {{
  await pc.setRemoteDescription({{type: "offer", sdp: arguments[0]}});
  const end = gathered();
  await pc.setLocalDescription();
  await end;
  done(pc.localDescription.sdp);
}})();
"""
OFFER = f"""{START}
(async () => {{
  const end = gathered();
  await pc.setLocalDescription();
  await end;
  done(pc.localDescription.sdp);
}})();
"""
ACCEPT = """
const done = arguments[arguments.length - 1];
pc.setRemoteDescription({type: "answer", sdp: arguments[0]}).then(() => done(""), error => done(String(error)));
"""


async def script(page: Chrome, text: str, *arguments: str) -> str:
    """Run asynchronous JavaScript in the page and give what it calls back with."""
    found: Any = await asyncio.to_thread(page.execute_async_script, text, *arguments)
    return str(found)


def carried(description: Description, offer: codes.Code | None = None) -> tuple[codes.Code, str]:
    """A description of ours as the far end has it after it travelled as a code: that code, and SDP."""
    code = codes.Code(description, int(time.time()) + 600, offer.digest if offer else b"")
    read = codes.parse(code.text, wanted=description.kind, now=time.time(), offers=[offer] if offer else [])
    return code, sdp.to_sdp(read.description)


async def we_offer(page: Chrome, engine: Engine, settings: LinkSettings) -> Link:
    """Our engine offers, the page answers."""
    pending = await engine.offer(settings)
    _, offered = carried(pending.description)
    answered = await script(page, ANSWER, offered)
    return await pending.accept(sdp.from_sdp(answered, Kind.ANSWER))


async def we_answer(page: Chrome, engine: Engine, settings: LinkSettings) -> Link:
    """The page offers, our engine answers."""
    offered = sdp.from_sdp(await script(page, OFFER), Kind.OFFER)
    offer, _ = carried(offered)
    pending = await engine.answer(settings, offered)
    _, answered = carried(pending.description, offer)
    if problem := await script(page, ACCEPT, answered):
        raise RuntimeError(problem)
    return await pending.connected()


async def echoed(link: Link) -> None:
    """Send numbered messages and wait for each to come back, whatever their order."""
    missing = {number.to_bytes(8, "big") + bytes(MESSAGE - 8) for number in range(MESSAGES)}
    everything = sorted(missing)
    done, writable = asyncio.Event(), asyncio.Event()

    def receive(message: bytes) -> None:
        missing.remove(message)  # a KeyError here is a message that is damaged or doubled
        if not missing:
            done.set()

    def lost(reason: str) -> None:
        raise RuntimeError(reason)

    link.start(receive, writable.set, lost)
    for message in everything:
        link.send(message)
        if link.buffered_amount > link.high_water:
            writable.clear()
            await writable.wait()
    await done.wait()


def hellos(datagrams: list[bytes]) -> dict[str, Any]:
    """Both hellos among what passed, normalised."""
    client = dtls.handshake_message(datagrams, dtls.CLIENT_HELLO)
    server = dtls.handshake_message(datagrams, dtls.SERVER_HELLO)
    if client is None or server is None:
        raise RuntimeError("no whole hello was caught")
    return {"client": dtls.client_hello(client).to_json(), "server": dtls.server_hello(server).to_json()}


async def main(ours: str, address: str, profile: Path, engine: str, role: DtlsRole, caught: Path | None) -> None:
    """One link, one way round."""
    settings = LinkSettings(bind=() if engine == "wrtc" else (ip_address(address),), dtls_role=role)
    async with asyncio.timeout(TIMEOUT), browser(profile) as page:
        tap = dtls.Tap("lo") if caught is not None else None
        link = await (we_offer if ours == "offer" else we_answer)(page, make_engine(engine), settings)
        if tap is not None and caught is not None:
            caught.write_text(json.dumps(hellos([data for _, data in tap.datagrams()]), indent=1))
        try:
            await echoed(link)
        finally:
            await link.close()
    print("ok")


if __name__ == "__main__":
    asked = DtlsRole(sys.argv[5]) if len(sys.argv) > 5 else DtlsRole.AUTO
    kept = Path(sys.argv[6]) if len(sys.argv) > 6 else None
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], asked, kept))
