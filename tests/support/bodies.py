"""Bodies of any size that anyone can make again and whose SHA-256 is known. Standard library only: the demo uses it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

BLOCK = 64 * 1024
_PATTERN = random.Random(2).randbytes(BLOCK)


def body(size: int) -> Iterator[bytes]:
    """`size` bytes in blocks. Each block carries its own number, so that none can be swapped or doubled."""
    for number in range((size + BLOCK - 1) // BLOCK):
        block = number.to_bytes(8, "big") + _PATTERN[8:]
        yield block[: size - number * BLOCK]


@cache
def body_sha256(size: int) -> str:
    """The SHA-256 of `body(size)`, in hexadecimal."""
    digest = hashlib.sha256()
    for block in body(size):
        digest.update(block)
    return digest.hexdigest()


def write_body(path: Path, size: int) -> None:
    """Write the body to a file, for uploads."""
    with path.open("wb") as file:
        for block in body(size):
            file.write(block)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
