"""What `make lowest` installs is the lower bound of each dependency."""

from __future__ import annotations

from release.lowest import lowest


def test_each_lower_bound_becomes_a_version() -> None:
    requirements = ["aiohttp>=3.14.4,<4", "uvloop>=0.21,<1; sys_platform != 'win32'", "python-socks[asyncio]>=3,<4"]
    assert lowest(requirements) == ["aiohttp==3.14.4", "python-socks==3", "uvloop==0.21"]
