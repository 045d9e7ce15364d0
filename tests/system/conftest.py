"""What tests with real programs share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import tor_network as private


@pytest.fixture(scope="session")
def tor_network() -> Iterator[private.TorNetwork]:
    """A private Tor network for the whole session; up in 12 to 20 s, at the first test that asks for it.

    Tests that use it say `@pytest.mark.needs(*support.tor_network.PROGRAMS)`.
    """
    with private.tor_network() as network:
        yield network


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give all tests that use the Tor network to the same worker, so that it is made once."""
    for item in items:
        if "tor_network" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("tor"))
