"""Ctrl-C where no program runs that could leave politely: while the command starts, and while it ends.

| phase | Ctrl-C, or SIGTERM |
|---|---|
| starting | ends the command at once: it has begun nothing |
| an event loop runs (mayfly_cli.loop) | cancels what runs, until a program counts them (mayfly.runtime.shutdown) |
| ending | once: nothing, for it is ending; twice: ends it before its last words are said |
| over | nothing: the exit code is certain, and Python takes itself apart |

Who started the command may have Ctrl-C ignored, as a script has for what it starts with `&`. It stays so then, and
SIGTERM alone does what stands here; while a loop runs, before a program counts it, it ends the command at once.

Python's own ways would be a traceback in the first phase and death by the signal in the last. This module is loaded
before all others, so it loads next to nothing. What comes earlier still, while Python itself starts, is
Python's to answer.
"""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130
"""ExitCode.INTERRUPTED, which is not loaded yet."""


class _Patience:
    """How many signals are let pass."""

    left = 0


def starting() -> None:
    """Take the signals: SIGTERM alone where whoever started the command has Ctrl-C ignored."""
    before = signal.getsignal(signal.SIGINT)
    _Patience.left = 0
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
        signal.signal(signal.SIGTERM, _as_interrupt)
    elif before is signal.SIG_IGN:
        signal.signal(signal.SIGTERM, _interrupted)


def ending() -> None:
    """Let one signal pass, so that the command says why it ends."""
    _Patience.left = 1


def over() -> None:
    """Let no signal replace the exit code any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _interrupted(_number: int, _frame: object) -> None:
    if not _Patience.left:
        os._exit(INTERRUPTED)
    _Patience.left -= 1


def _as_interrupt(_number: int, _frame: object) -> None:
    signal.raise_signal(signal.SIGINT)
