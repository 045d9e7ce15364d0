"""The way that a link takes, in words for people who know nothing of its types."""

from __future__ import annotations

_BOTH, _HERE, _THERE = "on both sides", "on this side", "on the other side"


def way(local: str | None, remote: str | None) -> str:
    """`directly, through address translation on this side`: of the types of both ends, as events have them."""
    if place := _where("relay", local, remote):
        return f"through a TURN server {place}"
    if None in (local, remote):
        return "directly or through a TURN server, which cannot be told from here"
    if place := _where("srflx", local, remote):
        return f"directly, through address translation {place}"
    return "directly, on one network or without address translation"


def _where(kind: str, local: str | None, remote: str | None) -> str:
    if local == kind:
        return _BOTH if remote == kind else _HERE
    return _THERE if remote == kind else ""
