"""Options of brokers."""

from __future__ import annotations

import pytest

from mayfly.runtime.broker.options import BrokerOptions


def test_at_least_one_broker() -> None:
    with pytest.raises(ValueError, match="at least one"):
        BrokerOptions(brokers=())
