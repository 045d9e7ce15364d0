"""Tells tor what goes on: events become LOG lines for tor's log and STATUS lines for its controllers.

The stage of each STATUS line is one word out of `STAGES`; the words beside it are for people. An answer is never said
there: it discloses our addresses, and people paste logs. It goes into a file that only its owner can read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from mayfly.errors import CodeError
from mayfly.pt import lines
from mayfly.pt.environment import TRANSPORT
from mayfly.pt.lines import Severity
from mayfly.runtime.events import Closed, CodeReady, Connected, Event, Leaving, Warned, Words
from mayfly.runtime.terminal import printable

STAGES = ("waiting", "answer", "connected", "leaving", "closed", "failed")
"""What a STATUS line's STAGE may be; client/README.md says what each means."""


class Tor:
    """Standard output, on which nothing but protocol lines is written, each at once.

    What is given to `on_gone` is called when nobody reads it any more: tor has ended.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone: Callable[[], None] = lambda: None

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Call back when tor turns out to be gone."""
        self._gone = callback

    def say(self, line: str) -> None:
        """Write one line. Never raises."""
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):
            self._gone()


class LineTeller:
    """The Reporter of one bridge line, which the log knows by its number."""

    def __init__(self, tor: Tor, number: int, answers: Path) -> None:
        self._tor = tor
        self._number = number
        self._answers = answers

    def report(self, event: Event) -> None:
        """Tell one event. Never raises."""
        match event:
            case CodeReady():
                self._answer(event)
            case Words():
                self._log(Severity.NOTICE, f"The relay's side should see the same words: {' '.join(event.words)}.")
            case Connected():
                self._tell(Severity.NOTICE, "connected", f"Connected to a relay ({_path(event)}).")
            case Leaving():
                self._tell(
                    Severity.NOTICE,
                    "leaving",
                    f"The relay leaves within {event.seconds:.0f} seconds ({printable(event.reason)}).",
                )
            case Closed():
                self._tell(
                    Severity.WARNING,
                    "closed",
                    f"The relay is gone ({printable(event.reason)}). tor's next connection looks for another one.",
                )
            case Warned():
                self._tell(Severity.WARNING, "failed", f"{event.message} {event.hint}".strip(), at=event.stage)
            case _:
                pass

    def waiting(self, path: Path) -> None:
        """Tell that a code is waited for in a file."""
        words = f"Waiting for a relay's code: put it into {path} as a line."
        self._tell(Severity.NOTICE, "waiting", words, file=str(path))

    def unusable(self, path: Path, error: CodeError) -> None:
        """Tell what is wrong with what was put last into a file of codes."""
        words = f"What was put last into {path} cannot be used. {error.message} {error.hint or ''}".strip()
        self._tell(Severity.WARNING, "failed", words, file=str(path), at=error.stage)

    def _answer(self, event: CodeReady) -> None:
        try:
            _append(self._answers, event.code)
        except OSError as error:
            words = (
                f"The answer to the relay's code cannot be written to {self._answers}: {os.strerror(error.errno or 0)}."
            )
            self._tell(Severity.ERROR, "failed", words, at="disk")
            return
        words = (
            f"Answered a relay's code. Send the last line of {self._answers} to whoever gave you the code, who waits "
            "for it; it discloses addresses of this computer."
        )
        self._tell(Severity.NOTICE, "answer", words, file=str(self._answers))

    def _tell(self, severity: Severity, stage: str, words: str, **more: str) -> None:
        self._log(severity, words)
        self._tor.say(lines.status(TRANSPORT, stage=stage, line=str(self._number), message=words, **more))

    def _log(self, severity: Severity, words: str) -> None:
        self._tor.say(lines.log(severity, f"Bridge line {self._number}: {words}"))


def _append(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "a", encoding="ascii") as file:
        file.write(text + "\n")


def _path(event: Connected) -> str:
    kinds = {"host": "direct", "srflx": "through a NAT", "prflx": "through a NAT", "relay": "through a TURN server"}
    ends = {kinds.get(end or "", "direct") for end in (event.local, event.remote)}
    way = next((words for words in ("through a TURN server", "through a NAT") if words in ends), "direct")
    return way if event.rtt_ms is None else f"{way}, {event.rtt_ms:.0f} ms"
