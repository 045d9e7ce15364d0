"""Bytes in words."""

from __future__ import annotations

import pytest

from mayfly.runtime.amounts import amount


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1234, "1.2 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"),
        (10**10, "10.0 GB"), (2**62, "4.6 EB"), (10**22, "10000.0 EB"),
    ],
)  # fmt: skip
def test_amounts(size: float, text: str) -> None:
    assert amount(size) == text
