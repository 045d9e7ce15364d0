"""The whole tunnel on the native engine, and between both engines, on a network that has nothing but loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bodies import body_sha256, file_sha256, write_body
from support.http import origin, uploaded
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, introduce, split_address
from support.own_network import own_network
from support.programs import run

pytestmark = pytest.mark.needs("root", "ip", "curl", "wrtc")

SIZE = 20_000_000
ENGINE = {"wrtc": ("--engine", "wrtc"), "auto": ("--engine", "auto"), "aiortc": LOOPBACK}
BIND = ("--bind", "127.0.0.1")


@pytest.fixture(autouse=True)
def loopback_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What this test starts lives there too."""
    monkeypatch.setenv("WRTC_ALLOW_LOOPBACK", "1")
    with own_network():
        yield


@pytest.mark.parametrize(
    ("relay_engine", "client_engine"), [("wrtc", "wrtc"), ("aiortc", "wrtc"), ("wrtc", "aiortc"), ("auto", "auto")]
)
async def test_a_download_and_an_upload(relay_engine: str, client_engine: str, tmp_path: Path) -> None:
    async with (
        origin() as web,
        MayflyProcess.running("relay", *ENGINE[relay_engine], *OPEN_LOOPBACK) as relay,
        MayflyProcess.running("client", "-", *ENGINE[client_engine], "--socks", "127.0.0.1:0") as client,
    ):
        await introduce(relay, client)
        for end in (relay, client):
            connected = await end.event("connected")
            assert connected["path"]["local"] == "host" and connected["rtt_ms"] is not None
            assert end.named("warning") == []
        host, port = split_address((await client.event("listening"))["address"])
        curl = ("curl", "-sSf", "--socks5-hostname", f"{host}:{port}")
        target, source = tmp_path / "down", tmp_path / "up"
        await run(*curl, "-o", target, web.url(f"/bytes/{SIZE}"))
        assert file_sha256(target) == body_sha256(SIZE)
        write_body(source, SIZE)
        assert uploaded((await run(*curl, "-T", source, web.url("/upload"))).text) == (body_sha256(SIZE), SIZE)
        client.interrupt()
        await client.ends(0)
        closed = await relay.event("closed")
        assert closed["peer"] == 1


async def test_an_option_that_the_engine_lacks_is_said() -> None:
    async with MayflyProcess.running("relay", *ENGINE["wrtc"], *BIND) as relay:
        error = await relay.event("error")
        assert "--bind" in error["message"] and "--engine aiortc" in error["hint"]
        await relay.ends(2)
    async with MayflyProcess.running("relay", *ENGINE["auto"], *BIND) as relay:
        assert "--bind" in (await relay.event("warning"))["message"]
        await relay.code()
