"""How a tor gets ready, for people: a bar on a terminal, a line for each step where there is none."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from mayfly.runtime.events import Renewed, TorChanged
from mayfly.runtime.terminal import printable
from mayfly_cli.units import in_words


class TorBar:
    """Tells `tor` events through `say`; while tor gets ready, a bar stands below what is said."""

    def __init__(
        self, say: Callable[[Text], None], console: Console, write: Callable[[Callable[[], None]], None]
    ) -> None:
        self._say = say
        self._console = console
        self._write = write  # as Output.write: a terminal that is gone raises nothing
        self._bar: Progress | None = None
        self._told = ""
        self._problem: str | None = None

    def changed(self, event: TorChanged) -> None:
        """Show a step."""
        words = printable(event.words)
        if event.state != "bootstrapping":
            self._problem = None
        if event.state == "ready":
            self.end()
            self._line("Tor is ready.", "bold")
        elif event.state == "down":
            self.end()
            problem = f" {printable(event.problem)}" if event.problem else ""
            self._line(
                f"Tor is {words}.{problem} Until it is back, clients are told that the network is down.", "yellow"
            )
        elif self._console.is_terminal and not self._console.is_dumb_terminal:
            self._draw(words, event.percent)
            self._warn(event)
        else:
            if words != self._told:
                self._line(f"Tor: {words} ({event.percent} %)")
            self._warn(event)
        self._told = words

    def end(self) -> None:
        """Take the bar away: tor is ready, or nobody waits for it any more. Idempotent."""
        if self._bar is not None:
            self._write(self._bar.stop)
            self._bar = None

    def renewed(self, event: Renewed) -> None:
        """Say what `newnym` did."""
        later = f" Tor forgets the names it looked up in {in_words(event.seconds)}." if event.seconds >= 1 else ""
        self._line(f"From now on, connections take new circuits.{later}")

    def _draw(self, words: str, percent: int) -> None:
        if self._bar is None:
            self._bar = Progress(
                TextColumn("Tor: {task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.percentage:.0f} %", markup=False),
                console=self._console,
                auto_refresh=False,
                transient=True,
            )
            self._bar.add_task(words, total=100)
            self._write(self._bar.start)
        self._bar.update(self._bar.task_ids[0], description=words, completed=percent)
        self._write(self._bar.refresh)

    def _warn(self, event: TorChanged) -> None:
        if event.problem and event.problem != self._problem:  # tor repeats it for every relay that it tries
            self._problem = event.problem
            self._line(f"Tor reports a problem: {printable(event.problem)}", "yellow")

    def _line(self, text: str, style: str = "") -> None:
        self._say(Text(text, style))
