"""How long to wait after a failure: longer each time, and never the same for two who failed together."""

from __future__ import annotations

from mayfly.meetconfig import MeetingConfig


class Backoff:
    """The pauses of one task. `pause(chance)` takes a random number from [0, 1) and gives seconds."""

    def __init__(self, config: MeetingConfig) -> None:
        self._config = config
        self._failures = 0

    def pause(self, chance: float, asked: float | None = None) -> float:
        """The pause after one more failure: the upper half of the step at most, the lower at least.

        `asked` is what the other side wants us to wait at least; more than the longest pause it does not get.
        """
        step: float = min(self._config.backoff * 2.0**self._failures, self._config.max_backoff)
        self._failures = min(self._failures + 1, 16)
        drawn = step * (1 + chance) / 2
        return max(drawn, min(asked * (1 + chance / 4), self._config.max_backoff)) if asked is not None else drawn

    def reset(self) -> None:
        """It worked."""
        self._failures = 0
