"""How a running program is told to leave: politely first, at once the second time."""

from __future__ import annotations

import asyncio
import os
import signal

from mayfly.errors import ExitCode

_COUNTED = (signal.SIGINT, signal.SIGTERM)
SIGNALS = (*_COUNTED, signal.SIGHUP)
"""Those that `install` takes over. Who runs the loop gives them back."""


class Shutdown:
    """Two flags that a program watches, and the signals that set them.

    The first of SIGINT, SIGTERM or SIGHUP sets `drain`. A SIGINT or SIGTERM while draining sets `stop` too, whoever
    began the drain. After that, one more ends a program that does not stop, by KeyboardInterrupt. SIGHUP never stops:
    a terminal that closes sends it together with others, to one intention.

    They are counted on when the program has finished and its loop is being closed: the first comes too late to matter,
    and the second ends the process where it stands, for nothing is left that could be saved.
    """

    def __init__(self) -> None:
        self.drain = asyncio.Event()
        self.stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._finished = False

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take over the three signals on a loop that runs in the main thread, once."""
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signalled, number)
        self._loop = loop

    def finish(self) -> None:
        """The program has finished, and nobody watches the flags any more."""
        self._finished = True
        self._let_go()

    def _let_go(self) -> None:
        """Take the signals from the loop, where it has them, and have them counted without it."""
        if self._loop is not None and not self._loop.is_closed():
            # Held back meanwhile: a loop gives signals back to Python's defaults.
            held = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            for number in SIGNALS:
                self._loop.remove_signal_handler(number)
                signal.signal(number, self._signalled_late)
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        self._loop = None

    def request_drain(self) -> None:
        """Ask for a polite end, for a reason other than a signal: time is up, or standard output is gone."""
        self.drain.set()

    def request_stop(self) -> None:
        """Ask for an end at once; a drain is implied, so that whoever waits for either wakes."""
        self.drain.set()
        self.stop.set()

    def _signalled(self, number: int) -> None:
        if number in _COUNTED and self.drain.is_set():
            self.request_stop()
            self._let_go()
        else:
            self.request_drain()

    def _signalled_late(self, number: int, _frame: object) -> None:
        if number not in _COUNTED or not self.drain.is_set():
            self.request_drain()
        elif self._finished:
            os._exit(ExitCode.INTERRUPTED)
        else:
            raise KeyboardInterrupt
