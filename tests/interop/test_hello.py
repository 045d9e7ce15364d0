"""What a censor sees of the native engine's handshake is what it sees of Chromium's, but for what is random."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from support.dtls import Hello
from support.namespaces import ADDRESS, namespace
from support.programs import run

STORED = Path(__file__).with_name("chromium_hello.json")
"""Chromium's, normalised, as it was when this was last looked at. Written anew by hand, after looking at why."""

pytestmark = pytest.mark.needs("root", "ip", "chromium", "chromedriver", "wrtc")


async def caught(engine: str, role: str, folder: Path) -> dict[str, Any]:
    """Both hellos of a link between an engine and Chromium, where the engine has that DTLS role."""
    folder.mkdir()
    kept = folder / "hellos.json"
    async with namespace() as network:
        module = ("-m", "support.chromium_peer", "offer", ADDRESS, str(folder / "profile"), engine, role, str(kept))
        await run(*network.command(sys.executable, *module), timeout=90)
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


async def test_the_native_engine_says_hello_as_chromium_does(tmp_path: Path) -> None:
    as_client = await caught("wrtc", "client", tmp_path / "client")
    as_server = await caught("wrtc", "server", tmp_path / "server")
    ours = {"client": Hello.from_json(as_client["client"]), "server": Hello.from_json(as_server["server"])}
    chromium = {"client": Hello.from_json(as_server["client"]), "server": Hello.from_json(as_client["server"])}
    assert ours == chromium
    stored = json.loads(STORED.read_text())
    assert ours == {end: Hello.from_json(stored[end]) for end in ours}, "what is stored has drifted away"


async def test_the_comparison_tells_other_stacks_apart(tmp_path: Path) -> None:
    """aiortc's hello is not Chromium's: a comparison that found them equal would prove nothing."""
    found = await caught("aiortc", "client", tmp_path / "client")
    stored = json.loads(STORED.read_text())
    assert Hello.from_json(found["client"]) != Hello.from_json(stored["client"])
