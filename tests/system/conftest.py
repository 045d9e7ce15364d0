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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests with the Tor network first: pytest-xdist's `worksteal` has one worker begin with them."""
    items.sort(key=lambda item: "tor_network" not in getattr(item, "fixturenames", ()))
