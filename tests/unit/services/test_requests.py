"""The requests that commands make, as far as whole programs do not show them (see test_hub.py, test_transfers.py)."""

from __future__ import annotations

import asyncio
import os

import pytest

from mayfly.errors import ControlError
from mayfly.runtime.control import ControlConnection, Request
from mayfly.runtime.shutdown import Shutdown
from mayfly.services.hub import Hub
from mayfly.services.options import HubOptions
from mayfly.services.requests import Requests
from support.programs_in_memory import Script


class Connection(ControlConnection):
    def __init__(self) -> None:
        self.topics: set[str] = set()


async def ask(what: str, *descriptors: int, **members: object) -> dict[str, object]:
    """One request to a client's hub without peers."""
    async with Hub("client", Script(), Shutdown(), HubOptions(control=False)) as hub:
        request = Request({"request": what, **members}, list(descriptors))
        return await Requests(hub).serve(Connection(), request)


async def test_every_documented_request_is_served() -> None:
    async with Hub("client", Script(), Shutdown(), HubOptions(control=False)) as hub:
        served = set(Requests(hub)._answers)
    documented = {
        "status", "stop", "newnym", "watch", "chat", "say", "who", "send", "receive",
        "accept", "decline", "pause", "resume", "cancel",
    }  # fmt: skip
    assert served == documented


async def test_a_lonely_client_says_so() -> None:
    assert await ask("who") == {"name": "client", "who": []}
    assert await ask("receive") == {"offers": []}
    with pytest.raises(ControlError, match="Nobody is connected"):
        await ask("send", text="x")


async def test_only_a_relay_with_tor_renews() -> None:
    with pytest.raises(ControlError, match="uses no tor"):
        await ask("newnym")


@pytest.mark.parametrize("what", ["accept", "decline", "pause", "resume", "cancel"])
async def test_transfers_that_are_not_there(what: str) -> None:
    with pytest.raises(ControlError, match=r"no such transfer|does not wait"):
        await ask(what, transfer="00", into="/x")
    with pytest.raises(ControlError, match="lacks"):
        await ask(what, into="/x")


async def test_one_output_cannot_take_everything() -> None:
    with pytest.raises(ControlError, match="One output"):
        await ask("receive", os.dup(0), yes=True)


async def test_paths_are_absolute() -> None:
    for path in ("x", "", "../x", "/x\0y"):
        with pytest.raises(ControlError, match="absolute"):
            await ask("accept", transfer="00", into=path)
    await asyncio.sleep(0)
