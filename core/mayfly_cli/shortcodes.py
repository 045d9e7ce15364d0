"""The short code of a friend's relay: as an argument, from standard input, or typed at a prompt with Tab's help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mayfly.errors import MistypedCodeError
from mayfly.rendezvous.shortcode import complete, parse
from mayfly_cli import terminals
from mayfly_cli.settings import FROM_INPUT

if TYPE_CHECKING:
    from mayfly_cli import running

QUESTION = "Type the code that the relay shows; Tab completes its words."


async def settle(code: str | None, codes: running.Codes, reporter: running.Teller) -> str | None:
    """The code in its one form, or None for a relay of the pool. Raises MistypedCodeError, and EOFError."""
    from mayfly_cli.machines import Machines  # noqa: PLC0415 - `mayfly --help` must not pay for it

    if code is None:
        return None
    if code != FROM_INPUT:
        return parse(code).text
    if isinstance(reporter, Machines) or not terminals.can_ask():
        return parse(await codes.lines.filled()).text
    return await ask(reporter)


async def ask(reporter: running.Teller) -> str:
    """Ask at the terminal until the code is one. Raises EOFError at Ctrl-D, and CancelledError at Ctrl-C.

    There Ctrl-C is a key and no signal, which would cancel us in the same way.
    """
    import asyncio  # noqa: PLC0415 - `mayfly --help` must not pay for it

    from mayfly.runtime.events import Warned  # noqa: PLC0415 - only a person's prompt needs it
    from mayfly_cli.screen import Screen  # noqa: PLC0415

    found: list[str] = []

    async def typed(line: str) -> bool:
        try:
            found.append(parse(line).text)
        except MistypedCodeError as error:
            reporter.report(Warned.of(error))
        return not found

    if await Screen(complete=complete, pending=lambda: [QUESTION]).run(typed):
        raise asyncio.CancelledError
    if not found:
        raise EOFError
    return found[0]
