"""The limits in meeting."""

from __future__ import annotations

import pytest

from mayfly.config import RendezvousConfig
from mayfly.meetconfig import MeetingConfig, PoolConfig


def test_what_a_client_excludes_fits_what_a_broker_takes() -> None:
    pool = PoolConfig()
    assert pool.max_failures + 8 <= RendezvousConfig().max_exclude


def test_a_response_holds_the_largest_body() -> None:
    assert MeetingConfig().max_response >= RendezvousConfig().max_body


@pytest.mark.parametrize("count", [0, 9])
def test_how_many_relays(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 8"):
        PoolConfig(relays=count)
