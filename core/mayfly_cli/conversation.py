"""Chat and transfers in plain words: who said what and when, what was delivered, what is offered and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from mayfly.runtime.amounts import amount
from mayfly.runtime.events import (
    Delivered,
    Event,
    Joined,
    Left,
    MessageReceived,
    Offered,
    Progress,
    Status,
    TransferChanged,
    Undelivered,
)
from mayfly.runtime.terminal import printable
from mayfly_cli.mail import Letter, Mail
from mayfly_cli.names import called, shown
from mayfly_cli.overview import overview
from mayfly_cli.tally import Tally, Transfer
from mayfly_cli.units import clock, counted

ELSEWHERE = "`mayfly receive` or `mayfly chat` in another terminal can take it."
"""What to do about an offer where nobody is asked."""

HERE = "/accept {number} takes it, /decline {number} refuses it."
"""What to do about it in a chat."""


class Conversation:
    """Tells events through `say`. `changed` is called where what is under way has changed without a line of its own."""

    def __init__(self, say: Callable[[Text], None], *, now: Callable[[], float] = time.time) -> None:
        self._say = say
        self._now = now
        self.tally = Tally()
        self.mail = Mail()
        self.offer_hint: str | None = ELSEWHERE
        self.show_texts = True
        """Whether a text that was sent is shown like a message, once it is complete."""
        self.changed: Callable[[], None] = lambda: None
        self.tell: dict[type[Event], Callable[[Any], None]] = {
            MessageReceived: self._message,
            Delivered: self._delivered,
            Undelivered: self._undelivered,
            Joined: lambda event: self._came(event.name, "is here"),
            Left: lambda event: self._came(event.name, "has left"),
            Offered: self._offered,
            Progress: self._progress,
            TransferChanged: self._transfer,
            Status: self._status,
        }

    def offered_by_us(self, transfer: str, peer: int, name: str, who: str, total: int | None = None) -> None:
        """A transfer of our own has begun: it waits for `who`."""
        found = self.tally.begin(transfer, peer, outgoing=True, name=name, who=who, total=total)
        self._line(f"{found.label()}: offered, waiting for an answer", "dim")
        self.changed()

    def said(self, identity: str, text: str, to: str | None, reach: list[str]) -> None:
        """A message of our own that has been sent: shown with its mark once it is known what became of it."""
        if not reach:
            self._line(f"not delivered, nobody else is here: {short(text)}", "yellow")
            return
        self._settled(self.mail.sent(identity, text, to, reach))

    def settle(self) -> None:
        """Show what still travels, because nothing will be heard of it any more."""
        for letter in self.mail.take_all():
            self._own(letter.text, letter.to, letter.mark(shown))

    def _status(self, event: Status) -> None:
        for line in overview(event):
            self._say(line)

    def _message(self, event: MessageReceived) -> None:
        alone = " (to you alone)" if event.to is not None else ""
        self._lines(event.time / 1000, (shown(event.sender), "bold cyan"), alone, event.text)

    def _delivered(self, event: Delivered) -> None:
        self._settled(self.mail.delivered(event.id, event.by))

    def _undelivered(self, event: Undelivered) -> None:
        self._settled(self.mail.undelivered(event.id, event.to, certain=event.certain))

    def _settled(self, letter: Letter | None) -> None:
        if letter is not None:
            self._own(letter.text, letter.to, letter.mark(shown))
        self.changed()

    def _own(self, text: str, to: str | None, mark: str) -> None:
        alone = f" (to {shown(to)} alone)" if to is not None else ""
        self._lines(self._now(), ("you", "bold"), alone, text, mark=mark)

    def _lines(self, moment: float, who: tuple[str, str], note: str, text: str, *, mark: str = "") -> None:
        first, *rest = [printable(line) for line in text.split("\n")]
        head = Text.assemble((f"{_clock_time(moment, self._now())} ", "dim"), who, (note, "dim"), ": ", first)
        lines = [head, *(Text.assemble(("      | ", "dim"), line) for line in rest)]
        if mark:
            lines[-1].append(f"  {mark}", "green" if mark.startswith("✓") else "yellow")
        for line in lines:
            self._say(line)

    def _came(self, name: str, what: str) -> None:
        self._line(f"{shown(name)} {what}", "dim")

    def _offered(self, event: Offered) -> None:
        found = self.tally.note(event)
        self._line(f"{called(event.sender)} offers {describe(event)}", "bold")
        if self.offer_hint and found is not None:
            self._say(Text("      " + self.offer_hint.format(number=found.number)))
        self.changed()

    def _progress(self, event: Progress) -> None:
        self.tally.note(event)
        self.changed()

    def _transfer(self, event: TransferChanged) -> None:
        found = self.tally.note(event)
        if found is not None:
            self._line(_ending(found), _STYLES.get(event.state, ""))
            if event.text is not None and self.show_texts:
                for line in event.text.split("\n"):
                    self._say(Text.assemble(("      | ", "dim"), printable(line)))
        self.changed()

    def _line(self, text: str, style: str = "") -> None:
        self._say(Text.assemble((f"{_clock_time(self._now(), self._now())} ", "dim"), (text, style)))


_GOES_ON = "The same command goes on from there."
_STYLES = {"completed": "green", "declined": "yellow", "cancelled": "yellow", "interrupted": "red"}


def describe(event: Offered) -> str:
    """What is offered: name, size and count, safe to print."""
    size = "of unknown size" if event.size is None else amount(event.size)
    name = printable(event.name)
    match event.kind:
        case "text":
            return f"a text ({size})"
        case "stdin":
            return f"the output of a program, {name} ({size})"
        case "directory":
            return f"the directory {name} ({size}, {counted(event.files, 'entry', 'entries')})"
        case _:
            more = "files" if event.only_files else "files and directories"
            return f"{name} ({size}, {counted(event.files, 'file', more)})"


def _ending(transfer: Transfer) -> str:
    label, reason = transfer.label(), f": {printable(transfer.reason)}" if transfer.reason else ""
    match transfer.state:
        case "completed":
            speed = ""
            if transfer.spent >= 1:
                speed = f" in {clock(transfer.spent)}, {amount(transfer.done / transfer.spent)}/s"
            return f"{label}: complete, {amount(transfer.done)}{speed}; all hashes are right"
        case "interrupted":
            # A reason that says what to do ends with a full stop.
            return f"{label}: interrupted{reason if reason.endswith('.') else f'{reason}. {_GOES_ON}'}"
        case state:
            return f"{label}: {state}{reason}"


def short(text: str) -> str:
    """The beginning of a message, safe to print, where there is one line for it."""
    line = printable(text)
    return line if len(line) <= 60 else line[:59] + "…"


def _clock_time(moment: float, now: float) -> str:
    # A peer's clock may say anything: what no calendar holds is shown as our own time.
    try:
        there = datetime.fromtimestamp(moment, UTC).astimezone()
    except (OverflowError, OSError, ValueError):
        there = datetime.fromtimestamp(now, UTC).astimezone()
    today = datetime.fromtimestamp(now, UTC).astimezone().date()
    return there.strftime("%H:%M" if there.date() == today else "%Y-%m-%d %H:%M")
