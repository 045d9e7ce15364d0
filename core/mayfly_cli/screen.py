"""The chat's screen: what comes in is shown above the line that is being typed.

prompt_toolkit draws it. It is given the terminal under a file description of its own, because uvloop makes what it
watches non-blocking, and standard output usually shares standard input's description.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output
from prompt_toolkit.patch_stdout import patch_stdout

from mayfly.runtime.terminal import printable
from mayfly_cli.rawterminal import RawTerminal, uncooked


class Screen:
    """Reads lines until the person leaves.

    `complete` proposes what the last word of a text may become. `pending` gives lines that stand just above what is
    typed and change there, safe to print; it is asked again at `refresh`. The arrow keys bring back what was typed
    before; it is kept in memory and nowhere else.
    """

    def __init__(
        self,
        *,
        complete: Callable[[str], Iterable[str]],
        pending: Callable[[], list[str]],
        terminal: tuple[Input, Output] | None = None,
    ) -> None:
        self._pending = pending
        self._own: TextIO | None = None
        if terminal is None:
            self._own = Path(os.ttyname(0)).open(encoding="utf-8")  # noqa: SIM115 - closed by run
            source: Input = RawTerminal(self._own)
        else:
            source = terminal[0]
        self._descriptor = source.fileno()
        self._session: PromptSession[str] = PromptSession(
            message=self._message,
            completer=_Words(complete),
            complete_while_typing=False,
            key_bindings=_bindings(),
            multiline=True,
            prompt_continuation="  ",
            erase_when_done=True,
            reserve_space_for_menu=4,
            input=source,
            output=terminal[1] if terminal else None,
        )

    async def run(self, typed: Callable[[str], Awaitable[bool]]) -> bool:
        """Hand each line to `typed` until it says False, or Ctrl-D, or Ctrl-C on an empty line: then it gives True."""
        try:
            # What is printed has been made safe before.
            with uncooked(self._descriptor), patch_stdout(raw=True):
                going = True
                while going:
                    try:
                        line = await self._session.prompt_async(set_exception_handler=False, handle_sigint=False)
                        going = await typed(line)
                    except EOFError:
                        return False
                    except KeyboardInterrupt:
                        return True
            return False
        finally:
            if self._own is not None:
                self._own.close()

    def refresh(self) -> None:
        """Draw anew, because something of `pending` has changed."""
        self._session.app.invalidate()

    def _message(self) -> FormattedText:
        return FormattedText([*(("ansibrightblack", f"{line}\n") for line in self._pending()), ("bold", "> ")])


class _Words(Completer):
    def __init__(self, complete: Callable[[str], Iterable[str]]) -> None:
        self._complete = complete

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        word = text.rpartition(" ")[2]
        for found in self._complete(text):
            yield Completion(found, start_position=-len(word), display=printable(found.rstrip()))


def _bindings() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    @keys.add("c-j")  # what Enter sends at some terminals, and what was typed before the chat had this one
    def send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    @keys.add("escape", "c-j")
    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c")
    def clear_or_leave(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt)

    return keys
