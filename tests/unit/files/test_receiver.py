"""The receiver alone: what it answers and asks for, and a sender that breaks the rules."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from blake3 import blake3

from mayfly.config import MIB, FilesConfig
from mayfly.files import disk as d
from mayfly.files import records as r
from mayfly.files.events import Ended, Listed, Offered, PauseChanged, Restarted, Resumed
from mayfly.files.reader import RecordReader
from mayfly.files.receiver import Receiver
from mayfly.files.records import BLOCK, Entry, Reason
from mayfly.files.states import Outcome, Receiving
from unit.files.pair import Target, directory, file, offer_of

ENTRIES = [directory(0, "top"), file(1, "top/a", 10), file(2, "top/b", 2 * BLOCK), file(3, "top/c", 0)]
HASH = b"h" * 32


def said(receiver: Receiver) -> list[r.Record]:
    return list(RecordReader().feed(b"".join(receiver.output())))


def hear(receiver: Receiver, *records: r.Record) -> None:
    receiver.receive(b"".join(record.encode() for record in records))


def chunks(size: int, byte: bytes = b"x") -> list[r.Record]:
    """CHUNKs of so many bytes."""
    whole = [r.Chunk(byte * r.MAX_CHUNK)] * (size // r.MAX_CHUNK)
    return [*whole, *([r.Chunk(byte * (size % r.MAX_CHUNK))] if size % r.MAX_CHUNK else [])]


def receiving(
    entries: list[Entry] = ENTRIES, found: d.Prepared | None = None, config: FilesConfig | None = None
) -> Receiver:
    """A receiver that has the list and has looked at its disk."""
    receiver = Receiver(config)
    hear(receiver, offer_of(entries))
    receiver.accept()
    hear(receiver, *entries, r.EndOfEntries())
    assert len(receiver.requests()) == 1
    receiver.result(found or d.Prepared())
    assert said(receiver)[0] == r.Accept()
    receiver.events()
    return receiver


def test_a_whole_transfer_as_a_transcript() -> None:
    receiver = Receiver()
    hear(receiver, offer_of(ENTRIES))
    assert receiver.events() == [Offered(offer_of(ENTRIES))]
    assert (said(receiver), receiver.requests()) == ([], [])
    receiver.accept()
    receiver.accept()
    assert said(receiver) == [r.Accept()]
    hear(receiver, *ENTRIES, r.EndOfEntries())
    (listed,) = receiver.events()
    assert isinstance(listed, Listed)
    assert listed.manifest.entries == ENTRIES
    assert receiver.requests() == [d.Prepare(listed.manifest)]
    assert said(receiver) == []
    receiver.result(d.Prepared(whole=frozenset({3})))
    assert said(receiver) == [r.Want(1), r.Want(2), r.Skip(3)]
    hear(receiver, r.File(1, 0), *chunks(10), r.FileHash(10, HASH), r.File(2, 0), *chunks(BLOCK), r.ChunkHash(HASH))
    first, second = receiver.requests()
    assert isinstance(first, d.FinishFile)
    assert (first.index, first.offset, b"".join(first.data), first.size, first.digest) == (1, 0, b"x" * 10, 10, HASH)
    assert isinstance(second, d.WriteBlock)
    assert (second.index, second.offset, second.size) == (2, 0, BLOCK)
    receiver.result(d.FileFinished(1))
    receiver.result(d.BlockWritten(2))
    assert said(receiver) == [r.Done(1), r.OnDisk(2, BLOCK)]
    assert receiver.on_disk == BLOCK + 10
    hear(receiver, *chunks(BLOCK), r.FileHash(2 * BLOCK, HASH), r.Finished())
    (last,) = receiver.requests()
    assert isinstance(last, d.FinishFile)
    assert (last.offset, last.size) == (BLOCK, BLOCK)
    receiver.result(d.FileFinished(2))
    assert receiver.requests() == [d.Commit()]
    assert receiver.state is Receiving.COMMITTING
    receiver.result(d.Committed())
    assert said(receiver) == [r.Done(2), r.Completed()]
    assert receiver.events() == [Ended(Outcome.COMPLETED, None, by_us=True)]
    assert receiver.requests() == [d.CloseTarget(keep=True)]
    assert receiver.on_disk == receiver.total


def test_a_declined_offer() -> None:
    receiver = Receiver()
    receiver.decline()
    hear(receiver, offer_of(ENTRIES))
    receiver.decline(Reason.BUSY)
    assert said(receiver) == [r.Decline(Reason.BUSY)]
    assert receiver.events()[-1] == Ended(Outcome.DECLINED, Reason.BUSY, by_us=True)
    assert receiver.outcome is Outcome.DECLINED
    assert receiver.requests() == [d.CloseTarget(keep=True)]


def test_parts_are_offered_where_they_can_be_gone_on_with() -> None:
    entries = [
        file(0, "a", 3 * BLOCK),
        file(1, "b", BLOCK + 7),
        file(2, "c", BLOCK),
        file(3, "d", 9),
        file(4, "e", None),
    ]
    parts = {0: d.Part(2 * BLOCK, HASH), 1: d.Part(BLOCK + 7, HASH), 2: d.Part(2 * BLOCK, HASH), 3: d.Part(5, HASH)}
    receiver = receiving(entries, d.Prepared(parts=parts | {4: d.Part(BLOCK, HASH)}))
    del receiver
    fresh = Receiver()
    hear(fresh, offer_of(entries))
    fresh.accept()
    hear(fresh, *entries, r.EndOfEntries())
    said(fresh)
    fresh.result(d.Prepared(parts=parts | {4: d.Part(BLOCK, HASH)}))
    assert said(fresh) == [
        r.Want(0, 2 * BLOCK, HASH),
        r.Want(1, BLOCK + 7, HASH),
        r.Want(2),
        r.Want(3),
        r.Want(4, BLOCK, HASH),
    ]


def test_a_part_goes_on_or_starts_anew_as_the_sender_says() -> None:
    for offset, event in ((BLOCK, Resumed(2, BLOCK)), (0, Restarted(2, BLOCK))):
        receiver = receiving(found=d.Prepared(frozenset({1}), {2: d.Part(BLOCK, HASH)}))
        hear(receiver, r.File(2, offset), *chunks(BLOCK), r.ChunkHash(HASH))
        assert receiver.events() == [event]
        (request,) = receiver.requests()
        assert isinstance(request, d.WriteBlock)
        assert request.offset == offset
        assert receiver.on_disk == 10 + offset


def test_files_are_asked_for_ahead_and_no_further_than_it_may() -> None:
    entries = [file(n, str(n), 1) for n in range(10)]
    receiver = Receiver(FilesConfig(files_ahead=3))
    hear(receiver, offer_of(entries))
    receiver.accept()
    hear(receiver, *entries, r.EndOfEntries())
    receiver.result(d.Prepared(whole=frozenset({1})))
    assert said(receiver) == [r.Accept(), r.Want(0), r.Skip(1), r.Want(2), r.Want(3)]
    hear(receiver, r.File(0, 0), r.Chunk(b"x"), r.FileHash(1, HASH))
    assert said(receiver) == []
    receiver.result(d.FileFinished(0))
    assert said(receiver) == [r.Done(0), r.Want(4)]


def test_a_slow_disk_holds_the_stream_back() -> None:
    receiver = receiving(config=FilesConfig(max_unwritten=MIB))
    hear(receiver, r.File(1, 0), *chunks(10), r.FileHash(10, HASH), r.File(2, 0), *chunks(BLOCK))
    seen = [receiver.wants_input]
    hear(receiver, r.ChunkHash(HASH))
    seen.append(receiver.wants_input)
    receiver.result(d.FileFinished(1))
    seen.append(receiver.wants_input)
    receiver.result(d.BlockWritten(2))
    seen.append(receiver.wants_input)
    assert seen == [True, False, False, True]


@pytest.mark.parametrize("reason", [Reason.DISK_FULL, Reason.DISK_FAILED, Reason.WRONG_HASH, Reason.EXISTS])
def test_a_disk_that_fails_leaves_what_it_has(reason: Reason) -> None:
    receiver = receiving()
    hear(receiver, r.File(1, 0), *chunks(10), r.FileHash(10, HASH))
    receiver.requests()
    receiver.result(d.Failed(reason))
    assert said(receiver)[-1] == r.Cancel(reason)
    assert receiver.events() == [Ended(Outcome.INTERRUPTED, reason, by_us=True)]
    assert receiver.requests() == [d.CloseTarget(keep=True)]
    receiver.result(d.Failed(reason))
    assert receiver.events() == []


def test_the_user_s_cancel_keeps_nothing_and_leaving_keeps_all() -> None:
    for reason, outcome, keep in (
        (Reason.USER, Outcome.CANCELLED, False),
        (Reason.LEAVING, Outcome.INTERRUPTED, True),
    ):
        receiver = receiving()
        receiver.cancel(reason)
        receiver.cancel()
        assert said(receiver) == [r.Cancel(reason)]
        assert receiver.events() == [Ended(outcome, reason, by_us=True)]
        assert receiver.requests() == [d.CloseTarget(keep)]


def test_the_sender_s_cancel_is_answered_with_the_same() -> None:
    receiver = receiving()
    hear(receiver, r.Cancel(Reason.SOURCE_CHANGED))
    assert said(receiver) == [r.Cancel(Reason.SOURCE_CHANGED)]
    assert receiver.events() == [Ended(Outcome.INTERRUPTED, Reason.SOURCE_CHANGED, by_us=False)]


def committing() -> Receiver:
    receiver = receiving([directory(0, "top")])
    hear(receiver, r.Finished())
    assert receiver.requests() == [d.Commit()]
    return receiver


def test_nothing_interrupts_a_commit() -> None:
    receiver = committing()
    receiver.cancel()
    hear(receiver, r.Cancel(Reason.USER))
    hear(receiver, r.Finished())
    receiver.link_lost()
    assert (receiver.over, receiver.events(), said(receiver)) == (False, [], [])
    receiver.result(d.Committed())
    assert receiver.outcome is Outcome.COMPLETED
    assert said(receiver) == [r.Completed()]


def test_a_commit_that_fails_is_said() -> None:
    receiver = committing()
    hear(receiver, r.Cancel(Reason.USER))
    receiver.result(d.Failed(Reason.EXISTS))
    assert said(receiver) == [r.Cancel(Reason.EXISTS)]
    assert receiver.outcome is Outcome.INTERRUPTED


def test_finished_may_come_before_the_disk_was_looked_at() -> None:
    receiver = Receiver()
    entries = [directory(0, "top")]
    hear(receiver, offer_of(entries))
    receiver.accept()
    hear(receiver, *entries, r.EndOfEntries(), r.Finished())
    assert len(receiver.requests()) == 1
    receiver.result(d.Prepared())
    assert receiver.requests() == [d.Commit()]


def test_a_lost_link_still_has_written_what_came() -> None:
    receiver = receiving()
    hear(receiver, r.File(1, 0), *chunks(10), r.FileHash(10, HASH), r.File(2, 0), *chunks(100))
    receiver.link_lost()
    request, close = receiver.requests()
    assert isinstance(request, d.FinishFile)
    assert close == d.CloseTarget(keep=True)
    assert receiver.events() == [Ended(Outcome.INTERRUPTED, None, by_us=False)]
    receiver.result(d.FileFinished(1))
    assert (receiver.on_disk, said(receiver)) == (10, [])


def test_a_pause_is_said_and_heard() -> None:
    receiver = receiving()
    receiver.pause()
    hear(receiver, r.Pause(), r.Pause())
    assert said(receiver) == [r.Pause()]
    assert receiver.events() == [PauseChanged(by_us=True, by_peer=True)]
    hear(receiver, r.Resume())
    receiver.resume()
    assert (said(receiver), receiver.held) == ([r.Resume()], False)


def test_an_offer_above_the_limits_is_not_even_asked_about() -> None:
    receiver = Receiver(FilesConfig(max_entries=3))
    hear(receiver, offer_of(ENTRIES))
    assert said(receiver) == [r.Cancel(Reason.LIMIT)]
    assert receiver.events() == [Ended(Outcome.CANCELLED, Reason.LIMIT, by_us=True)]


def test_a_bad_name_ends_it_for_good() -> None:
    entries = [file(0, "..", 1)]
    receiver = Receiver()
    hear(receiver, offer_of(entries))
    receiver.accept()
    hear(receiver, *entries)
    assert said(receiver)[-1] == r.Cancel(Reason.BAD_NAME)
    assert receiver.outcome is Outcome.CANCELLED


def _wrong() -> Iterable[tuple[str, list[r.Record]]]:
    begin: list[r.Record] = [r.File(1, 0)]
    second: list[r.Record] = [*begin, *chunks(10), r.FileHash(10, HASH), r.File(2, 0)]
    yield "another offer", [offer_of(ENTRIES)]
    yield "an entry too late", [file(4, "x", 1)]
    yield "a chunk of no file", chunks(1)
    yield "a hash of no block", [r.ChunkHash(HASH)]
    yield "an end of no file", [r.FileHash(0, HASH)]
    yield "a file out of turn", [r.File(2, 0)]
    yield "a file from an offset of its own", [r.File(1, 5)]
    yield "two files at once", [*begin, r.File(2, 0)]
    yield "more than was said", [*begin, *chunks(11)]
    yield "less than was said", [*begin, *chunks(9), r.FileHash(9, HASH)]
    yield "a size that lies", [*begin, *chunks(10), r.FileHash(11, HASH)]
    yield "a block without its hash", [*second, *chunks(BLOCK + 1)]
    yield "a hash inside a block", [*second, *chunks(BLOCK - 1), r.ChunkHash(HASH)]
    yield "a second hash", [*second, *chunks(BLOCK), r.ChunkHash(HASH), r.ChunkHash(HASH)]
    yield "finished too early", [r.Finished()]
    yield "finished in a file", [*begin, r.Finished()]
    yield "the other end's records", [r.Done(1)]


@pytest.mark.parametrize("records", [records for _, records in _wrong()], ids=[name for name, _ in _wrong()])
def test_a_sender_that_breaks_the_rules_is_left(records: list[r.Record]) -> None:
    receiver = receiving()
    hear(receiver, *records)
    assert said(receiver)[-1] == r.Cancel(Reason.PROTOCOL)
    assert receiver.events() == [Ended(Outcome.INTERRUPTED, Reason.PROTOCOL, by_us=True)]
    assert receiver.requests()[-1] == d.CloseTarget(keep=True)


def test_a_list_that_is_not_what_was_offered_is_wrong() -> None:
    receiver = Receiver()
    hear(receiver, offer_of(ENTRIES))
    receiver.accept()
    hear(receiver, *ENTRIES[:-1], r.EndOfEntries())
    assert said(receiver)[-1] == r.Cancel(Reason.PROTOCOL)
    assert receiver.outcome is Outcome.INTERRUPTED
    assert not any(isinstance(request, d.Prepare) for request in receiver.requests())


def test_finished_twice_is_wrong() -> None:
    receiver = receiving([file(0, "a", 1)])
    hear(receiver, r.File(0, 0), r.Chunk(b"x"), r.FileHash(1, HASH), r.Finished(), r.Finished())
    assert receiver.outcome is Outcome.INTERRUPTED


def test_single_bytes_do_not_cost_more_than_a_block() -> None:
    receiver = receiving()
    hear(receiver, r.File(1, 0), *chunks(10), r.FileHash(10, HASH), r.File(2, 0))
    receiver.requests()
    hear(receiver, *[r.Chunk(b"x")] * 20_000)
    hear(receiver, *chunks(BLOCK - 20_000), r.ChunkHash(HASH))
    (request,) = receiver.requests()
    assert isinstance(request, d.WriteBlock)
    assert len(request.data) <= 10


def test_a_wrong_byte_is_found_at_its_block() -> None:
    target = Target()
    target.begin()
    entries = [file(0, "a", 2 * BLOCK)]
    receiver = Receiver()
    hear(receiver, offer_of(entries))
    receiver.accept()
    digest = blake3(b"x" * BLOCK).digest()
    hear(receiver, *entries, r.EndOfEntries())
    prepared = target.run(receiver.requests()[0])
    assert isinstance(prepared, d.Prepared)
    receiver.result(prepared)
    hear(receiver, r.File(0, 0), *chunks(BLOCK - 1), r.Chunk(b"y"), r.ChunkHash(digest))
    result = target.run(receiver.requests()[0])
    assert result == d.Failed(Reason.WRONG_HASH)
    receiver.result(result)
    assert said(receiver)[-1] == r.Cancel(Reason.WRONG_HASH)
