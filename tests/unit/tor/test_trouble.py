"""What is told of a tor that is not ready."""

from __future__ import annotations

from mayfly.runtime.events import Event, Warned
from mayfly.tor.status import TorPhase, TorStatus
from mayfly.tor.trouble import WAIT, Trouble


class Told:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def report(self, event: Event) -> None:
        """Remember one."""
        self.events.append(event)


def stuck(problem: str) -> TorStatus:
    return TorStatus(TorPhase.BOOTSTRAPPING, 5, "reaching the Tor network", problem)


def test_each_problem_is_told_once() -> None:
    told = Told()
    trouble = Trouble(told)
    for problem in ("no route.", "", "no route.", "refused", "no route.", "refused"):
        trouble.heed(stuck(problem))
    assert told.events == [
        Warned("tor", "Tor is not ready: reaching the Tor network. It says: no route.", WAIT),
        Warned("tor", "Tor is not ready: reaching the Tor network. It says: refused.", WAIT),
    ]


def test_and_again_after_tor_was_ready() -> None:
    told = Told()
    trouble = Trouble(told)
    trouble.heed(stuck("no route"))
    trouble.heed(TorStatus(TorPhase.READY, 100, "ready"))
    trouble.heed(stuck("no route"))
    assert len(told.events) == 2
