"""A relay and a client over the memory engine, and the commands that attach to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mayfly.runtime.control_client import ControlClient
from mayfly.services.options import HubOptions
from support.programs_in_memory import Running, Stage, relay_options


@dataclass
class Tunnel:
    """A relay and a client that are connected, and where their control sockets stand."""

    stage: Stage
    relay: Running
    client: Running
    directory: Path

    async def at_relay(self) -> ControlClient:
        return await ControlClient.attach("relay", self.directory)

    async def at_client(self, name: str = "client") -> ControlClient:
        return await ControlClient.attach(name, self.directory)


@asynccontextmanager
async def tunnel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **relay: Any) -> AsyncIterator[Tunnel]:
    hub = HubOptions(directory=tmp_path / "mayfly")
    async with Stage(monkeypatch) as stage:
        running = stage.relay(relay_options(**({"hub": hub} | relay)))
        client = await stage.tunnel(running, hub=hub)
        yield Tunnel(stage, running, client, tmp_path / "mayfly")


async def until(client: ControlClient, name: str, **members: object) -> dict[str, Any]:
    """The next event of that name with these members."""
    async with asyncio.timeout(20):
        while (event := await client.event()) is not None:
            if event["event"] == name and all(event[key] == value for key, value in members.items()):
                return event
    raise AssertionError(f"no {name} came")


async def offers(client: ControlClient) -> list[dict[str, Any]]:
    """What waits for somebody to take it, as soon as something does."""
    while not (found := (await client.request("receive"))["offers"]):
        await asyncio.sleep(0.01)
    return list(found)
