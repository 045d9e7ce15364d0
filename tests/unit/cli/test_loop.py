"""Which event loop runs."""

from __future__ import annotations

import asyncio
import sys

import pytest

from mayfly.errors import UsageError
from mayfly_cli import loop


async def kind() -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


def test_asyncio_by_choice() -> None:
    assert loop.run(kind(), "asyncio") == "asyncio"


@pytest.mark.parametrize("choice", ["auto", "uvloop"])
def test_uvloop_where_it_is_installed(choice: str) -> None:
    pytest.importorskip("uvloop")
    assert loop.run(kind(), choice) == "uvloop"


def test_auto_goes_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop.run(kind(), "auto") == "asyncio"
    with pytest.raises(UsageError, match="uvloop is not installed"):
        loop.run(kind(), "uvloop")
