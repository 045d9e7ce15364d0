"""A network namespace that has loopback alone, entered by the test's own thread: for libwebrtc, in this process.

libwebrtc cannot be told where to bind, so the network has to hold nothing but what a test may use. Its threads are
made by the first connection of a process and stay in the namespace in which that happened; hence the one namespace,
entered again for each test, and left again by the rest.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from support.programs import program

_CLONE_NEWNET = 0x40000000
_THREAD_NETWORK = Path("/proc/thread-self/ns/net")
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), "the network namespace cannot be entered")


@cache
def _namespace() -> int:
    """Made at its first use; the descriptor keeps it. The calling thread is in it afterwards."""
    _check(_libc.unshare(_CLONE_NEWNET))
    subprocess.run([program("ip"), "link", "set", "lo", "up"], check=True)
    with contextlib.suppress(ImportError):
        import webrtc

        webrtc.allow_loopback()  # counts only before the first connection
    return os.open(_THREAD_NETWORK, os.O_RDONLY)


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """Be there while the block lasts; needs root. Threads and children made meanwhile are there for good."""
    before = os.open(_THREAD_NETWORK, os.O_RDONLY)
    try:
        _check(_libc.setns(_namespace(), _CLONE_NEWNET))
        yield
    finally:
        _check(_libc.setns(before, _CLONE_NEWNET))
        os.close(before)


@contextlib.contextmanager
def cut() -> Iterator[None]:
    """Inside `own_network`: drop every UDP datagram without a word while the block lasts. Needs nft."""
    nft = program("nft")
    rules = "table inet cut {\nchain c {\ntype filter hook input priority 0; meta l4proto udp drop\n}\n}\n"
    subprocess.run([nft, "-f", "-"], input=rules.encode(), check=True)
    try:
        yield
    finally:
        subprocess.run([nft, "delete", "table", "inet", "cut"], check=True)


@contextlib.contextmanager
def address(text: str) -> Iterator[None]:
    """Inside `own_network`: have one more address while the block lasts, for what is not done on loopback."""
    ip = program("ip")
    subprocess.run([ip, "addr", "add", text, "dev", "lo"], check=True)
    try:
        yield
    finally:
        subprocess.run([ip, "addr", "del", text, "dev", "lo"], check=True)
