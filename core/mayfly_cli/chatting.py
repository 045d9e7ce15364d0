"""A chat at a desk: what is typed or piped becomes requests, and what comes back is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mayfly.chat.records import MAX_TEXT
from mayfly.errors import ControlError, ExitCode, UsageError
from mayfly.runtime.events import (
    Delivered,
    Event,
    Joined,
    Left,
    MessageReceived,
    Status,
    Undelivered,
    Warned,
)
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.tasks import first_of, unless
from mayfly_cli import send, typed
from mayfly_cli.attaching import Desk
from mayfly_cli.mail import Mail
from mayfly_cli.names import shown
from mayfly_cli.pasting import Lines
from mayfly_cli.people import People
from mayfly_cli.relayed import made
from mayfly_cli.running import Teller
from mayfly_cli.tally import Tally

MAX_INPUT = 1024 * 1024
"""Characters that --once sends; more is better sent as a file."""

MAX_TRAVELLING = 64
"""Piped messages that may be on their way; the next line is read when one of them has arrived."""


class Chat:
    """One person's or one script's part in the chat. `patience` is seconds, see `--wait`."""

    def __init__(self, desk: Desk, teller: Teller, *, to: str | None, patience: float) -> None:
        self._desk = desk
        self._teller = teller
        self._to = to
        self._patience = patience
        self._news = asyncio.Event()
        self._failed = False
        self._unsaid = False
        self.own = desk.own
        self.name = ""
        self.names: list[str] = []
        """The others in the room."""
        self.mail = teller.conversation.mail if isinstance(teller, People) else Mail()
        self.tally = teller.conversation.tally if isinstance(teller, People) else Tally()

    async def begin(self) -> None:
        """Enter the room, and tell what was missed: in a room of our own that may be who came before we listened."""
        reply = await self._desk.request("chat")
        self.name, self.names = str(reply["name"]), [str(name) for name in reply["who"]]
        for name in self.names if self.own else ():
            self._teller.report(Joined(name))
        for missed in reply["missed"]:
            self._teller.report(made(MessageReceived, missed))

    async def listen(self) -> None:
        """Take events until the program has gone. They are told as they come."""
        while (event := await self._desk.next()) is not None:
            self._note(event)
            self._news.set()

    async def piped(self, lines: Lines, shutdown: Shutdown, *, once: bool) -> int:
        """Send what is piped in and wait for the receipts; gives the exit code."""
        await self.begin()
        sending = self._once(lines) if once else self._line_by_line(lines)
        await unless(shutdown.drain, first_of(self.listen(), sending))
        if shutdown.drain.is_set():
            return ExitCode.INTERRUPTED
        self._failed |= self._unsaid or bool(self.mail.failures or len(self.mail))
        self._settle()
        return ExitCode.UNDELIVERED if self._failed else ExitCode.OK

    async def say(self, text: str, to: str | None = None) -> None:
        """Send a text, in several messages where it is too long for one. Raises ControlError."""
        for piece in pieces(text):
            reply = await self._desk.request("say", text=piece, **({} if to is None else {"to": to}))
            identity, reach = str(reply["id"]), [str(name) for name in reply["to"]]
            self._failed |= not reach
            if isinstance(self._teller, People):
                self._teller.conversation.said(identity, piece, to, reach)
            else:
                self.mail.sent(identity, piece, to, reach)
                self._teller.report(MessageReceived(self.name, to, piece, round(time.time() * 1000), identity))

    async def obey(self, line: str) -> bool:
        """Do what a typed line means; False when the person wants to leave."""
        meaning = typed.understand(line, self.names)
        try:
            match meaning:
                case None:
                    pass
                case typed.Plain(action="quit"):
                    return False
                case typed.Plain(action=action):
                    await self._plain(action)
                case typed.Say(text=text, to=to):
                    await self.say(text, to)
                case typed.Offer():
                    await self._send(meaning)
                case typed.Change():
                    await self._change(meaning)
                case typed.Mistake(message=message):
                    self._teller.report(Warned("chat", message))
        except (ControlError, UsageError) as error:
            self._teller.report(Warned.of(error))
        return True

    async def all_arrived(self) -> None:
        """Wait until nothing travels any more, or as long as --wait says."""
        await self._receipts(0)

    async def _once(self, lines: Lines) -> None:
        self._unsaid = True
        whole = (await _everything(lines)).strip("\n")
        if not whole:
            raise UsageError("Standard input is empty: there is nothing to send.", hint="Pipe the message in.")
        if await self._company():
            await self.say(whole, self._to)
            self._unsaid = False
            await self._receipts(0)

    async def _line_by_line(self, lines: Lines) -> None:
        here = False
        while (line := await _next(lines)) is not None:
            commands = not isinstance(self._teller, People)
            if not line.strip():
                continue
            self._unsaid = not (commands and line.startswith("/"))
            here = here or (self._unsaid and await self._company())
            if self._unsaid and not here:
                return
            if not commands:
                await self.say(line, self._to)
            elif not await self.obey(line):
                break
            self._unsaid = False
            await self._receipts(MAX_TRAVELLING)
        await self._receipts(0)

    async def _company(self) -> bool:
        """Wait until somebody is there. Tells, and gives False, when nobody comes."""
        if await self._until(lambda: bool(self.names)):
            return True
        self._failed = True
        self._teller.report(
            Warned("chat", "Nobody has come into the chat.", "Connect first, or allow more with --wait.")
        )
        return False

    async def _receipts(self, most: int) -> None:
        await self._until(lambda: len(self.mail) <= most)

    async def _until(self, met: Callable[[], bool]) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                while not met():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _settle(self) -> None:
        if isinstance(self._teller, People):
            self._teller.conversation.settle()

    def _note(self, event: Event) -> None:
        match event:
            case Joined(name=name) if name not in self.names:
                self.names.append(name)
            case Left(name=name) if name in self.names:
                self.names.remove(name)
            case _:
                pass
        if isinstance(self._teller, People):
            return  # its conversation keeps count itself
        match event:
            case Delivered(id=identity, by=by):
                self.mail.delivered(identity, by)
            case Undelivered(id=identity, to=to, certain=certain):
                self.mail.undelivered(identity, to, certain=certain)
            case _:
                self.tally.note(event)

    async def _plain(self, action: str) -> None:
        if not isinstance(self._teller, People):
            if action == "who":
                self._teller.report(made(Status, (await self._desk.request("status"))["status"]))
            return
        if action == "help":
            for line in typed.HELP:
                self._teller.hint(line)
            return
        reply = await self._desk.request("who")
        self.names = [str(name) for name in reply["who"]]
        self._teller.hint(", ".join([f"{shown(str(reply['name']))} (you)", *map(shown, self.names)]))

    async def _send(self, offer: typed.Offer) -> None:
        paths = [str(path) for path in offer.paths]
        members: dict[str, Any] = {"paths": send.absolute(paths)}
        if offer.to is not None:
            members["to"] = offer.to
        members |= {name: True for name, wanted in (("all", offer.everybody), ("symlinks", offer.symlinks)) if wanted}
        reply = await self._desk.request("send", **members)
        for transfer, peer, who in send.offered(reply, self._teller):
            if not isinstance(self._teller, People):  # its conversation keeps count itself
                self.tally.begin(transfer, peer, outgoing=True, name=reply["name"], who=who, total=reply["total"])

    async def _change(self, change: typed.Change) -> None:
        answer = change.action in ("accept", "decline")
        among = self.tally.offered() if answer else self.tally.running()
        found = self.tally.named(change.which, among)
        if found is None and not among:
            raise UsageError(
                "No offer waits for an answer." if answer else "No transfer is under way.",
                hint="/send PATH offers something yourself.",
                stage="chat",
            )
        if found is None:
            what = "offer" if answer else "transfer"
            raise UsageError(f"There is no such {what}.", hint="Give the number that it was shown with.", stage="chat")
        members: dict[str, Any] = {"transfer": found.transfer, "peer": found.peer}
        if change.action == "accept":
            members["into"] = str((change.into or Path.cwd()).absolute())
            members |= {"overwrite": True} if change.overwrite else {}
        await self._desk.request(change.action, **members)


async def _next(lines: Lines) -> str | None:
    try:
        return await lines.next()
    except EOFError:
        return None


async def _everything(lines: Lines) -> str:
    """All lines to the end. Raises UsageError where they are too much for a message."""
    found: list[str] = []
    left = MAX_INPUT
    while (line := await _next(lines)) is not None:
        found.append(line)
        left -= len(line) + 1
        if left < 0:
            raise UsageError(
                f"The message is longer than {MAX_INPUT} characters.", hint="Send it with `mayfly send -`."
            )
    return "\n".join(found)


def pieces(text: str) -> list[str]:
    """A text as messages of at most MAX_TEXT bytes, cut between lines where there are any, else anywhere."""
    found: list[str] = []
    rest = text
    while len(rest.encode("utf-8", "surrogatepass")) > MAX_TEXT:
        head = rest.encode("utf-8", "surrogatepass")[:MAX_TEXT].decode("utf-8", "ignore")
        line = head.rfind("\n")
        cut = line if line > 0 else len(head)
        found.append(rest[:cut])
        rest = rest[cut + 1 :] if line > 0 else rest[cut:]
    return [*found, rest]
