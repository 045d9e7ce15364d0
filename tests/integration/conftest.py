"""Fixtures of the suites with real links."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from support.own_network import own_network


@pytest.fixture
def nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No traceback, and no task whose exception nobody read: asyncio, aiortc and ours log those as errors."""
    yield
    # What the test itself logged is asked for by name: `caplog.records` has only what came since it was over.
    records = [*caplog.get_records("setup"), *caplog.get_records("call"), *caplog.records]
    assert [record for record in records if record.levelno >= logging.WARNING] == []


@pytest.fixture
def loopback_alone() -> Iterator[None]:
    """A network with nothing but loopback, since libwebrtc takes every address that there is."""
    with own_network():
        yield
