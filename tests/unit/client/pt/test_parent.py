"""How the end of tor is noticed."""

from __future__ import annotations

import asyncio
import os

import pytest

from mayfly_client.pt import parent
from mayfly_client.pt.parent import parent_gone


async def test_a_closed_standard_input_is_the_end() -> None:
    ours, theirs = os.pipe()
    try:
        waiting = asyncio.get_running_loop().create_task(parent_gone(ours))
        os.write(theirs, b"whatever tor says means nothing\n")
        await asyncio.sleep(0)
        assert not waiting.done()
        os.close(theirs)
        await waiting
    finally:
        os.close(ours)


async def test_a_standard_input_that_never_was_open_is_the_end_too() -> None:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    await parent_gone(descriptor)


async def test_another_parent_is_the_end_even_if_standard_input_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = iter((4711, 4711, 1))
    monkeypatch.setattr(parent, "POLL", 0.001)
    monkeypatch.setattr(os, "getppid", lambda: next(numbers))
    await parent_gone(None)
