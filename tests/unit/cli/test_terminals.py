"""Whether a person is there."""

from __future__ import annotations

import io
import os
import pty
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

import pytest

from mayfly_cli.terminals import can_ask, can_show


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        yield stream
    os.close(ours)


@pytest.mark.parametrize(("asked", "name"), [(can_ask, "stdin"), (can_show, "stdout")])
def test_a_terminal_has_a_person_and_nothing_else_has(
    monkeypatch: pytest.MonkeyPatch, terminal: TextIO, asked: Callable[[], bool], name: str
) -> None:
    monkeypatch.setattr(sys, name, terminal)
    assert asked()
    for other in (io.StringIO(), None):
        monkeypatch.setattr(sys, name, other)
        assert not asked()
