"""What is outstanding, by TSN, and what SACKs have told of it (RFC 9260 §6.2.1, §6.3). TSNs here are unwrapped."""

from __future__ import annotations

from mayfly.sctp.endings import UNACKNOWLEDGED, BrokenRuleError
from mayfly.sctp.flight import ACKNOWLEDGED, LOST, Sent
from mayfly.sctp.ranges import newly_covered
from mayfly.sctp.wire import TSN_HALF, TSN_MASK, Sack


class Scoreboard:
    """Chunks that have left and are not acknowledged up to. A SACK costs what it tells for the first time."""

    __slots__ = ("_blocks", "_first", "acked", "next", "outstanding")

    def __init__(self, first: int) -> None:
        self._first = first
        self._blocks: list[tuple[int, int]] = []
        self.outstanding: dict[int, Sent] = {}
        self.next = 0
        self.acked = -1
        """Everything up to it has arrived."""

    def wire(self, tsn: int) -> int:
        """A TSN as it stands in a chunk."""
        return (self._first + tsn) & TSN_MASK

    @property
    def reported(self) -> int:
        """The highest TSN that was ever acknowledged."""
        return self._blocks[-1][1] if self._blocks else self.acked

    def take(self, sack: Sack) -> tuple[bool, list[Sent]] | None:
        """Whether a SACK moves `acked` on, and the chunks that it tells of for the first time.

        None for one that was overtaken by a later one. Raises BrokenRuleError when it tells of what was never sent.
        """
        acked = self.acked
        ahead = (sack.cumulative - self._first - acked) & TSN_MASK
        if ahead >= TSN_HALF:
            return None
        cumulative = acked + ahead
        if cumulative >= self.next:
            raise BrokenRuleError(UNACKNOWLEDGED)
        outstanding = self.outstanding
        arrived: list[Sent] = []
        if ahead:
            pop = outstanding.pop
            arrived = [pop(tsn) for tsn in range(acked + 1, cumulative + 1)]
            self.acked = cumulative
        if sack.blocks or self._blocks:
            self._blocks, fresh = newly_covered(self._blocks, sack.blocks, cumulative, self.next - 1)
            for start, end in fresh:
                arrived += [outstanding[tsn] for tsn in range(start, end + 1)]
        return ahead > 0, arrived

    def renege(self) -> list[Sent]:
        """A far end that reported the next chunk and still does not move on has thrown away what it had (§6.2.1 D).

        Gives what is lost by that.
        """
        following = self.outstanding.get(self.acked + 1)
        if following is None or following.state != ACKNOWLEDGED:
            return []
        self._blocks = []
        lost = [chunk for chunk in self.outstanding.values() if chunk.state == ACKNOWLEDGED]
        for chunk in lost:
            chunk.state = LOST
        return lost
