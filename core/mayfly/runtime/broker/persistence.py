"""Trying again: what failed is said once, the pauses grow, and no two programs try in step."""

from __future__ import annotations

import asyncio

from mayfly.errors import BrokerRefusedError, MayflyError
from mayfly.meetconfig import MeetingConfig
from mayfly.rendezvous.backoff import Backoff
from mayfly.runtime.broker.brokers import chance
from mayfly.runtime.events import Reporter, Warned


class Persistence:
    """One task's patience."""

    def __init__(self, reporter: Reporter, config: MeetingConfig) -> None:
        self._reporter = reporter
        self._backoff = Backoff(config)
        self._said = ""

    async def failed(self, error: MayflyError, *, said: bool = True) -> None:
        """Say why, unless it was the last thing said or is not to be `said`, and wait."""
        if said and error.message != self._said:
            self._said = error.message
            self._reporter.report(Warned.of(error))
        asked = error.retry_after if isinstance(error, BrokerRefusedError) else None
        await asyncio.sleep(self._backoff.pause(chance(), asked))

    def worked(self) -> None:
        """It did."""
        self._said = ""
        self._backoff.reset()
