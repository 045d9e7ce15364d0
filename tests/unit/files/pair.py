"""Both ends of a transfer joined in memory: disks, a link in pieces, and every step taken when the test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from blake3 import blake3

from mayfly.config import FilesConfig
from mayfly.files import disk as d
from mayfly.files.events import Ended, Offered, TransferEvent
from mayfly.files.manifest import Manifest
from mayfly.files.reader import RecordReader
from mayfly.files.receiver import Receiver
from mayfly.files.records import Chunk, Entry, EntryType, Kind, Offer, Reason, Record
from mayfly.files.sender import Sender
from mayfly.files.states import Outcome


def file(index: int, path: str, size: int | None) -> Entry:
    """A FILE entry at a path with slashes."""
    return Entry(index, tuple(path.split("/")), EntryType.FILE, size, 1_700_000_000_000_000_000)


def directory(index: int, path: str) -> Entry:
    """A DIRECTORY entry."""
    return Entry(index, tuple(path.split("/")), EntryType.DIRECTORY, 0, 0)


def offer_of(entries: list[Entry], kind: Kind = Kind.MIXED) -> Offer:
    """An offer that fits the entries."""
    sizes = [entry.size for entry in entries]
    total = None if None in sizes else sum(size for size in sizes if size is not None)
    return Offer(b"t" * 16, kind, "things", total, len(entries))


@dataclass
class Source:
    """The sender's disk. `contents` may be changed between two requests, and the next one made to fail."""

    contents: dict[int, bytes]
    failing: Reason | None = None
    changed: bool = False
    """Whether the last Read of a file finds that the source is not what was scanned."""
    at_once: int = 1 << 20
    """The most that one Read of a file of unknown size gives."""
    sizes: dict[int, int | None] = field(default_factory=dict)
    requests: list[d.SendRequest] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self._hashes: dict[int, tuple[int, blake3]] = {}
        self._dead = False

    def run(self, request: d.SendRequest) -> d.SendResult | None:
        """Carry a request out."""
        assert not self.closed
        self.requests.append(request)
        if isinstance(request, d.CloseSource):
            self.closed = True
            return None
        if self._dead:
            return None
        if self.failing is not None:
            self._dead = True
            return d.Failed(self.failing)
        content = self.contents[request.index]
        if self.changed and isinstance(request, d.Read) and request.last:
            self._dead = True
            return d.Failed(Reason.SOURCE_CHANGED)
        if isinstance(request, d.HashPrefix):
            if len(content) < request.offset:
                return d.PrefixHashed(request.index, b"")
            hasher = blake3(content[: request.offset])
            self._hashes[request.index] = (request.offset, hasher)
            return d.PrefixHashed(request.index, hasher.digest())
        if not request.offset:
            self._hashes[request.index] = (0, blake3())
        at, hasher = self._hashes[request.index]
        assert at == request.offset, "a read that does not go on where the last one ended"
        unknown = self.sizes.get(request.index, 0) is None
        size = min(request.size, self.at_once) if unknown else request.size
        data = content[at : at + size]
        if not unknown and (len(data) < size or (request.last and len(content) != at + size)):
            self._dead = True
            return d.Failed(Reason.SOURCE_CHANGED)
        hasher.update(data)
        self._hashes[request.index] = (at + len(data), hasher)
        ended = request.last or (unknown and at + len(data) == len(content))
        return d.BlockRead(request.index, data, hasher.digest(), ended)


@dataclass
class Target:
    """The receiver's disk, which outlives an attempt: parts with how much of them is verified, and finished files."""

    parts: dict[tuple[str, ...], bytes] = field(default_factory=dict)
    final: dict[tuple[str, ...], bytes] = field(default_factory=dict)
    committed: bool = False
    failing: Reason | None = None
    requests: list[d.ReceiveRequest] = field(default_factory=list)

    def begin(self) -> None:
        """Another attempt: files are closed, running hashes gone."""
        self._dead = self.closed = False
        self._manifest: Manifest | None = None
        self._hashes: dict[int, tuple[int, blake3]] = {}
        self.failing = None

    def run(self, request: d.ReceiveRequest) -> d.ReceiveResult | None:
        """Carry a request out."""
        assert not self.closed
        self.requests.append(request)
        if isinstance(request, d.CloseTarget):
            self.closed = True
            if not request.keep and self._manifest is not None:
                self.parts.clear()
            return None
        if self._dead:
            return None
        if self.failing is not None:
            self._dead = True
            return d.Failed(self.failing)
        if isinstance(request, d.Prepare):
            return self._prepare(request.manifest)
        if isinstance(request, d.Commit):
            self.committed = True
            return d.Committed()
        return self._write(request)

    def _prepare(self, manifest: Manifest) -> d.Prepared:
        self._manifest = manifest
        paths = {entry.path: entry.index for entry in manifest.entries}
        whole = frozenset(paths[path] for path in self.final)
        parts: dict[int, d.Part] = {}
        for path, data in self.parts.items():
            hasher = blake3(data)
            self._hashes[paths[path]] = (len(data), hasher)
            parts[paths[path]] = d.Part(len(data), hasher.digest())
        return d.Prepared(whole, parts)

    def _write(self, request: d.WriteBlock | d.FinishFile) -> d.ReceiveResult:
        assert self._manifest is not None
        path = self._manifest.entries[request.index].path
        if not request.offset:
            self._hashes[request.index] = (0, blake3())
            self.parts[path] = b""
        at, hasher = self._hashes[request.index]
        assert at == request.offset == len(self.parts[path])
        data = b"".join(request.data)
        assert len(data) == request.size
        hasher.update(data)
        if hasher.digest() != request.digest:
            self._dead = True
            return d.Failed(Reason.WRONG_HASH)
        self._hashes[request.index] = (at + len(data), hasher)
        self.parts[path] += data
        if isinstance(request, d.WriteBlock):
            return d.BlockWritten(request.index)
        assert path not in self.final, "a final name is given once"
        self.final[path] = self.parts.pop(path)
        return d.FileFinished(request.index)


class Pair:
    """One attempt. Nothing moves but by the methods below."""

    def __init__(
        self,
        entries: list[Entry],
        source: Source,
        target: Target,
        config: FilesConfig | None = None,
        kind: Kind = Kind.MIXED,
    ) -> None:
        source.sizes = {entry.index: entry.size for entry in entries}
        target.begin()
        self.source, self.target = source, target
        self.sender = Sender(offer_of(entries, kind), entries, config)
        self.receiver = Receiver(config)
        self.sender_events: list[TransferEvent] = []
        self.receiver_events: list[TransferEvent] = []
        self.delivered: list[Record] = []
        """What the receiver was given, but for CHUNK."""
        self.chunk_bytes = 0
        """Bytes of files that the receiver was given before its end."""
        self.sent_bytes = 0
        """Bytes of files that went on the link, whether they arrived or not."""
        self.answer: Callable[[], None] = self.receiver.accept
        self.lost = False
        self.killed: set[Sender | Receiver] = set()
        self._forth, self._back = bytearray(), bytearray()
        self._reading: list[d.SendRequest] = []
        self._writing: list[d.ReceiveRequest] = []
        self._watch, self._watch_sent = RecordReader(), RecordReader()

    def send(self) -> bool:
        """The sender's output goes on the link."""
        data = b"".join(self.sender.output())
        if not self.lost:
            self._forth += data
            chunks = (record for record in self._watch_sent.feed(data) if isinstance(record, Chunk))
            self.sent_bytes += sum(len(chunk.data) for chunk in chunks)
        self._notice()
        return bool(data)

    def send_back(self) -> bool:
        """The receiver's output goes on the link."""
        data = b"".join(self.receiver.output())
        self._back += b"" if self.lost else data
        self._notice()
        return bool(data)

    def arrive(self, limit: int = 1 << 18) -> bool:
        """The receiver gets bytes."""
        if not self._forth or not self.receiver.wants_input:
            return False
        data = bytes(self._forth[:limit])
        del self._forth[:limit]
        for record in self._watch.feed(data):
            if isinstance(record, Chunk):
                self.chunk_bytes += 0 if self.receiver.over else len(record.data)
            else:
                self.delivered.append(record)
        self.receiver.receive(data)
        self._notice()
        return True

    def arrive_back(self, limit: int = 1 << 18) -> bool:
        """The sender gets bytes."""
        if not self._back:
            return False
        data = bytes(self._back[:limit])
        del self._back[:limit]
        self.sender.receive(data)
        self._notice()
        return True

    def read(self) -> bool:
        """The sender's disk does one thing."""
        self._notice()
        if not self._reading:
            return False
        result = self.source.run(self._reading.pop(0))
        if result is not None:
            self.sender.result(result)
        self._notice()
        return True

    def write(self) -> bool:
        """The receiver's disk does one thing."""
        self._notice()
        if not self._writing:
            return False
        result = self.target.run(self._writing.pop(0))
        if result is not None:
            self.receiver.result(result)
        self._notice()
        return True

    def lose_link(self) -> None:
        """Both ends hear that the link is gone, and what was on it is."""
        self.lost = True
        self._forth.clear()
        self._back.clear()
        self.sender.link_lost()
        self.receiver.link_lost()
        self._notice()

    def kill_receiver(self) -> None:
        """Its process dies, with everything that it had not written."""
        self.killed.add(self.receiver)
        self._writing.clear()
        self.receiver.requests()
        self.lose_link()
        self._writing.clear()

    def kill_sender(self) -> None:
        """Its process dies, and asks its disk for nothing any more."""
        self.killed.add(self.sender)
        self._reading.clear()
        self.sender.requests()
        self.lose_link()
        self._reading.clear()

    def run(self, steps: int, order: str = "sawbkr") -> int:
        """Take that many steps that do something, in turns, unless nothing is left to do. Gives how many were."""
        named = {"s": self.send, "a": self.arrive, "w": self.write}
        named |= {"b": self.send_back, "k": self.arrive_back, "r": self.read}
        taken = idle = turn = 0
        while taken < steps and idle < len(order):
            moved = named[order[turn % len(order)]]()
            turn += 1
            taken += moved
            idle = 0 if moved else idle + 1
        return taken

    def settle(self) -> None:
        """Let everything happen until nothing does."""
        self.run(1_000_000)

    def _notice(self) -> None:
        self._reading += self.sender.requests()
        self._writing += self.receiver.requests()
        self.sender_events += self.sender.events()
        fresh = self.receiver.events()
        self.receiver_events += fresh
        for event in fresh:
            if isinstance(event, Offered):
                self.answer()

    @property
    def outcomes(self) -> tuple[Outcome | None, Outcome | None]:
        """Of the sender and of the receiver, as their last events tell."""
        return _told(self.sender_events), _told(self.receiver_events)


def _told(events: list[TransferEvent]) -> Outcome | None:
    ends = [event for event in events if isinstance(event, Ended)]
    assert len(ends) <= 1, "a transfer ends once"
    assert not ends or events[-1] is ends[0], "nothing happens after the end"
    return ends[0].outcome if ends else None
