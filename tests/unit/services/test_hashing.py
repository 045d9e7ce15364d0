"""Hashes of files, and what makes two source sets the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from blake3 import blake3

from mayfly.files.records import Entry, EntryType
from mayfly.services.hashing import RunningHash, hash_prefix, transfer_id

A = Entry(0, ("d", "a"), EntryType.FILE, 5, 1_000, False)
B = Entry(1, ("d", "b"), EntryType.FILE, 6, 2_000, True)


def test_the_hash_goes_on_and_a_copy_stays() -> None:
    running = RunningHash()
    running.add(b"one")
    before = running.copy()
    running.add(memoryview(b" two"))
    assert running.digest() == blake3(b"one two").digest()
    assert running.length == 7
    assert before.digest() == blake3(b"one").digest()
    assert before.length == 3


@pytest.mark.parametrize("length", [0, 1, 4, 9, 10])
def test_a_prefix_is_read_in_steps(length: int) -> None:
    data = b"0123456789"
    assert hash_prefix(lambda at, size: data[at : at + size], length, 4).digest() == blake3(data[:length]).digest()


def test_a_prefix_longer_than_the_file_is_the_file() -> None:
    running = hash_prefix(lambda at, size: b"012"[at : at + size], 10, 4)
    assert running.length == 3


def test_the_same_set_has_the_same_id_in_any_order() -> None:
    assert transfer_id([A, B]) == transfer_id([B, A])
    assert len(transfer_id([A])) == 16


@pytest.mark.parametrize(
    "other",
    [
        replace(A, path=("d", "c")),
        replace(A, path=("da",)),
        replace(A, size=6),
        replace(A, size=None),
        replace(A, mtime_ns=1_001),
        replace(A, executable=True),
        replace(A, type=EntryType.DIRECTORY),
        replace(A, target="x"),
    ],
)
def test_any_difference_gives_another_id(other: Entry) -> None:
    assert transfer_id([other, B]) != transfer_id([A, B])


def test_salt_keeps_two_runs_apart() -> None:
    assert len({transfer_id([A]), transfer_id([A], b"1"), transfer_id([A], b"2")}) == 3
