"""Fixtures of the relay's tests."""

from __future__ import annotations

import pytest

from unit.relay.scripted import ScriptedResolver


@pytest.fixture
def resolver() -> ScriptedResolver:
    return ScriptedResolver()
