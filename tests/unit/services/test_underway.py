"""One transfer in words and states."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from mayfly.errors import MayflyError
from mayfly.files.records import Kind, Offer, Reason
from mayfly.files.states import Outcome
from mayfly.services.driving import Driver, Result
from mayfly.services.receiving import Into
from mayfly.services.sinks import StorageError
from mayfly.services.underway import ACCEPTED, REASONS, Underway, why

OFFER = Offer(bytes(16), Kind.FILES, "x", 100, 2)


class FakeDriver:
    def __init__(self) -> None:
        self.cancelled: list[Reason] = []

    def cancel(self, reason: Reason) -> None:
        self.cancelled.append(reason)


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(Reason) - {Reason.USER}
    for by_us, words in ((True, "by this side"), (False, "by the other side")):
        assert why(Result(Outcome.CANCELLED, Reason.USER, by_us)) == words


def test_an_error_of_our_own_says_what_to_do() -> None:
    for hint, words in (("Do it.", "no room. Do it."), ("", f"no room. {StorageError.advice}")):
        error = StorageError(Reason.DISK_FULL, "no room", hint)
        assert why(Result(Outcome.INTERRUPTED, Reason.DISK_FULL, True, error)) == words


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (None, "the link was lost"),
        (Result(Outcome.INTERRUPTED, None, False), "the link was lost"),
        (Result(Outcome.COMPLETED, None, False), ""),
        (Result(Outcome.INTERRUPTED, Reason.DISK_FULL, False), REASONS[Reason.DISK_FULL]),
        (Result(Outcome.INTERRUPTED, Reason.DISK_FULL, True, MayflyError("x is full")), "x is full"),
    ],
)
def test_an_end_says_why(result: Result | None, words: str) -> None:
    assert why(result) == words


async def test_an_offer_is_answered_once() -> None:
    transfer = Underway.of(OFFER, 1, incoming=True)
    transfer.answer = asyncio.get_running_loop().create_future()
    into = Into(Path("/x"))
    assert transfer.decide(into)
    assert not transfer.decide(Reason.USER)
    assert transfer.answer.result() is into


async def test_to_give_up_declines_what_waits_and_cancels_what_runs() -> None:
    waiting = Underway.of(OFFER, 1, incoming=True)
    waiting.answer = asyncio.get_running_loop().create_future()
    driver = FakeDriver()
    waiting.driver = cast("Driver", driver)
    waiting.give_up(Reason.LEAVING)
    assert waiting.answer.result() is Reason.LEAVING
    assert driver.cancelled == []
    waiting.give_up(Reason.USER)
    assert driver.cancelled == [Reason.USER]
    early = Underway.of(OFFER, 1, incoming=False)
    early.give_up(Reason.USER)
    assert early.given_up is Reason.USER


async def test_progress_is_told_when_something_has_moved() -> None:
    transfer = Underway.of(OFFER, 1, incoming=True)
    assert transfer.progress(0.0) is None
    transfer.state = ACCEPTED
    first = transfer.progress(1.0)
    assert first is not None
    assert (first.bytes, first.total) == (0, 100)
    assert transfer.progress(2.0) is None
    assert transfer.progress(2.0, last=True) is not None


async def test_the_end_closes_what_it_owns_once() -> None:
    reading, writing = os.pipe()
    transfer = Underway.of(OFFER, 1, incoming=True)
    transfer.descriptor = writing
    transfer.close()
    transfer.close()
    assert transfer.ended.is_set()
    assert os.read(reading, 1) == b""
    os.close(reading)


async def test_status_says_all() -> None:
    status = Underway.of(OFFER, 3, incoming=False).status()
    assert (status["direction"], status["peer"], status["kind"], status["total"]) == ("out", 3, "files", 100)


@pytest.mark.parametrize(
    ("kind", "word", "only_files"),
    [
        (Kind.FILES, "files", True),
        (Kind.MIXED, "files", False),
        (Kind.DIRECTORY, "directory", False),
        (Kind.TEXT, "text", True),
        (Kind.STDIN, "stdin", True),
    ],
)
async def test_an_offer_is_announced_by_what_it_holds(kind: Kind, word: str, only_files: bool) -> None:
    event = Underway.of(replace(OFFER, kind=kind), 3, incoming=True).offered("anna")
    assert (event.kind, event.only_files) == (word, only_files)
