"""What the command hands over."""

from __future__ import annotations

import dataclasses

import pytest

from mayfly_relay.limits import RelayLimits
from mayfly_relay.options import RelayOptions
from mayfly_relay.policy import ExitPolicy


def test_the_defaults_are_the_cautious_ones() -> None:
    options = RelayOptions()
    assert options.code is None
    assert options.policy == ExitPolicy()
    assert options.limits == RelayLimits()
    assert options.lifetime == 3600
    assert options.grace == 30
    assert not options.unsafe_logging


def test_options_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RelayOptions().lifetime = 0  # type: ignore[misc]
