"""A real tor whose bridge is reached through `mayfly pt`, and the people around it: the codes go by file."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from support.mayfly import LOOPBACK, MayflyProcess, command
from support.pages import argv_of, blocks, the_block
from support.programs import Program, poll, program, run
from support.tor_network import Node, TorNetwork

PLACEHOLDER = "192.0.2.1:1"


@dataclass(frozen=True, slots=True)
class TransportClient:
    """A tor that uses the transport."""

    node: Node

    @property
    def log(self) -> Program:
        """tor, with its log on standard output."""
        return self.node.log

    @property
    def state(self) -> Path:
        """Where `mayfly pt` keeps its files."""
        return self.node.folder / "pt_state"

    def transport(self) -> psutil.Process:
        """The process of `mayfly pt`."""
        (child,) = psutil.Process(self.log.pid).children()
        return child

    def answers(self) -> list[str]:
        """The answers so far."""
        path = self.state / "answers.txt"
        return path.read_text().split() if path.exists() else []

    async def meet(self, relay: MayflyProcess) -> None:
        """What two people do: the relay's code into the file, the answer back to the relay."""
        before = len(self.answers())
        await self._type("echo mf1… >> ~/.tor/pt_state/codes.txt", await relay.code("offer"))
        await poll(lambda: len(self.answers()) > before, "an answer of mayfly pt's", 30)
        await relay.send_code(await self._type("tail -n 1 ~/.tor/pt_state/answers.txt"))
        await relay.event("connected")

    async def _type(self, shown: str, code: str = "") -> str:
        """Type what README shows, where tor's data is the user's ~/.tor."""
        assert any(shown in block.commands for block in blocks("README.md"))
        home = self.node.folder / "home"
        home.mkdir(exist_ok=True)
        if not (home / ".tor").exists():
            (home / ".tor").symlink_to(self.node.folder)
        typed = await run(program("sh"), "-c", shown.replace("mf1…", code), env={"HOME": str(home)})
        return typed.text.strip()


@contextlib.asynccontextmanager
async def transport_client(
    network: TorNetwork, *bridges: str, extra: tuple[str, ...] = ()
) -> AsyncIterator[TransportClient]:
    """A tor with these `Bridge mayfly …` lines, not waited for."""
    _socks_port, use_bridges, plugin, shown = the_block("README.md", "torrc").splitlines()
    assert PLACEHOLDER in shown
    ours = plugin.replace("/home/you/mayfly/bin/mayfly", " ".join(command()))
    assert ours != plugin
    options = " ".join(LOOPBACK)
    async with network.client(use_bridges, f"{ours} {options}", *bridges, *extra, wait=False) as node:
        yield TransportClient(node)


def upstream(bridge: Node, *more: str) -> tuple[str, ...]:
    """The options of a relay in front of that bridge."""
    argv = argv_of("README.md", "mayfly relay --upstream bridge://127.0.0.1:9001 --for 12h")
    here = [word.replace("127.0.0.1:9001", f"{bridge.address}:{bridge.or_port}") for word in argv]
    return (*here, *LOOPBACK, *more)


def fingerprint(bridge: Node) -> str:
    """Of a bridge."""
    found = re.search(r"[0-9A-F]{40}", bridge.bridge_line)
    assert found is not None
    return found[0]


def bridge_line(bridge: Node, arguments: str, address: str = PLACEHOLDER) -> str:
    """The line of a client's torrc that leads to the bridge through relays."""
    return f"Bridge mayfly {address} {fingerprint(bridge)} {arguments}"
