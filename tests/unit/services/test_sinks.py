"""The two places that are no files, and what the disk says in words."""

from __future__ import annotations

import errno
import os

import pytest

from mayfly.files.records import Reason
from mayfly.services.sinks import Output, Sink, StorageError, Text
from unit.services.manifests import file, folder


def use(sink: Sink) -> None:
    sink.open()
    assert (sink.whole, sink.part, sink.batches) == (frozenset(), (-1, 0), False)
    sink.hash_part(lambda data: pytest.fail("nothing is there"))
    sink.write(0, 0, b"one ")
    sink.write(0, 4, b"two")
    sink.sync(0, 7)
    sink.finish(0)
    sink.publish()
    sink.close()


def test_output_goes_to_the_descriptor_which_stays_open() -> None:
    ours, theirs = os.pipe()
    use(Output([file(0, "x", 7)], theirs))
    assert os.read(ours, 100) == b"one two"
    os.write(theirs, b"still open")
    for descriptor in (ours, theirs):
        os.close(descriptor)


def test_an_output_that_nobody_reads_any_more_is_an_error() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with pytest.raises(StorageError) as broken:
        Output([file(0, "x", 7)], theirs).write(0, 0, b"x")
    os.close(theirs)
    assert broken.value.reason is Reason.DISK_FAILED


def test_a_text_is_kept() -> None:
    sink = Text([file(0, "text", 7)])
    use(sink)
    assert sink.text == "one two"


def test_a_text_in_one_piece_and_broken_characters() -> None:
    sink = Text([file(0, "text", 2)])
    sink.write_small(0, b"a\xff")
    sink.place_small([0])
    assert sink.text == "a\ufffd"
    sink.discard()


@pytest.mark.parametrize("entries", [[file(0, "a", 1), file(1, "b", 1)], [folder(0, "d")]])
def test_only_one_file_goes_to_an_output(entries: list[object]) -> None:
    with pytest.raises(StorageError):
        Output(entries, 1).open()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, Reason.DISK_FULL),
        (errno.EDQUOT, Reason.DISK_FULL),
        (errno.EFBIG, Reason.DISK_FULL),
        (errno.EEXIST, Reason.EXISTS),
        (errno.EACCES, Reason.DISK_FAILED),
        (errno.EIO, Reason.DISK_FAILED),
    ],
)
def test_what_the_system_says_becomes_a_reason(number: int, reason: Reason) -> None:
    error = StorageError.of(OSError(number, "words"), "cannot write x")
    assert error.reason is reason
    assert error.message.startswith("cannot write x: ")
