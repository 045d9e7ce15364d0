"""The sender alone: what it says and asks for, and a receiver that breaks the rules."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import MIB, FilesConfig
from mayfly.files import disk as d
from mayfly.files import records as r
from mayfly.files.events import Accepted, Ended, PauseChanged, Restarted, Resumed
from mayfly.files.reader import RecordReader
from mayfly.files.records import BLOCK, Entry, Reason
from mayfly.files.sender import Sender
from mayfly.files.states import Outcome, Sending
from unit.files.pair import Source, directory, file, offer_of
from unit.files.strategies import bodies

ENTRIES = [directory(0, "top"), file(1, "top/a", 10), file(2, "top/b", BLOCK + 5), file(3, "top/c", 0)]
CONTENTS = {1: b"a" * 10, 2: b"b" * (BLOCK + 5), 3: b""}


def said(sender: Sender) -> list[r.Record]:
    """All that it says now, CHUNKs as one piece each."""
    stream = b""
    while data := b"".join(sender.output()):
        stream += data
    return list(RecordReader().feed(stream))


def hear(sender: Sender, *records: r.Record) -> None:
    sender.receive(b"".join(record.encode() for record in records))


def serve(sender: Sender, source: Source) -> list[d.SendRequest]:
    """Let the disk do what is asked, once."""
    requests = sender.requests()
    for request in requests:
        result = source.run(request)
        if result is not None:
            sender.result(result)
    return requests


def accepted(entries: list[Entry] = ENTRIES, config: FilesConfig | None = None) -> Sender:
    """A sender whose list has gone out."""
    sender = Sender(offer_of(entries), entries, config)
    hear(sender, r.Accept())
    said(sender)
    assert sender.state is Sending.SENDING or not any(entry.type is r.EntryType.FILE for entry in entries)
    sender.events()
    return sender


def test_nothing_follows_the_offer_until_it_is_accepted() -> None:
    sender = Sender(offer_of(ENTRIES), ENTRIES)
    assert said(sender) == [offer_of(ENTRIES)]
    assert sender.requests() == []
    hear(sender, r.Accept())
    assert said(sender) == [*ENTRIES, r.EndOfEntries()]
    assert sender.events() == [Accepted()]


def test_a_whole_transfer_as_a_transcript() -> None:
    sender, source = accepted(), Source(CONTENTS)
    hear(sender, r.Want(1), r.Want(2), r.Skip(3))
    assert serve(sender, source) == [d.Read(1, 0, 10, True), d.Read(2, 0, BLOCK, False), d.Read(2, BLOCK, 5, True)]
    records = said(sender)
    quarter = [r.Chunk(b"b" * r.MAX_CHUNK)] * 4
    assert records == [
        r.File(1, 0),
        r.Chunk(b"a" * 10),
        r.FileHash(10, blake3(CONTENTS[1]).digest()),
        r.File(2, 0),
        *quarter,
        r.ChunkHash(blake3(b"b" * BLOCK).digest()),
        r.Chunk(b"b" * 5),
        r.FileHash(BLOCK + 5, blake3(CONTENTS[2]).digest()),
        r.Finished(),
    ]
    assert sender.on_disk == 0
    hear(sender, r.Done(1), r.OnDisk(2, BLOCK))
    assert sender.on_disk == BLOCK + 10
    hear(sender, r.Done(2), r.Completed())
    assert sender.on_disk == sender.total
    assert sender.events() == [Ended(Outcome.COMPLETED, None, by_us=False)]
    assert sender.requests() == [d.CloseSource()]
    assert said(sender) == []


def test_an_empty_file_is_read_once_and_has_a_hash() -> None:
    sender, source = accepted([file(0, "a", 0)]), Source({0: b""})
    hear(sender, r.Want(0))
    assert serve(sender, source) == [d.Read(0, 0, 0, True)]
    assert said(sender) == [r.File(0, 0), r.FileHash(0, blake3().digest()), r.Finished()]


def test_directories_alone_are_finished_at_once() -> None:
    sender = Sender(offer_of([directory(0, "a")]), [directory(0, "a")])
    hear(sender, r.Accept())
    assert said(sender)[-2:] == [r.EndOfEntries(), r.Finished()]
    hear(sender, r.Completed())
    assert sender.outcome is Outcome.COMPLETED


@pytest.mark.parametrize("same", [True, False])
def test_a_part_is_gone_on_with_only_when_it_is_the_same(same: bool) -> None:
    sender, source = accepted(), Source(CONTENTS)
    digest = blake3(b"b" * BLOCK).digest() if same else b"?" * 32
    hear(sender, r.Skip(1), r.Want(2, BLOCK, digest))
    assert serve(sender, source) == [d.HashPrefix(2, BLOCK)]
    assert sender.events() == [(Resumed if same else Restarted)(2, BLOCK)]
    serve(sender, source)
    records = said(sender)
    assert records[0] == r.File(2, BLOCK if same else 0)
    assert records[-1] == r.FileHash(BLOCK + 5, blake3(CONTENTS[2]).digest())
    assert sender.on_disk == 10 + (BLOCK if same else 0)


def test_a_file_that_is_there_but_for_its_name_needs_its_hash_only() -> None:
    sender, source = accepted(), Source(CONTENTS)
    hear(sender, r.Skip(1), r.Want(2, BLOCK + 5, blake3(CONTENTS[2]).digest()))
    serve(sender, source)
    assert serve(sender, source) == [d.Read(2, BLOCK + 5, 0, True)]
    assert said(sender) == [r.File(2, BLOCK + 5), r.FileHash(BLOCK + 5, blake3(CONTENTS[2]).digest())]


def test_reading_runs_ahead_across_files_and_no_further_than_it_may() -> None:
    entries = [file(n, f"{n}", 1000) for n in range(5000)]
    sender = accepted(entries, FilesConfig(read_ahead=MIB))
    hear(sender, *[r.Want(n) for n in range(5000)])
    assert len(sender.requests()) == 1024
    sender.result(d.BlockRead(0, bytes(1000), b"h" * 32, ended=True))
    assert sender.requests() == [], "what was read waits for the stream"
    said(sender)
    assert len(sender.requests()) == 1


def test_reading_waits_for_the_stream() -> None:
    big = [file(0, "big", 100 * BLOCK)]
    sender = accepted(big, FilesConfig(read_ahead=2 * MIB))
    hear(sender, r.Want(0))
    for _ in range(2):
        sender.result(d.BlockRead(0, bytes(BLOCK), b"h" * 32, ended=False))
    assert len(sender.requests()) == 2
    sender.output()
    assert len(sender.requests()) == 1


def test_no_more_than_a_chunk_is_ahead_of_the_receiver_s_disk() -> None:
    sender = accepted([file(0, "big", 100 * BLOCK)], FilesConfig(max_unstored=3 * MIB))
    hear(sender, r.Want(0))
    for _ in range(3):
        sender.result(d.BlockRead(0, bytes(BLOCK), b"h" * 32, ended=False))
        sender.output()
        sender.output()
        sender.output()
    assert len(sender.requests()) == 3, "the stream has room, and the receiver's disk has nothing yet"
    hear(sender, r.OnDisk(0, BLOCK))
    assert sender.requests() == [d.Read(0, 3 * BLOCK, BLOCK, last=False)]
    assert not sender.requests()


def test_a_file_of_unknown_size_ends_where_it_ends() -> None:
    source = Source({0: b"x" * (BLOCK + 300)}, at_once=700_000, sizes={0: None})
    sender = accepted([file(0, "-", None)])
    hear(sender, r.Want(0))
    reads: list[d.SendRequest] = []
    while requests := serve(sender, source):
        assert len(requests) == 1
        reads += requests
    assert [read.size for read in reads if isinstance(read, d.Read)] == [BLOCK, BLOCK - 700_000, BLOCK]
    records = [record for record in said(sender) if not isinstance(record, r.Chunk)]
    content = source.contents[0]
    assert records == [
        r.File(0, 0),
        r.ChunkHash(blake3(content[:BLOCK]).digest()),
        r.FileHash(len(content), blake3(content).digest()),
        r.Finished(),
    ]


def test_held_by_either_side_it_says_nothing_but_that() -> None:
    sender, source = accepted(), Source(CONTENTS)
    hear(sender, r.Want(1))
    serve(sender, source)
    sender.pause()
    sender.pause()
    assert said(sender) == [r.Pause()]
    hear(sender, r.Pause())
    sender.resume()
    assert said(sender) == [r.Resume()]
    assert sender.held
    hear(sender, r.Resume())
    assert said(sender)[0] == r.File(1, 0)
    assert sender.events() == [PauseChanged(by_us=False, by_peer=False)]


def test_a_list_is_held_too() -> None:
    sender = Sender(offer_of(ENTRIES), ENTRIES)
    sender.pause()
    hear(sender, r.Accept())
    assert said(sender) == [offer_of(ENTRIES), r.Pause()]
    sender.resume()
    assert said(sender) == [r.Resume(), *ENTRIES, r.EndOfEntries()]


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        (r.Cancel(Reason.USER), Outcome.CANCELLED),
        (r.Cancel(Reason.DISK_FULL), Outcome.INTERRUPTED),
        (r.Completed(), Outcome.COMPLETED),
    ],
)
def test_a_cancel_waits_for_the_receiver_s_word(word: r.Record, outcome: Outcome) -> None:
    sender, source = accepted(), Source(CONTENTS)
    hear(sender, r.Skip(1), r.Skip(2), r.Skip(3))
    serve(sender, source)
    assert said(sender) == [r.Finished()]
    sender.cancel()
    sender.cancel(Reason.LEAVING)
    assert said(sender) == [r.Cancel(Reason.USER)]
    assert not sender.over
    hear(sender, word)
    assert sender.outcome is outcome
    ended = sender.events()[-1]
    assert isinstance(ended, Ended)
    assert ended.by_us == (word == r.Cancel(Reason.USER))


def test_a_cancel_drops_what_was_not_sent_and_asks_for_nothing_more() -> None:
    sender, source = accepted(), Source(CONTENTS)
    hear(sender, r.Want(1))
    serve(sender, source)
    hear(sender, r.Want(2))
    sender.cancel(Reason.LEAVING)
    assert sender.requests() == []
    assert said(sender) == [r.Cancel(Reason.LEAVING)]
    sender.result(d.BlockRead(2, bytes(BLOCK), b"h" * 32, ended=False))
    assert said(sender) == []


@pytest.mark.parametrize(
    ("reason", "outcome"), [(Reason.USER, Outcome.CANCELLED), (Reason.LEAVING, Outcome.INTERRUPTED)]
)
def test_a_cancel_that_nobody_answers_ends_with_the_link(reason: Reason, outcome: Outcome) -> None:
    sender = accepted()
    sender.cancel(reason)
    sender.link_lost()
    sender.link_lost()
    assert sender.events() == [Ended(outcome, reason, by_us=True)]
    assert sender.requests() == [d.CloseSource()]


def test_a_source_that_fails_is_said() -> None:
    sender, source = accepted(), Source(CONTENTS, failing=Reason.SOURCE_FAILED)
    hear(sender, r.Want(1), r.Want(2), r.Want(3))
    serve(sender, source)
    assert said(sender) == [r.Cancel(Reason.SOURCE_FAILED)]
    hear(sender, r.Cancel(Reason.SOURCE_FAILED))
    assert sender.events() == [Ended(Outcome.INTERRUPTED, Reason.SOURCE_FAILED, by_us=True)]


@pytest.mark.parametrize(
    "result",
    [
        d.BlockRead(1, bytes(9), b"h" * 32, ended=True),
        d.BlockRead(1, bytes(11), b"h" * 32, ended=True),
        d.BlockRead(1, bytes(10), b"h" * 32, ended=False),
    ],
)
def test_a_block_that_is_not_what_was_asked_for_is_never_sent(result: d.BlockRead) -> None:
    sender = accepted()
    hear(sender, r.Want(1))
    sender.requests()
    sender.result(result)
    assert said(sender) == [r.Cancel(Reason.SOURCE_CHANGED)]


def test_a_declined_offer() -> None:
    sender = Sender(offer_of(ENTRIES), ENTRIES)
    hear(sender, r.Decline(Reason.BUSY))
    assert sender.events() == [Ended(Outcome.DECLINED, Reason.BUSY, by_us=False)]


def _wrong() -> Iterable[tuple[str, list[r.Record]]]:
    yield "accepts twice", [r.Accept()]
    yield "declines late", [r.Decline(Reason.USER)]
    yield "wants a directory", [r.Want(0)]
    yield "leaves one out", [r.Want(2)]
    yield "wants it twice", [r.Want(1), r.Want(1)]
    yield "wants one too many", [r.Skip(1), r.Skip(2), r.Skip(3), r.Skip(4)]
    yield "wants beyond the end", [r.Want(1, BLOCK, b"h" * 32)]
    yield "wants an odd offset", [r.Skip(1), r.Want(2, 5, b"h" * 32)]
    yield "has what was not sent", [r.Want(1), r.OnDisk(1, 1)]
    yield "is done too early", [r.Want(1), r.Done(1)]
    yield "is complete too early", [r.Completed()]
    yield "sends the other end's records", [r.Finished()]
    yield "offers", [offer_of(ENTRIES)]


@pytest.mark.parametrize("records", [records for _, records in _wrong()], ids=[name for name, _ in _wrong()])
def test_a_receiver_that_breaks_the_rules_is_left(records: list[r.Record]) -> None:
    sender = accepted()
    hear(sender, *records)
    assert said(sender) == [r.Cancel(Reason.PROTOCOL)]
    assert sender.events() == [Ended(Outcome.INTERRUPTED, Reason.PROTOCOL, by_us=True)]
    assert sender.requests()[-1] == d.CloseSource()
    hear(sender, r.Accept())
    assert sender.events() == []


def test_complete_before_every_file_is_done_is_wrong() -> None:
    sender, source = accepted([file(0, "a", 1)]), Source({0: b"x"})
    hear(sender, r.Want(0))
    serve(sender, source)
    said(sender)
    assert sender.state is Sending.FINISHING
    hear(sender, r.Completed())
    assert sender.outcome is Outcome.INTERRUPTED


@given(records=st.lists(bodies, max_size=6), tail=st.binary(max_size=20), ahead=st.sampled_from([0, 1, 2]))
def test_whatever_a_receiver_says_ends_the_transfer_at_worst(records: list[r.Record], tail: bytes, ahead: int) -> None:
    sender = accepted() if ahead else Sender(offer_of(ENTRIES), ENTRIES)
    source = Source(CONTENTS)
    if ahead == 2:
        hear(sender, r.Want(1), r.Want(2), r.Want(3))
    for record in records:
        hear(sender, record)
        serve(sender, source)
        said(sender)
    sender.receive(tail)
    sender.link_lost()
    assert sender.over
    ends = [event for event in sender.events() if isinstance(event, Ended)]
    assert len(ends) == 1
