"""Plays the console blocks of a page's section: what stands there is typed at terminals, what is shown must appear."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from support.pages import Block, Kind, Line, filled_in, said
from support.programs import ProgramError, poll
from support.terminal import Terminal
from support.unplayed import UNPLAYED

STAYS = re.compile(r"mayfly (relay|client|chat|broker|send|receive)\b")
"""Commands that may run on when the page ends; Ctrl-C must then end them in order."""
ENDED = (0, 130)
_PROMPT = re.compile(r"^ready (\d+)> ", re.MULTILINE)
_SHELL = ("bash", "--norc", "--noprofile", "--noediting", "-i")

Start = Callable[[str], tuple[Sequence[str], Mapping[str, str], Path]]
"""For the word behind `console`: what stands before the shell's argv, its variables, its directory."""


class Shell:
    """A person's shell at a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.prompts = 0
        self.command = ""
        self._read = 0

    async def status(self, timeout: float = 30.0) -> int:
        """Wait for the prompt behind the last command, and give that command's exit status."""
        pattern = rf"(?ms)(?:^ready \d+> .*?){{{self.prompts}}}^ready (\d+)> "
        return int((await self.terminal.shows(pattern, timeout=timeout))[1])

    async def finished(self) -> None:
        """The last command must have succeeded."""
        status = await self.status()
        expected = ENDED if STAYS.search(self.command) else (0,)
        if status not in expected:
            raise ProgramError(f"`{self.command}` ended with status {status}")

    def type(self, text: str) -> None:
        """A line. What is shown counts from here on."""
        self._read = len(self.terminal.text)
        self.terminal.press(text + "\r")

    async def prompted(self) -> None:
        """A chat takes Enter for itself once its prompt stands again behind what it said; people do not type sooner."""
        if self.command.startswith("mayfly chat"):
            await self.terminal.shows(r"(?m)^>", after=self._read)

    async def run(self, command: str) -> None:
        """Type a command once the one before has ended."""
        await self.finished()
        self.prompts += 1
        self.command = command
        self.type(command)

    async def says(self, line: str) -> None:
        """Wait for a line that a page shows, behind the one before."""
        found = await self.terminal.shows(said(line).pattern.replace("^", "(?m)^", 1), after=self._read, timeout=60)
        self._read += found.end()

    async def leave(self) -> None:
        """Whatever runs must end in order; what may stay is interrupted once."""
        if STAYS.search(self.command) and len(_PROMPT.findall(self.terminal.text)) <= self.prompts:
            self.terminal.interrupt()
        await self.finished()
        await self.run("kill -INT $(jobs -p) 2>&- ; wait")  # what a script has left in the background
        await self.status()
        if "Traceback" in self.terminal.text:
            raise ProgramError("a traceback was shown")


async def play(acts: Sequence[Sequence[Block]], people: Mapping[str, str], start: Start) -> dict[str, str]:
    """Play acts one after another, and give all that each terminal has shown.

    `people` says whose a terminal is. In an act each person does what the page says in its order, all of them at once.

    An AssertionError says which line of the page did not come true.
    """
    shells: dict[str, Shell] = {}
    async with contextlib.AsyncExitStack() as stack:
        for act in acts:
            for where in dict.fromkeys(block.where for block in act):
                if where not in shells:
                    before, variables, folder = start(where)
                    env = {"PS1": "\\nready $?> ", "PS2": "", "PROMPT_TOOLKIT_NO_CPR": "1", **variables}
                    terminal = await stack.enter_async_context(Terminal.running(*before, *_SHELL, env=env, cwd=folder))
                    shells[where] = Shell(terminal)
            await _at_once(act, people, shells)
        for shell in reversed(shells.values()):
            await shell.leave()
        return {name: shell.terminal.text for name, shell in shells.items()}


async def _at_once(act: Sequence[Block], people: Mapping[str, str], shells: Mapping[str, Shell]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for person in dict.fromkeys(people[block.where] for block in act):
                group.create_task(_play([block for block in act if people[block.where] == person], shells))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _play(blocks: Sequence[Block], shells: Mapping[str, Shell]) -> None:
    for block in blocks:
        if any(command in UNPLAYED for command in block.commands):
            continue
        shell = shells[block.where]
        for line in block.lines:
            try:
                await _line(shell, line, [other.terminal for other in shells.values() if other is not shell])
            except AssertionError as error:
                error.add_note(f"at the line {line.text!r} of {block.page}, {block.section!r}, {block.where!r}")
                raise


async def _line(shell: Shell, line: Line, others: Sequence[Terminal]) -> None:
    match line.kind:
        case Kind.COMMAND:
            await shell.run(await _meant(line.text, shell, others))
        case Kind.TYPED:
            await shell.prompted()
            shell.type(await _meant(line.text, shell, others))
        case Kind.INTERRUPT:
            shell.terminal.interrupt()
        case Kind.SAID if line.text.strip() not in ("", "…"):
            await shell.says(line.text)
        case _:
            pass


async def _meant(text: str, shell: Shell, others: Sequence[Terminal]) -> str:
    """A line with its examples replaced by what other terminals have shown and this one has not."""
    found: list[str] = []

    def shown() -> bool:
        filled = filled_in(text, shell.terminal.text, [other.text for other in others])
        found[:] = [] if filled is None else [filled]
        return bool(found)

    await poll(shown, f"what the example in {text!r} stands for", 30)
    return found[0]
