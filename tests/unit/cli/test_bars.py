"""Progress bars."""

from __future__ import annotations

import re

from mayfly.runtime.events import Progress, TransferChanged
from mayfly_cli.bars import Bars
from unit.cli.played import Listener


def test_a_bar_shows_what_the_receiver_has() -> None:
    listener = Listener(width=80, terminal=True)
    tally = listener.people.conversation.tally
    with Bars(tally, listener.people.console) as bars:
        tally.begin("ab", 1, outgoing=True, name="film.mkv", who="anna", total=2_000_000)
        tally.note(TransferChanged("ab", 1, "accepted", ""))
        tally.note(Progress("ab", 1, 1_000_000, None, 100_000.0))
        bars.refresh()
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", listener.out)
        assert "film.mkv to" in text
        assert "50 % · 1.0 MB of 2.0 MB · 100.0 kB/s · 0:10 left" in text
        assert "━" in text
        tally.note(TransferChanged("ab", 1, "completed", ""))
        bars.refresh()
        assert bars._tasks == {}


def test_names_are_no_markup_and_long_ones_are_cut() -> None:
    listener = Listener(width=80, terminal=True)
    tally = listener.people.conversation.tally
    tally.begin("ab", 1, outgoing=True, name="[bold]x[/bold]{task}" + "y" * 200, who="anna")
    with Bars(tally, listener.people.console):
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", listener.out)
    assert "[bold]x[/bold]" in text
    assert "…" in text
    assert max(len(line) for line in re.split("[\r\n]", text)) <= 80


def test_a_file_gets_no_bars() -> None:
    listener = Listener()
    listener.people.conversation.tally.begin("ab", 1, outgoing=True, name="n", who="anna")
    with Bars(listener.people.conversation.tally, listener.people.console) as bars:
        bars.refresh()
    assert listener.out == ""
