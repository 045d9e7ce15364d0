"""Applications for `support.pair`: they write and read streams by a script, and check every byte that they get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from mayfly.mux.events import (
    Event,
    HelloReceived,
    Priority,
    StreamOpened,
    StreamReadable,
    StreamReset,
    StreamsAvailable,
    StreamStopped,
    StreamWritable,
)
from support.pair import End, Pair

RESET_CODE, STOP_CODE = 0x41, 0x42


@cache
def content(key: int, size: int) -> bytes:
    """Bytes that belong to one half of one stream, and to nothing else."""
    return Random(key).randbytes(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """What one direction of a stream does. Sizes are bytes."""

    size: int = 0
    chunk: int = 65536
    """The size of one write."""
    reset: bool = False
    """End with a reset in place of a FIN."""
    read: int = 65536
    """The size of one read at the far end."""
    stop_after: int | None = None
    """The reader stops the half once it has read so much."""
    stalled: bool = False
    """The reader reads nothing until `Traffic.release`."""
    stall_after: int | None = None
    """The same, once it has read so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One stream: who opens it and when, and its two directions."""

    opener: int = 0
    start: float = 0.0
    priority: Priority = Priority.INTERACTIVE
    there: Half = Half()
    back: Half = Half()


class Actor:
    """One end's application of one stream."""

    def __init__(self, traffic: Traffic, end: End, stream_id: int, key: int, out: Half, into: Half) -> None:
        self.traffic, self.end, self.id = traffic, end, stream_id
        self.out, self.into = out, into
        own = 2 * key + (end is traffic.pair.b)
        self._source = content(own, out.size)
        self._expected = content(own ^ 1, into.size)
        self.written = 0
        self.got = 0
        self.finished = self.stopped = self.ended = self.was_reset = self.we_stopped = False
        self.ended_at = -1.0

    def write(self) -> None:
        """Write on until it is refused, then end the half."""
        while self.written < self.out.size and not self.stopped:
            piece = self._source[self.written : self.written + self.out.chunk]
            taken = self.end.mux.write(self.id, piece)
            self.written += taken
            if taken < len(piece):
                return
        if not self.finished and not self.stopped:
            self.finished = True
            if self.out.reset:
                self.end.mux.reset(self.id, RESET_CODE)
            else:
                self.end.mux.finish(self.id)

    @property
    def stalled(self) -> bool:
        """The reader does not read."""
        limit = 0 if self.into.stalled else self.into.stall_after
        return not self.traffic.released and limit is not None and self.got >= limit

    def read(self) -> None:
        """Read what there is."""
        while not (self.stalled or self.ended or self.was_reset or self.we_stopped) and self.end.mux.readable(self.id):
            data, self.ended = self.end.mux.read(self.id, self.into.read, self.traffic.pair.now)
            assert len(data) <= self.into.read
            assert data == self._expected[self.got : self.got + len(data)], "bytes lost, doubled or out of order"
            self.got += len(data)
            if self.ended:
                self.ended_at = self.traffic.pair.now
                assert self.got == self.into.size and not self.into.reset, "a stream ended early, or wrongly"
            elif self.into.stop_after is not None and self.got >= self.into.stop_after:
                self.we_stopped = True
                self.end.mux.stop(self.id, STOP_CODE)

    def check(self) -> None:
        """Both halves as they must be once all is quiet."""
        assert self.ended or self.was_reset or self.we_stopped
        assert self.finished or self.stopped
        if self.into.stop_after is None and not self.into.reset:
            assert self.ended and self.got == self.into.size
        if self.into.reset and not self.we_stopped:
            assert self.was_reset


class Traffic:
    """Both applications of a pair. `scripts` are opened in order on each side, as far as stream credit allows."""

    def __init__(
        self, pair: Pair, scripts: Sequence[Script], *, first: Sequence[int] = (0, 0), when_connected: bool = False
    ) -> None:
        """`first` is how many streams each end had opened before."""
        self.pair = pair
        self.actors: list[dict[int, Actor]] = [{}, {}]
        self.released = False
        self._first = first
        self._opened: list[list[tuple[int, Script]]] = [[], []]
        self._waiting: list[list[tuple[int, Script]]] = [[], []]
        for key, script in enumerate(scripts):
            if when_connected:
                self._waiting[script.opener].append((key, script))
                continue
            pair.at(pair.now + script.start, lambda key=key, script=script: self._due(key, script))  # type: ignore[misc]
        for number, end in enumerate(pair.ends):
            end.app = lambda event, number=number: self._on(number, event)

    def release(self) -> None:
        """Let the stalled readers read."""
        self.released = True
        for actors in self.actors:
            for actor in list(actors.values()):
                actor.read()
        self.pair.flush()

    def actor(self, number: int, script: Script) -> Actor:
        """The application of a script on one end."""
        place = next(i for i, (_, opened) in enumerate(self._opened[script.opener]) if opened is script)
        return self.actors[number][2 * (place + self._first[script.opener]) + script.opener]

    def check(self) -> None:
        """Every script ran to its end on both ends, nothing is held, and the ends agree."""
        assert not any(self._waiting)
        for actors in self.actors:
            for actor in actors.values():
                actor.check()
        assert self.actors[0].keys() == self.actors[1].keys()
        for end in self.pair.ends:
            assert end.mux.closed is None, end.mux.closed
            assert end.mux.open_streams == 0
            assert end.mux.unread == 0

    def _due(self, key: int, script: Script) -> None:
        self._waiting[script.opener].append((key, script))
        self._open(script.opener)

    def _open(self, number: int) -> None:
        end = self.pair.ends[number]
        while self._waiting[number] and end.mux.can_open():
            key, script = self._waiting[number].pop(0)
            stream_id = end.mux.open_stream(script.priority)
            assert stream_id == 2 * end.opened + number
            end.opened += 1
            self._opened[number].append((key, script))
            actor = self.actors[number][stream_id] = Actor(self, end, stream_id, key, script.there, script.back)
            actor.write()
        self.pair.pump(end)

    def _on(self, number: int, event: Event) -> None:
        end, actors = self.pair.ends[number], self.actors[number]
        match event:
            case StreamsAvailable() | HelloReceived():
                self._open(number)
            case StreamOpened(stream_id):
                assert stream_id not in actors and stream_id & 1 != number
                key, script = self._opened[1 - number][(stream_id >> 1) - self._first[1 - number]]
                actors[stream_id] = actor = Actor(self, end, stream_id, key, script.back, script.there)
                actor.write()
            case StreamReadable(stream_id):
                actors[stream_id].read()
            case StreamWritable(stream_id):
                actors[stream_id].write()
            case StreamReset(stream_id, code):
                assert code == (STOP_CODE if actors[stream_id].we_stopped else RESET_CODE)
                assert not actors[stream_id].was_reset and not actors[stream_id].ended
                actors[stream_id].was_reset = True
            case StreamStopped(stream_id, code):
                assert code == STOP_CODE and not actors[stream_id].stopped
                actors[stream_id].stopped = True
            case _:
                pass
