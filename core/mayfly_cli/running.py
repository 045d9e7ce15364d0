"""What the commands that run a program have in common: reporters, standard input, signals, logs, exit codes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Generator
from typing import NoReturn

import typer
from rich.console import Console

from mayfly.errors import CodeError, ExitCode, MayflyError, MistypedCodeError, WrongKindCodeError
from mayfly.runtime.events import Connected, Event, Reporter
from mayfly.runtime.shutdown import Shutdown
from mayfly.signaling import codes
from mayfly.signaling.description import Kind
from mayfly_cli import brokers, failures, loop, settings, upstreams
from mayfly_cli.machines import Machines
from mayfly_cli.pasting import LineCodes, Lines, PastedCodes
from mayfly_cli.people import CLIENT, RELAY, People
from mayfly_cli.settings import Values

STANDARD_INPUT = 0

Teller = Machines | People
Codes = LineCodes | PastedCodes

Settle = Callable[[Codes, Teller], Awaitable[str | None]]
"""What gets the other side's code before the program starts; None to make an offer."""

Program = Callable[[str | None, Reporter, Codes, Shutdown], Awaitable[None]]
"""A program, given that code."""


def teller(program: str, values: Values, *, aside: bool = False) -> Teller:
    """The reporter for whoever listens; `program` is what we are. `aside`, it leaves standard output to data."""
    if values.raw("json"):
        return Machines(sys.stderr if aside else sys.stdout)
    out = Console(stderr=True, highlight=False, emoji=False, markup=False) if aside else None
    return People(
        program,
        out=out,
        login=program == CLIENT and bool(values.raw("socks_auth")),
        bridge=program == RELAY and upstreams.lead_to_bridge(values),
        strangers=program in (CLIENT, RELAY) and brokers.strangers_come(values),
    )


def answer(program: str, values: Values, body: Callable[[Teller], int], *, aside: bool = False) -> NoReturn:
    """Run a command's body and leave with its exit code, having reported whatever went wrong."""
    reporter = teller(program, values, aside=aside)
    try:
        code = body(reporter)
    except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:  # the last resort of the whole command
        code = failures.handle(error, reporter, verbose=bool(values.raw("verbose")))
    raise typer.Exit(code)


def run(
    values: Values,
    reporter: Teller,
    settle: Settle,
    program: Program,
    *,
    must_connect: bool = False,
    codes_from: int | None = None,
) -> int:
    """Run a program to its end: 0 after a drain; 130 after a second Ctrl-C, or one before the program began.

    With `must_connect`, leaving before any peer is connected is 130 too: who started the program did not get it.
    `codes_from` is the descriptor on which codes are read, where it is not standard input.
    """
    choice = settings.loop(values)
    _log(unsafe=bool(values.raw("unsafe_logging")), verbose=bool(values.raw("verbose")))
    source = STANDARD_INPUT if codes_from is None else codes_from
    return loop.run(_run(reporter, settle, program, must_connect=must_connect, source=source), choice)


class _Watched:
    """The same reporter, which remembers whether a peer was ever connected."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.connected = False

    def report(self, event: Event) -> None:
        self.connected |= isinstance(event, Connected)
        self._reporter.report(event)


async def _run(
    reporter: Teller, settle: Settle, program: Program, *, must_connect: bool = False, source: int = STANDARD_INPUT
) -> int:
    lines = Lines(source)
    codes_in = LineCodes(lines) if isinstance(reporter, Machines) else PastedCodes(lines, reporter.prompt, whole)
    shutdown = Shutdown()
    watched = _Watched(reporter)
    try:
        code = await settle(codes_in, reporter)  # Ctrl-C here still ends everything at once
        with leaving_when_told(shutdown, reporter):
            await program(code, watched, codes_in, shutdown)
    finally:
        lines.close()
    unserved = must_connect and shutdown.drain.is_set() and not watched.connected
    return ExitCode.INTERRUPTED if shutdown.stop.is_set() or unserved else ExitCode.OK


@contextlib.contextmanager
def leaving_when_told(shutdown: Shutdown, reporter: Teller) -> Generator[None]:
    """Have signals ask for the end of what runs in the block, and a reader who is gone.

    What it raises after the second Ctrl-C only says what that has done, and is passed over.
    """
    shutdown.install(asyncio.get_running_loop())
    reporter.output.on_gone(shutdown.request_drain)
    try:
        yield
    except MayflyError:
        if not shutdown.stop.is_set():
            raise
    finally:
        shutdown.finish()


async def any_code(reporter: Teller) -> str:
    """A code of either kind from standard input. Raises EOFError."""
    lines = Lines(STANDARD_INPUT)
    try:
        if isinstance(reporter, Machines):
            return await LineCodes(lines).read(Kind.OFFER)
        pasted = PastedCodes(lines, reporter.prompt, lambda text, _: whole(text, None))
        while True:
            if text := await pasted.ask("Paste the code and press Enter:", Kind.OFFER):
                return text
    finally:
        lines.close()


async def given(code: str | None, codes_in: Codes) -> str | None:
    """The CODE argument, read from standard input where it is `-`. Raises EOFError."""
    return await codes_in.read(Kind.OFFER) if code == settings.FROM_INPUT else code


def whole(text: str, wanted: Kind | None) -> bool:
    """Whether a text holds a whole code, good or not, and of that kind if one is wanted."""
    try:
        codes.parse(text, wanted=wanted, now=None)
    except (MistypedCodeError, WrongKindCodeError):
        return False
    except CodeError:
        return True
    return True


def _log(*, unsafe: bool, verbose: bool) -> None:
    """Libraries log addresses, so nothing is shown unless it was asked for; standard output is never used."""
    root = logging.getLogger()
    if unsafe:
        level = logging.DEBUG if verbose else logging.INFO
        logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    elif not root.handlers:
        root.addHandler(logging.NullHandler())
