"""Single keys from a terminal, while a program that shows its progress runs there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import termios
import threading
import tty
from collections.abc import Callable
from types import TracebackType
from typing import Any


class Keys:
    """A context in which each key pressed is handed to `pressed`, on the event loop; Ctrl-C stays a signal.

    Does nothing where the descriptor is no terminal, or one that belongs to another job. Keys are read by a thread,
    for the reason given in `mayfly_cli.pasting`.
    """

    def __init__(self, fd: int, pressed: Callable[[str], None]) -> None:
        self._fd = fd
        self._pressed = pressed
        self._before: list[Any] = []
        self._wake: tuple[int, int] = (-1, -1)
        self._thread: threading.Thread | None = None

    @property
    def active(self) -> bool:
        """Whether keys are read."""
        return self._thread is not None

    def __enter__(self) -> Keys:
        if not ours(self._fd):
            return self
        self._before = termios.tcgetattr(self._fd)
        tty.setcbreak(self._fd, termios.TCSANOW)
        self._wake = os.pipe()
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._read, args=(loop,), name="keys", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._thread is None:
            return
        os.write(self._wake[1], b"x")
        self._thread.join()
        self._thread = None
        for end in self._wake:
            os.close(end)
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(self._fd, termios.TCSANOW, self._before)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._wake[0], select.POLLIN)
        while not any(fd == self._wake[0] for fd, _ in poll.poll()):
            try:
                data = os.read(self._fd, 64)
            except BlockingIOError:
                continue
            except OSError:
                return
            if not data:
                return
            for key in data.decode("utf-8", "replace"):
                loop.call_soon_threadsafe(self._pressed, key)


def ours(fd: int) -> bool:
    """Whether a descriptor is a terminal that this process may read from now."""
    try:
        return os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False
