"""The limit of open files, which a process may raise and which nothing here lowers."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from mayfly.runtime import descriptors


@pytest.fixture
def before() -> Iterator[tuple[int, int]]:
    found = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield found
    resource.setrlimit(resource.RLIMIT_NOFILE, found)


def test_the_limit_only_grows(before: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    assert descriptors.raise_limit(300) == 512
    assert descriptors.limit() == 512
    assert descriptors.raise_limit(600) == 600
    assert descriptors.limit() == 600
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] == before[1]


def test_more_than_the_system_allows_is_as_much_as_it_allows(before: tuple[int, int]) -> None:
    wanted = 10**9
    got = descriptors.raise_limit(wanted)
    assert got == descriptors.limit()
    assert before[0] <= got <= wanted


def test_no_limit_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert descriptors.limit() is None
    assert descriptors.raise_limit(5000) == 5000
