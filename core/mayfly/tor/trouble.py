"""What stands in the way of a tor that a program waits for, told to whoever started the program."""

from __future__ import annotations

from mayfly.runtime.events import Reporter, Warned
from mayfly.tor.status import TorStatus

WAIT = "Tor tries again by itself. Where the Tor network is blocked, give it bridges with --torrc-line."


class Trouble:
    """Tells each problem once, until tor is ready: tor repeats it for every relay that it tries."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._told: set[str] = set()

    def heed(self, status: TorStatus) -> None:
        """Take in a status, as `driver.Tor` gives it."""
        if status.ready:
            self._told.clear()
        elif status.problem and status.problem not in self._told:
            self._told.add(status.problem)
            self._reporter.report(Warned("tor", f"{status.not_ready} It says: {status.problem.rstrip('.')}.", WAIT))
