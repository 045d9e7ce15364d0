"""What all tests share: the `needs` marker, for tests that drive a real program, an end for those that hang, and no
deadline for an example."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest
from hypothesis import settings

from support.programs import find_program

pytest_plugins = ["support.hung"]

# How long one example takes says more about the machine than about the code: beside others it fails now and then.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def _missing(name: str) -> bool:
    if name == "root":
        return os.geteuid() != 0
    if name == "wrtc":
        return find_spec("webrtc") is None
    return find_program(name) is None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, by name, a test whose real program is missing. In CI that is a failure: nothing there goes untested."""
    missing = [str(name) for mark in item.iter_markers("needs") for name in mark.args if _missing(str(name))]
    if not missing:
        return
    reason = f"needs {', '.join(missing)}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, which tests/support/install-debian.sh should have provided", pytrace=False)
    pytest.skip(reason)
