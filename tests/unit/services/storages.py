"""Storages on a real disk, and one large file to put there."""

from __future__ import annotations

import random
from pathlib import Path

from mayfly.files.records import BLOCK
from mayfly.services.storage import Plan, Storage
from unit.services.manifests import file, plan

BIG = random.Random(1).randbytes(2 * BLOCK + 123)
ONE = plan(file(0, "big", len(BIG)))


def opened(what: Plan, into: Path, *, overwrite: bool = False) -> Storage:
    storage = Storage(what, into, overwrite=overwrite)
    storage.open()
    return storage


def write_big(storage: Storage, index: int, start: int = 0, end: int = len(BIG)) -> None:
    for at in range(start, end, BLOCK):
        storage.write(index, at, BIG[at : min(at + BLOCK, end)])
        storage.sync(index, min(at + BLOCK, end))


def what_stands(into: Path) -> list[str]:
    return sorted(path.relative_to(into).as_posix() for path in into.rglob("*"))
