"""How chat, send and receive reach a program: one that runs already, or one of their own with a link of its own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from mayfly.errors import UsageError
from mayfly.runtime import control_socket
from mayfly.runtime.control_client import ControlClient
from mayfly.runtime.events import (
    Closed,
    CodeReady,
    Connected,
    Draining,
    Event,
    Failed,
    Leaving,
    Posted,
    Reporter,
    Status,
    Warned,
    Words,
)
from mayfly.runtime.shutdown import Shutdown
from mayfly_cli import running, settings, sharing
from mayfly_cli.pasting import Lines
from mayfly_cli.people import People
from mayfly_cli.relayed import event_of, made
from mayfly_cli.settings import Values

OF_THE_LINK = (CodeReady, Posted, Words, Connected, Leaving, Draining, Closed, Warned, Failed)
"""What a program of our own reports itself; its control socket need not tell it again, and tells all the rest."""

_OURS = ("chat", "transfer")
"""Stages of warnings that a program of our own leaves to its command to tell."""


class Desk:
    """A running program, as a command that is attached to it sees it."""

    def __init__(self, client: ControlClient, reporter: Reporter, *, own: bool) -> None:
        self._client = client
        self._reporter = reporter
        self.own = own
        self.gone = False
        """Whether nothing more will come: the program has ended, or the only link of our own."""

    async def request(self, what: str, /, **members: Any) -> dict[str, Any]:
        """Ask the program for something. Raises ControlError with the program's words when it refuses."""
        return await self._client.request(what, **members)

    async def next(self) -> Event | None:
        """The next event, which has been reported already; None when no more will come. May be cancelled."""
        while (message := await self._client.event()) is not None:
            event = event_of(message)
            if event is not None:
                if not self.own:
                    self._reporter.report(event)
                elif isinstance(event, Closed):
                    break
                elif not isinstance(event, OF_THE_LINK) or (isinstance(event, Warned) and event.stage in _OURS):
                    self._reporter.report(event)
                return event
        self.gone = True
        return None


Work = Callable[[Desk, Lines, Shutdown], Awaitable[int]]
"""What a command does at its desk; gives the exit code. The lines are what follows the codes on standard input."""


def session(values: Values, *, code: str | None, offer: bool = False) -> str | None:
    """The session to attach to: the named one, else the only one that runs; None for a link of our own.

    A CODE, --offer or --alone ask for that. Raises UsageError, ControlError.
    """
    named = values.raw("session")
    alone = code is not None or offer or bool(values.raw("alone"))
    if named is not None:
        if alone:
            raise UsageError("--session attaches to a running program, which needs no code.", hint=settings.ONE_OF_TWO)
        return str(named)
    found = [] if alone else control_socket.running(control_socket.default_directory())
    if len(found) > 1:
        raise control_socket.several(found, "Choose one with --session NAME, or none with --alone.")
    return found[0] if found else None


def run(
    values: Values,
    teller: running.Teller,
    work: Work,
    *,
    attach: str | None,
    code: str | None,
    codes_from: int | None = None,
) -> int:
    """Do the work at the session to attach to, or at a program of our own; gives the exit code.

    A program of our own answers the `code`, which may be FROM_INPUT, or else makes an offer.
    """
    results: list[int] = []
    make = None if attach is not None else peer_options(values)

    async def program(given: str | None, reporter: Reporter, codes: running.Codes, shutdown: Shutdown) -> None:
        async def at_desk(client: ControlClient) -> None:
            results.append(await work(Desk(client, reporter, own=attach is None), codes.lines, shutdown))

        if make is None:
            async with attached(attach, teller) as client:
                await at_desk(client)
            return
        from mayfly.services.peer import run_peer  # noqa: PLC0415 - loads the engine

        await run_peer(make(given), reporter, codes, shutdown, at_desk)

    async def settle(codes: running.Codes, _: running.Teller) -> str | None:
        return None if make is None else await running.given(code, codes)

    status = running.run(values, teller, settle, program, must_connect=make is not None, codes_from=codes_from)
    return status or (results[0] if results else 0)


@contextlib.asynccontextmanager
async def attached(session: str | None, teller: running.Teller) -> AsyncGenerator[ControlClient]:
    """The program of that name, or the only one; a person is told of its peers by what they are called there.

    Raises NoSessionError, ControlError.
    """
    async with await ControlClient.attach(session) as client:
        if isinstance(teller, People):
            teller.peers.there_already(made(Status, (await client.request("status"))["status"]))
        yield client


def peer_options(values: Values) -> Callable[[str | None], Any]:
    """What makes the options of a program of our own, once its code is known. Raises UsageError."""
    from mayfly.services.peer import PeerOptions  # noqa: PLC0415

    link = settings.link_settings(values)
    engine = settings.engine(values)
    hub = {answers: sharing.own_hub_options(values, answers=answers) for answers in (False, True)}
    return lambda code: PeerOptions(link=link, code=code, hub=hub[code is not None], engine=engine)


def codes_descriptor(values: Values, attach: str | None, *, input_is_data: bool = False) -> int | None:
    """Where codes are read when standard input is what is sent: --codes, else the terminal. Raises UsageError.

    None for standard input, and where none are wanted: at a session to attach to. The descriptor stays open as long as
    the process.
    """
    path = values.raw("codes")
    if attach is not None or (path is None and not input_is_data):
        return None
    try:
        return os.open(str(path or "/dev/tty"), os.O_RDONLY | os.O_NOCTTY)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        if path is None:
            raise UsageError(
                "Standard input is what is sent, and there is no terminal on which a code could be pasted.",
                hint="Name a file or a named pipe from which codes are read, with --codes.",
            ) from None
        raise UsageError(f"--codes: {path} cannot be read: {reason}.", hint="Name another file.") from None
