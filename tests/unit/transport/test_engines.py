"""Engines by name."""

from __future__ import annotations

import pytest

from mayfly.errors import UsageError
from mayfly.transport.engines import make_engine


@pytest.mark.parametrize(("name", "made"), [("auto", "aiortc"), ("aiortc", "aiortc"), ("aiortc-stock", "aiortc-stock")])
def test_engines_by_name(name: str, made: str) -> None:
    assert make_engine(name).name == made


def test_an_unknown_engine_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        make_engine("wishful")
    assert "aiortc" in caught.value.hint
