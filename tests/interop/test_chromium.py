"""Chromium as the far end of a link: it reads SDP rebuilt from our codes, and we read its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.links import ours_to_theirs
from support.namespaces import ADDRESS, namespace
from support.programs import run


@pytest.mark.needs("root", "ip", "chromium", "chromedriver")
@ours_to_theirs(stock="offer")
async def test_eight_mebibytes_echoed_by_a_page(engine: str, ours: str, tmp_path: Path) -> None:
    # In a namespace with one interface: on loopback alone Chromium's gathering hangs.
    async with namespace() as network:
        argv = network.command(sys.executable, "-m", "support.chromium_peer", ours, ADDRESS, str(tmp_path), engine)
        done = await run(*argv, timeout=90)
    assert done.text == "ok\n"
