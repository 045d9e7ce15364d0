"""The broker's limits."""

from __future__ import annotations

from dataclasses import replace

from mayfly.rendezvous.messages import LIMITS
from mayfly_broker.config import BrokerConfig


def test_they_fit_each_other_and_the_protocol() -> None:
    config = BrokerConfig()
    assert config.lease > LIMITS.max_wait + config.cut_lease  # a relay that polls never lapses
    assert config.max_mailbox >= (LIMITS.max_message * 4 + 2) // 3
    assert LIMITS.max_events * (LIMITS.max_message * 4 // 3 + 200) < LIMITS.max_answer
    assert config.prefix_claims >= config.tries
    assert config.openings > config.tries


def test_the_worst_case_follows_its_parts() -> None:
    config = BrokerConfig()
    assert config.worst_case_memory < 800 * 1024 * 1024
    for name in ("max_postings", "max_matches", "max_mailbox", "max_connections", "max_prefixes"):
        assert replace(config, **{name: getattr(config, name) + 1000}).worst_case_memory > config.worst_case_memory
