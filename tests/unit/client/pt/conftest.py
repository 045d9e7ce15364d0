"""Fixtures of the pluggable transport's tests."""

from __future__ import annotations

import pytest

from mayfly.transport.memory_engine import MemoryNetwork
from unit.client.pt.relays import Relays


@pytest.fixture
def relays(monkeypatch: pytest.MonkeyPatch) -> Relays:
    """With words that tell which codes have met."""
    monkeypatch.setattr("mayfly.runtime.meeting.verification_words", lambda offer, answer: (offer.text, answer.text))
    return Relays(MemoryNetwork())
