"""What machines read: one JSON object a line on standard output."""

from __future__ import annotations

import json
from typing import TextIO

from mayfly.runtime.events import Event
from mayfly_cli.output import Output


def line(event: Event) -> str:
    """The event as one line of printable ASCII, without its end: a terminal can show it whatever a peer has said."""
    text = json.dumps(event.to_json(), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("\x7f", "\\u007f")


class Machines:
    """A Reporter that writes and flushes one line for each event."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.output = Output(stream)

    def report(self, event: Event) -> None:
        """Write one event; never raises."""
        self.output.write(lambda: self._stream.write(line(event) + "\n"))
