"""libdatachannel, by npm's node-datachannel, as the far end of a link: every byte compared, both ways round."""

from __future__ import annotations

import sys

import pytest

from bench.subjects.channels import channel
from support.links import ours_to_theirs
from support.node import node_peer
from support.own_network import own_network

SIZE = 8 * 1024 * 1024


@pytest.mark.needs("root", "ip", "node", "npm")
@ours_to_theirs(stock="answer")
async def test_eight_mebibytes_each_way(engine: str, ours: str, monkeypatch: pytest.MonkeyPatch) -> None:
    node = await node_peer("127.0.0.1")  # npm may have to install it, from where there is a network
    monkeypatch.setenv("WRTC_ALLOW_LOOPBACK", "1")
    address = "-" if engine == "wrtc" else "127.0.0.1"
    link = (sys.executable, "-m", "bench.peers.link", address, "uvloop", engine)
    relay, client = (link, node) if ours == "offer" else (node, link)
    with own_network():
        async with channel(engine, relay, client) as (subject, _):
            await subject.download(SIZE)
            await subject.upload(SIZE)
            assert 0 < await subject.first_byte() < 1
