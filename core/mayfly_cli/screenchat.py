"""The chat of a person at a terminal: the screen, joined to the chat."""

from __future__ import annotations

import asyncio
import contextlib

from mayfly.errors import ExitCode
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.tasks import first_of
from mayfly_cli import typed
from mayfly_cli.chatting import Chat
from mayfly_cli.conversation import HERE, short
from mayfly_cli.names import shown
from mayfly_cli.people import People
from mayfly_cli.screen import Screen

LAST_WORDS = 5.0
"""Seconds that receipts are waited for when the person leaves."""

MAX_LETTERS = 5
"""Messages that are shown while they travel."""


async def at_terminal(chat: Chat, people: People, shutdown: Shutdown, screen: Screen | None = None) -> int:
    """Chat until the person leaves or the program is gone; gives the exit code."""
    conversation = people.conversation
    conversation.offer_hint = HERE
    await chat.begin()
    others = ", ".join(map(shown, chat.names)) or "nobody yet"
    people.hint(f"You are {shown(chat.name)}. Here: {others}. /help lists the commands, Ctrl-D leaves.")
    screen = screen or Screen(
        complete=lambda text: typed.complete(text, chat.names),
        pending=lambda: pending(chat),
    )
    conversation.changed = screen.refresh
    listening = asyncio.Event()

    async def listen() -> None:
        await chat.listen()
        listening.set()

    try:
        await first_of(screen.run(chat.obey), listen(), shutdown.drain.wait())
        if not listening.is_set() and not shutdown.drain.is_set():
            await last_words(chat)
    finally:
        conversation.changed = lambda: None
        conversation.settle()
    if listening.is_set():
        people.hint("The chat is over." if chat.own else "The program has ended, and the chat with it.")
    return ExitCode.OK


async def last_words(chat: Chat) -> None:
    """Wait a moment for the receipts of what was said last."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_WORDS):
            await first_of(chat.listen(), chat.all_arrived())


def pending(chat: Chat) -> list[str]:
    """Our own messages that travel, and what the transfers do: a line each."""
    letters = ["… " + short(letter.text) for letter in chat.mail.waiting()]
    hidden = len(letters) - MAX_LETTERS
    if hidden > 0:
        letters = [f"… {hidden} more", *letters[hidden:]]
    return letters + [f"[{each.number}] {each.label()}: {each.figures()}" for each in chat.tally.running()]
