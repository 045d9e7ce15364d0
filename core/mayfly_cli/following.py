"""Transfers from their beginning to their end: the bars, the keys, Ctrl-C, and the exit code."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from mayfly.errors import ControlError, ExitCode
from mayfly.runtime.events import Event, TransferChanged, Warned
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.tasks import TaskSet, unless
from mayfly_cli.attaching import Desk
from mayfly_cli.keys import Keys
from mayfly_cli.people import People
from mayfly_cli.running import Teller
from mayfly_cli.tally import ENDED

KEYS = {"p": "pause", "r": "resume", "c": "cancel"}

_WORST_FIRST = (
    ("interrupted", ExitCode.INCOMPLETE),
    ("cancelled", ExitCode.CANCELLED),
    ("declined", ExitCode.DECLINED),
)


class Following:
    """The transfers of one command. `keys` is the descriptor on which keys are pressed, None where there is none."""

    def __init__(self, desk: Desk, teller: Teller, shutdown: Shutdown, *, keys: int | None) -> None:
        self._desk = desk
        self._teller = teller
        self._shutdown = shutdown
        self._keys = keys
        self._states: dict[tuple[str, int], str] = {}
        self._asked = TaskSet()
        self.text: str | None = None
        """What has come, if it was a text. Foreign."""

    def add(self, transfer: str, peer: int) -> None:
        """Follow this one, too."""
        self._states[transfer, peer] = "offered"

    async def to_the_end(self) -> int:
        """Wait for all; the exit code speaks for the one that ended worst.

        Ctrl-C at a running program leaves it to that program: what was accepted goes on, what was not is taken back.
        A program of our own is told of Ctrl-C itself, and ends its transfers so that they can be taken up again.
        """
        leave = self._shutdown.stop if self._desk.own else self._shutdown.drain
        try:
            with self._shown():
                while self._pending() and not leave.is_set():
                    self._note(await unless(leave, self._desk.next()))
                if self._pending() and not self._desk.own:
                    await self._leave_behind()
        finally:
            await self._asked.aclose()
        if self._pending():
            return ExitCode.INTERRUPTED
        return next((code for state, code in _WORST_FIRST if state in self._states.values()), ExitCode.OK)

    def _pending(self) -> list[tuple[str, int]]:
        return [key for key, state in self._states.items() if state not in ENDED]

    def _note(self, event: Event | None) -> None:
        if isinstance(event, TransferChanged) and (event.transfer, event.peer) in self._states:
            self._states[event.transfer, event.peer] = event.state
            self.text = event.text if event.text is not None else self.text
        elif event is None and self._desk.gone:
            for transfer, peer in self._pending():
                self._states[transfer, peer] = "interrupted"
                self._teller.report(TransferChanged(transfer, peer, "interrupted", "the program has ended"))

    async def _leave_behind(self) -> None:
        waiting = [key for key in self._pending() if self._states[key] == "offered"]
        for transfer, peer in waiting:
            await self._asking("cancel", transfer, peer)
        if len(waiting) < len(self._pending()):
            self._teller.report(
                Warned(
                    "transfer",
                    "The transfer goes on in the running program.",
                    "`mayfly status` shows it, `mayfly transfer cancel` ends it.",
                )
            )

    def _ask(self, what: str) -> None:
        for transfer, peer in self._pending():
            self._asked.spawn(self._asking(what, transfer, peer))

    async def _asking(self, what: str, transfer: str, peer: int) -> None:
        with contextlib.suppress(ControlError):  # it has ended meanwhile
            await self._desk.request(what, transfer=transfer, peer=peer)

    def _pressed(self, key: str) -> None:
        if key.lower() in KEYS:
            self._ask(KEYS[key.lower()])

    @contextlib.contextmanager
    def _shown(self) -> Generator[None]:
        if not isinstance(self._teller, People):
            yield
            return
        from mayfly_cli.bars import Bars  # noqa: PLC0415 - only people need it

        conversation = self._teller.conversation
        descriptor = -1 if self._keys is None else self._keys
        with Bars(conversation.tally, self._teller.console) as bars, Keys(descriptor, self._pressed) as keys:
            if keys.active:
                self._teller.hint("Keys: p pauses, r resumes, c cancels.")
            conversation.changed = bars.refresh
            try:
                yield
            finally:
                conversation.changed = lambda: None
