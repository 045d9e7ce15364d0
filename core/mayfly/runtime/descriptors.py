"""How many descriptors this process may have: sockets and files together. What the system gives at first is often 1,024
or 256, less than a busy program needs; up to a second limit each process may raise it by itself."""

from __future__ import annotations

import resource


def limit() -> int | None:
    """How many there may be now; None for any number."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def raise_limit(wanted: int) -> int:
    """Allow this process as many descriptors as it may have, up to what is wanted. Returns how many it got."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft if soft != resource.RLIM_INFINITY else wanted
