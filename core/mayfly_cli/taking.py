"""What `mayfly receive` does at its desk: waits for an offer, asks, accepts, and follows it to its end."""

from __future__ import annotations

from typing import Any

from mayfly.errors import ExitCode
from mayfly.runtime.events import Event, Offered, Warned
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.tasks import unless
from mayfly.runtime.terminal import printable
from mayfly_cli.attaching import Desk
from mayfly_cli.conversation import describe
from mayfly_cli.following import Following
from mayfly_cli.machines import Machines
from mayfly_cli.names import called
from mayfly_cli.pasting import Lines
from mayfly_cli.people import People
from mayfly_cli.relayed import made
from mayfly_cli.running import STANDARD_INPUT, Teller
from mayfly_cli.terminals import can_show


class Taking:
    """`place` are the members of an `accept` request that say where and how; `yes` asks nobody."""

    def __init__(
        self,
        desk: Desk,
        teller: Teller,
        lines: Lines,
        shutdown: Shutdown,
        place: dict[str, Any],
        *,
        yes: bool,
    ) -> None:
        self._desk = desk
        self._teller = teller
        self._lines = lines
        self._shutdown = shutdown
        self._place = place
        self._yes = yes

    async def run(self) -> int:
        """Take the first offer; gives the exit code."""
        if isinstance(self._teller, People):
            self._teller.conversation.offer_hint = None
            self._teller.conversation.show_texts = False
        offer = await self._offer()
        if offer is None:
            return self._nothing()
        agreed = self._yes or await unless(self._shutdown.drain, self._agreed(offer))
        if agreed is None:
            return ExitCode.INTERRUPTED
        if not agreed:
            await self._desk.request("decline", transfer=offer.transfer, peer=offer.peer)
            return ExitCode.DECLINED
        return await self._accept(offer)

    async def _offer(self) -> Offered | None:
        """The first that waits, or the next that comes; None when the program has gone, or after Ctrl-C."""
        for waiting in (await self._desk.request("receive"))["offers"]:
            offer = made(Offered, waiting)
            self._teller.report(offer)
            return offer
        if isinstance(self._teller, People):
            self._teller.hint("Nothing is offered yet. This waits for it; Ctrl-C leaves.")
        event: Event | None
        while (event := await unless(self._shutdown.drain, self._desk.next())) is not None:
            if isinstance(event, Offered):
                return event
        return None

    def _nothing(self) -> int:
        if self._shutdown.drain.is_set():
            return ExitCode.INTERRUPTED
        self._teller.report(Warned("transfer", "The other side has left without an offer.", "Ask it to send again."))
        return ExitCode.INCOMPLETE

    async def _agreed(self, offer: Offered) -> bool:
        """The person's word, or the machine's: y or n on a line. What a person typed before the question is no word."""
        if isinstance(self._teller, People):
            self._lines.forget_typed()
        while True:
            if isinstance(self._teller, People):
                self._teller.prompt(f"Take {describe(offer)} from {called(offer.sender)}? [y/n]")
            try:
                word = (await self._lines.next()).strip().lower()
            except EOFError:
                return False
            if word in ("y", "yes", "n", "no"):
                return word.startswith("y")

    async def _accept(self, offer: Offered) -> int:
        following = Following(self._desk, self._teller, self._shutdown, keys=STANDARD_INPUT)
        following.add(offer.transfer, offer.peer)
        await self._desk.request("accept", transfer=offer.transfer, peer=offer.peer, **self._place)
        code = await following.to_the_end()
        if following.text is not None:
            self._print(following.text)
        return code

    def _print(self, text: str) -> None:
        """A text that was sent: as it is where a program reads, escaped where a person does."""
        if isinstance(self._teller, Machines):
            return  # it stood in the event
        self._teller.output.write(lambda: print(_escaped(text) if can_show() else text))  # noqa: T201


def _escaped(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))
