"""Progress bars on a terminal, one for each transfer: what the receiver has on disk, the rate, the time left."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from mayfly_cli.tally import Tally


class Bars:
    """A context that draws below what is printed on the console; nothing where that is no terminal."""

    def __init__(self, tally: Tally, console: Console) -> None:
        self._tally = tally
        self._tasks: dict[tuple[str, int], TaskID] = {}
        self._progress = Progress(
            TextColumn(
                "{task.description}", markup=False, table_column=Column(ratio=3, no_wrap=True, overflow="ellipsis")
            ),
            BarColumn(bar_width=None, table_column=Column(ratio=2, min_width=6)),
            TextColumn("{task.fields[figures]}", markup=False, table_column=Column(no_wrap=True, justify="right")),
            console=console,
            auto_refresh=False,
            expand=True,
            disable=not console.is_terminal or console.is_dumb_terminal,
        )

    def __enter__(self) -> Bars:
        self._progress.start()
        self.refresh()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._progress.stop()

    def refresh(self) -> None:
        """Draw what the tally says now; the bars of what has ended go, since their end has been told in a line."""
        for transfer in self._tally.running():
            key = transfer.transfer, transfer.peer
            if key not in self._tasks:
                self._tasks[key] = self._progress.add_task(transfer.label(), total=None, figures="")
            self._progress.update(
                self._tasks[key], total=transfer.total, completed=transfer.done, figures=transfer.figures()
            )
        running = {(transfer.transfer, transfer.peer) for transfer in self._tally.running()}
        for key in set(self._tasks) - running:
            self._progress.remove_task(self._tasks.pop(key))
        self._progress.refresh()
