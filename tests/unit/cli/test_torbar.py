from __future__ import annotations

import io

from rich.console import Console
from rich.text import Text

from mayfly.runtime.events import Renewed, TorChanged
from mayfly_cli.torbar import TorBar


def bar(*, terminal: bool) -> tuple[TorBar, list[str], io.StringIO]:
    """A bar, the lines it said, and what was drawn."""
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=terminal, width=100, _environ={"TERM": "xterm"})
    said: list[str] = []

    def say(text: Text) -> None:
        said.append(text.plain)

    return TorBar(say, console, lambda work: work()), said, drawn


def step(percent: int, words: str, problem: str | None = None) -> TorChanged:
    return TorChanged("bootstrapping", percent, words, problem, None)


READY = TorChanged("ready", 100, "ready", None, None)


def test_without_a_terminal_each_step_is_a_line_once() -> None:
    tor, said, drawn = bar(terminal=False)
    for event in (step(10, "reaching the Tor network"), step(14, "reaching the Tor network"), READY):
        tor.changed(event)
    assert said == ["Tor: reaching the Tor network (10 %)", "Tor is ready."]
    assert drawn.getvalue() == ""


def test_on_a_terminal_a_bar_is_drawn_until_it_is_ready() -> None:
    tor, said, drawn = bar(terminal=True)
    tor.changed(step(10, "reaching the Tor network"))
    assert "reaching the Tor network" in drawn.getvalue()
    assert "10 %" in drawn.getvalue()
    tor.changed(READY)
    tor.changed(READY)
    assert said == ["Tor is ready."] * 2


def test_who_does_not_wait_any_more_gets_the_cursor_back() -> None:
    tor, said, drawn = bar(terminal=True)
    tor.changed(step(10, "reaching the Tor network"))
    tor.end()
    tor.end()
    assert drawn.getvalue().rindex("\x1b[?25h") > drawn.getvalue().rindex("\x1b[?25l")
    assert said == []


def test_a_problem_is_told_and_escaped() -> None:
    for terminal in (True, False):
        tor, said, _ = bar(terminal=terminal)
        tor.changed(step(10, "reaching the Tor network", "no\x1b[2J way"))
        assert any("Tor reports a problem: no" in line for line in said)
        assert not any("\x1b" in line for line in said)
        tor.changed(READY)


def test_a_problem_is_told_once_until_it_is_another() -> None:
    tor, said, _ = bar(terminal=True)
    for problem in ("no way", "no way", None, "no way", "a wall", "a wall"):
        tor.changed(step(14, "reaching the Tor network", problem))
    tor.changed(READY)
    tor.changed(step(14, "reaching the Tor network", "a wall"))
    told = [f"Tor reports a problem: {problem}" for problem in ("no way", "a wall", "a wall")]
    assert said == [*told[:2], "Tor is ready.", told[2]]


def test_one_that_is_gone() -> None:
    tor, said, _ = bar(terminal=True)
    tor.changed(step(10, "reaching the Tor network"))
    tor.changed(TorChanged("down", 0, "not running; it is started again in 1 s", "Tor has ended.", 1.0))
    assert said == [
        "Tor is not running; it is started again in 1 s. Tor has ended. "
        "Until it is back, clients are told that the network is down."
    ]


def test_renewed() -> None:
    tor, said, _ = bar(terminal=False)
    tor.renewed(Renewed(0.0))
    tor.renewed(Renewed(9.5))
    assert said[0] == "From now on, connections take new circuits."
    assert said[1].startswith(f"{said[0]} Tor forgets the names it looked up in ")
