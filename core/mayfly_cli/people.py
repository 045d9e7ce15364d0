"""What people read: each event in plain words, with the next thing to do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from mayfly.errors import CodeError
from mayfly.runtime.event import sentence
from mayfly.runtime.events import (
    Closed,
    CodeReady,
    Connected,
    Draining,
    Event,
    Failed,
    Inspected,
    Leaving,
    Listening,
    Posted,
    Renewed,
    TorChanged,
    Warned,
    Words,
)
from mayfly.runtime.terminal import printable
from mayfly.signaling import codes
from mayfly.signaling.disclosure import disclosed
from mayfly_cli.conversation import Conversation
from mayfly_cli.output import Output
from mayfly_cli.paths import way
from mayfly_cli.peers import Peers
from mayfly_cli.torbar import TorBar
from mayfly_cli.units import counted, in_words

RELAY, CLIENT, CHAT, SEND, RECEIVE = "relay", "client", "chat", "send", "receive"
BROKER, BRIDGE, SOCKS, ONION = "broker", "bridge", "socks5", "onion"

_POLICY = re.compile(r"(accept|reject) (\*|[0-9,-]+)(; other rules apply)?", re.ASCII)
_COMPARE = "Compare them with the other side, by voice if you can. If they differ, press Ctrl-C twice."
_STRANGERS = "Between strangers they prove nothing, for there is nobody to compare them with."

_SEND_ALONG = {
    RELAY: "Run `mayfly client` on your computer, paste this code when it asks, and send me back the code it prints.",
    BRIDGE: "Put this code, as a line, into codes.txt in the folder pt_state of your tor's data, and send me back the "
    "last line of answers.txt there.",
    CLIENT: "Run `mayfly relay -` on your computer, paste this code when it asks, and send me back the code it prints.",
    CHAT: "Run `mayfly chat -` on your computer, paste this code when it asks, and send me back the code it prints.",
    SEND: "Run `mayfly receive` on your computer, paste this code when it asks, and send me back the code it prints.",
    RECEIVE: "Run `mayfly send --code - PATH` on your computer, paste this code when it asks, and send me back the "
    "code it prints.",
}


class People:
    """A Reporter for a terminal. `program` is what we are.

    `login` says whether our proxy asks for a password, `bridge` whether we lead to a bridge, and so to somebody's tor,
    `strangers` whether whom we meet comes from a broker's pool, so that nobody can compare words with us.
    """

    def __init__(
        self,
        program: str,
        *,
        out: Console | None = None,
        err: Console | None = None,
        login: bool = False,
        bridge: bool = False,
        strangers: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._program = program
        self._out = out = out or Console(highlight=False, emoji=False, markup=False)
        self._err = err = err or Console(stderr=True, highlight=False, emoji=False, markup=False)
        self._login = login
        self._strangers = strangers
        self._offered_to = BRIDGE if bridge else program
        self._compared: tuple[str, ...] = ()
        self._now = now
        self.output = Output(out.file)
        self._errors = Output(err.file)
        self._tell: dict[type[Event], Callable[[Any], None]] = {
            CodeReady: self._code,
            Posted: self._posted,
            Words: self._words,
            Connected: self._connected,
            Listening: self._listening,
            Leaving: self._leaving,
            Draining: self._draining,
            Closed: self._closed,
            Warned: self._warned,
            Failed: self._failed,
            Inspected: self._inspected,
        }
        self.peers = Peers(program)
        self.conversation = Conversation(self.show, now=now)
        self._tell |= self.conversation.tell
        self._tor = TorBar(self.show, out, self.output.write)
        self._tell |= {TorChanged: self._tor.changed, Renewed: self._tor.renewed}

    def report(self, event: Event) -> None:
        """Tell one event; never raises for the terminal's sake."""
        self._tell[type(event)](event)

    @property
    def console(self) -> Console:
        """Where all but trouble is shown."""
        return self._out

    def show(self, text: Text) -> None:
        """One line, safe to print already."""
        self.output.write(lambda: self._out.print(text, soft_wrap=not self._out.is_terminal))

    def hint(self, text: str) -> None:
        """A remark, on a line of its own."""
        self._say(text, style="dim")

    def prompt(self, text: str) -> None:
        """A question, on a line of its own: whatever is reported meanwhile does not tear it."""
        self._say(text, style="bold")

    def _short_code(self, event: CodeReady) -> None:
        self._say()
        self._say(f"Your code: {event.code}", style="bold", unbroken=True)
        self._say(f"It is good for one person, for {self._until(event.expires)}. It gives away no address.")
        if self._offered_to == BRIDGE:
            self._say("Tell it to that person only, whose tor has a bridge line with this, and the same broker:")
            self._say(f"  broker=… meet={event.code}", unbroken=True)
        else:
            self._say("Tell it to that person only, who runs this, with the same broker:")
            self._say(f"  mayfly client --broker … {event.code}", unbroken=True)
        self._say()

    def _posted(self, event: Posted) -> None:
        self._say(f"In the pool of {event.broker}, for strangers to take.", style="bold", unbroken=True)

    def _code(self, event: CodeReady) -> None:
        if event.kind == "short":
            self._short_code(event)
            return
        answer = event.kind == "answer"
        self._say()
        self._say("Your answer:" if answer else "Your code:", style="bold")
        self._say()
        self._say(event.code, unbroken=True)
        self._say()
        self._picture(event.code)
        self._say(f"It is good for {self._until(event.expires)}.")
        self._addresses("It gives away", self._disclosed(event))
        if answer:
            self._say("Send it back to whoever sent you the code; it is pasted where their Mayfly waits for it.")
        else:
            self._say("Send it to one person only, along with this:")
            self._say(f"  {_SEND_ALONG[self._offered_to]}", unbroken=True)
        self._say()

    def _words(self, event: Words) -> None:
        self._verification(event.words)

    def _connected(self, event: Connected) -> None:
        who = self.peers.connected(event.peer, event.role)
        trip = "" if event.rtt_ms is None else f", round trip {_milliseconds(event.rtt_ms)}"
        self._say(f"Connected to {who}: {way(event.local, event.remote)}{trip}.", style="bold green")
        self._verification(event.words)
        if event.policy:
            self._say(f"The relay says that it serves {_served(event.policy)}.")
        if event.upstream in _UPSTREAMS:
            self._say(f"It says that it sends what you open {_UPSTREAMS[event.upstream]}")
        if event.lifetime is not None:
            self._say(f"It says that it stays for {in_words(event.lifetime)}.")

    def _verification(self, words: tuple[str, ...]) -> None:
        self._say(f"Verification words: {' '.join(words)}", style="bold")
        if words != self._compared:
            self._say(_STRANGERS if self._strangers else _COMPARE)
            self._compared = words

    def _listening(self, event: Listening) -> None:
        if event.protocol == ONION:
            self._onion(event.address)
            return
        if event.protocol != SOCKS:
            self._say(f"The broker listens on {event.address}", style="bold", unbroken=True)
            return
        login = " --proxy-user USER:PASSWORD" if self._login else ""
        self._say(f"SOCKS5 on {event.address}", style="bold", unbroken=True)
        self._say(f"Try: curl --proxy socks5h://{event.address}{login} https://example.com/", unbroken=True)

    def _onion(self, address: str) -> None:
        self._say()
        self._say(f"Clients can meet you at {address}", style="bold", unbroken=True)
        self._say("Send this to those who may come. It gives away no address of yours:")
        self._say(f"  mayfly client --onion {address}", unbroken=True)
        self._say()

    def _leaving(self, event: Leaving) -> None:
        if self._program not in (CLIENT, RELAY) and not self.conversation.tally.running():
            return  # one who has sent or said everything leaves at once, and that it has left is told
        reason = f" ({printable(event.reason)})" if event.reason else ""
        self._say(
            f"{_capitalized(self.peers.called(event.peer))} is leaving{reason}: nothing new starts, "
            f"and what is open has {in_words(event.seconds)} to finish."
        )

    def _draining(self, event: Draining) -> None:
        self._tor.end()
        if not event.streams:
            self._say("Leaving; nothing is open.")
            return
        what = ("match", "matches") if self._program == BROKER else ("connection",)
        open_now = counted(event.streams, *what) + (" is" if event.streams == 1 else " are")
        self._say(
            f"Leaving: {open_now} still open, with {in_words(event.seconds)} to finish. Ctrl-C stops at once.",
        )

    def _closed(self, event: Closed) -> None:
        reason = f": {printable(event.reason).removesuffix('.')}" if event.reason else ""
        self._say(f"The link to {self.peers.called(event.peer)} has ended{reason}.")

    def _warned(self, event: Warned) -> None:
        self._trouble("warning", "yellow", event.message, event.stage, event.hint)

    def _failed(self, event: Failed) -> None:
        self._tor.end()
        self._trouble("error", "red", event.message, event.stage, event.hint)

    def _inspected(self, event: Inspected) -> None:
        self._say(f"This is an {event.kind}.")
        moment = _utc(event.expires)
        if event.expired:
            self._say(f"It expired {in_words(self._now() - event.expires)} ago ({moment}).")
        else:
            self._say(f"It is good for {in_words(event.expires - self._now())}, until {moment}.")
        self._addresses("It gives away", list(event.discloses))
        self._say(f"The encryption is begun by {_BEGINNERS[event.role]} (DTLS role {event.role}).")

    def _trouble(self, word: str, style: str, message: str, stage: str, hint: str) -> None:
        text = Text.assemble((f"{word} ({stage}):", f"bold {style}"), " ", sentence(printable(message)))
        self._errors.write(lambda: self._err.print(text, soft_wrap=True))
        if hint:
            self._errors.write(lambda: self._err.print(Text(f"Next: {sentence(printable(hint))}"), soft_wrap=True))

    def _until(self, expires: float) -> str:
        moment = datetime.fromtimestamp(expires, UTC).astimezone()
        form = "%H:%M" if expires - self._now() < 12 * 3600 else "%Y-%m-%d %H:%M"
        left = expires - self._now()
        whole = left // 60 * 60 if left >= 60 else left  # codes are rounded up to the minute; do not promise more
        return f"{in_words(whole)}, until {moment.strftime(form)}"

    def _picture(self, code: str) -> None:
        from mayfly_cli import qr  # noqa: PLC0415 - segno is slow to load and only people need it

        out = self._out
        if not out.is_terminal or out.is_dumb_terminal or not out.encoding.lower().startswith("utf"):
            self._say("(A QR code of it is shown where the output is a UTF-8 terminal.)")
            return
        picture = qr.render(code.upper(), self._out.width)
        if picture is None:
            self._say("(This terminal is too narrow for a QR code.)")
            return
        self.output.write(lambda: self._out.print(picture))

    def _disclosed(self, event: CodeReady) -> list[str]:
        try:
            return disclosed(codes.parse(event.code, wanted=None, now=None).description)
        except CodeError:
            return list(event.discloses)

    def _addresses(self, begin: str, lines: list[str]) -> None:
        if not lines:
            self._say(f"{begin} no address.")
            return
        self._say(f"{begin} these addresses:")
        for line in lines:
            self._say(f"  {printable(line)}")

    def _say(self, text: str = "", *, style: str = "", unbroken: bool = False) -> None:
        # Inserted line ends would break what is to be copied, and lines in a file need none.
        soft = unbroken or not self._out.is_terminal
        self.output.write(lambda: self._out.print(Text(text, style), soft_wrap=soft))


_UPSTREAMS = {
    "proxy": "through a further proxy, which sees where it goes.",
    "tor": "through Tor: the exit of Tor sees where it goes, and not from whom.",
    "bridge": "to one bridge, whatever you ask for.",
}

_BEGINNERS = {"actpass": "either side", "active": "its maker", "passive": "its reader"}


def _served(policy: str) -> str:
    """The summary of an exit policy in words; what the relay did not say in our form stays as it is, escaped."""
    found = _POLICY.fullmatch(policy)
    if found is None:
        return f"this: {printable(policy)}"
    ports = found[2].replace(",", ", ")
    match found[1], ports:
        case "accept", "*":
            served = "every port"
        case "reject", "*":
            served = "no port"
        case "accept", _:
            served = f"these ports alone: {ports}"
        case _:
            served = f"every port but {ports}"
    return served + (" (other rules apply)" if found[3] else "")


def _capitalized(words: str) -> str:
    return words[0].upper() + words[1:]


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _milliseconds(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"
