"""What the receiver reports, counted; and what it cannot report."""

from __future__ import annotations

import pytest

from mayfly.files.fields import FilesError
from mayfly.files.progress import SentFiles


def sent(*files: tuple[int, int, int]) -> SentFiles:
    """Files as (index, offset, size), sent whole."""
    found = SentFiles()
    for index, offset, size in files:
        found.began(index, offset)
        found.sent(size - offset)
        found.ended()
    return found


def test_progress_counts_what_is_on_the_receiver_s_disk() -> None:
    files = sent((1, 0, 10), (4, 5, 20))
    assert files.unstored == 25
    files.skipped(7)
    assert (files.on_disk, files.waiting) == (12, True)
    files.reached(1, 4)
    files.reached(1, 4)
    assert (files.on_disk, files.unstored) == (16, 21)
    files.done(1)
    files.reached(4, 20)
    files.done(4)
    assert (files.on_disk, files.waiting, files.unstored) == (37, False, 0)


@pytest.mark.parametrize(("index", "offset"), [(4, 1), (2, 1), (1, 11), (1, 1)])
def test_reports_of_what_cannot_be_are_refused(index: int, offset: int) -> None:
    files = sent((1, 2, 10), (4, 0, 20))
    with pytest.raises(FilesError):
        files.reached(index, offset)


def test_a_file_is_done_in_its_turn_and_when_all_of_it_was_sent() -> None:
    files = sent((1, 0, 10))
    files.began(2, 0)
    files.sent(5)
    with pytest.raises(FilesError):
        files.done(2)
    files.done(1)
    with pytest.raises(FilesError, match="not sent whole"):
        files.done(2)
    files.ended()
    files.done(2)
    with pytest.raises(FilesError):
        files.done(2)
