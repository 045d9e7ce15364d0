"""Bulk through the upstream `tor` beside the SocksPort of the very same tor, in a private network on this machine."""

from __future__ import annotations

import contextlib

from bench.family import MB, Bar, Family, Row, Run, in_turns, missing, ratio
from bench.subjects.proxies import ProxySubject
from support.http import origin
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, connected_client
from support.tor_network import PROGRAMS, tor_network

NAME = "tor"
THROUGH = "tunnel, upstream tor"
ITSELF = "tor's SocksPort"


async def measure(run: Run) -> None:
    """Both ways lead through one tor, one exit and one origin, and take turns."""
    if absent := missing(*PROGRAMS):
        run.note(f"left out: {', '.join(absent)} is not installed")
        return
    run.progress("starting a private Tor network")
    with tor_network() as network:
        async with contextlib.AsyncExitStack() as stack:
            web = await stack.enter_async_context(origin())
            tor = await stack.enter_async_context(network.client())
            argv = ("relay", *LOOPBACK, *OPEN_LOOPBACK, "--upstream", "tor", "--tor-control", str(tor.control))
            relay = await stack.enter_async_context(MayflyProcess.running(*argv))
            pair = await stack.enter_async_context(connected_client(relay))
            subjects = [
                ProxySubject(THROUGH, (pair.host, pair.port), web, run.folder, list),
                ProxySubject(ITSELF, (tor.address, tor.socks_port), web, run.folder, list),
            ]
            size = run.scaled(50, 20) * MB
            for number, order in in_turns(subjects, run.rounds):
                run.progress(f"round {number} of {run.rounds}")
                for subject in order:
                    run.add(subject.name, "down", size / MB / await subject.download(size))
                    run.add(subject.name, "up", size / MB / await subject.upload(size))
                    run.add(subject.name, "first_byte", await subject.first_byte() * 1000)


FAMILY = Family(
    NAME,
    "through Tor",
    measure,
    rows=(
        Row("down", "download", "MB/s"),
        Row("up", "upload", "MB/s"),
        Row("first_byte", "first byte, warm, new stream", "ms"),
    ),
    bars=(
        Bar("download: upstream tor / the same tor's SocksPort", ratio(NAME, "down", THROUGH, ITSELF), 0.7),
        Bar("upload: upstream tor / the same tor's SocksPort", ratio(NAME, "up", THROUGH, ITSELF), 0.7),
    ),
)
