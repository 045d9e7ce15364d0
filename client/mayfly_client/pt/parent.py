"""Notices when tor is gone: standard input closes, or our parent is another process than it was."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading

POLL = 2.0
"""Seconds between two looks at our parent's number."""


async def parent_gone(stdin: int | None) -> None:
    """Wait until the parent has ended, or has closed `stdin` where that is given. May be cancelled."""
    closed = asyncio.Event()
    if stdin is not None:
        loop = asyncio.get_running_loop()
        # A daemon, because nothing can end a read. Nothing on standard input means anything to us.
        threading.Thread(target=_read_to_end, args=(stdin, loop, closed), name="standard input", daemon=True).start()
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            async with asyncio.timeout(POLL):
                await closed.wait()
            return
        except TimeoutError:
            continue


def _read_to_end(descriptor: int, loop: asyncio.AbstractEventLoop, closed: asyncio.Event) -> None:
    with contextlib.suppress(OSError):  # which is as good as closed
        while os.read(descriptor, 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop has closed
        loop.call_soon_threadsafe(closed.set)
