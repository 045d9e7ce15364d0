"""Classes of ports: how a relay says what its exit policy serves, and a client what it wants.

They take the place of the policy itself: a broker learns less, and has few kinds of relays to tell apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import get_args

from mayfly.rendezvous.messages import PortClass

_NAMED: dict[PortClass, tuple[int, ...]] = {
    "web": (80, 443),
    "ssh": (22,),
    "mail": (465, 587, 993, 995),
    "chat": (5222, 5223, 6667, 6697),
}
"""Ports that have a class of their own. Port 25 has none: nobody serves it to strangers."""

NEVER = 25


def class_of(port: int) -> PortClass:
    """The class to ask for when a connection goes to that port."""
    for name, ports in _NAMED.items():
        if port in ports:
            return name
    return "high" if port >= 1024 else "low"


def served(serves: Callable[[int], bool]) -> tuple[PortClass, ...]:
    """The classes of which `serves` says yes to every port; it is asked about each port at most once."""
    return tuple(name for name in get_args(PortClass) if all(serves(port) for port in _ports(name)))


def _ports(name: PortClass) -> Iterable[int]:
    named = {port for ports in _NAMED.values() for port in ports} | {NEVER}
    whole = {"high": range(1024, 65536), "low": range(1, 1024)}
    return _NAMED[name] if name in _NAMED else (port for port in whole[name] if port not in named)
