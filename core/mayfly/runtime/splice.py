"""A stream joined to a TCP connection, byte for byte, with half-close, reset and back-pressure kept end to end.

==============================  ==============================================
on the TCP side                 on the stream
==============================  ==============================================
end of file read                FIN sent
connection reset or lost        both halves aborted (RESET_STREAM, STOP_SENDING)
send buffer full                nothing is taken, so the peer gets no credit
==============================  ==============================================

==============================  ==============================================
on the stream                   on the TCP side
==============================  ==============================================
FIN                             our sending half is shut down
RESET_STREAM                    closed with RST
STOP_SENDING                    read and dropped; closed when the other half ends
no room                         reading paused
==============================  ==============================================
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import cast

from mayfly.config import SpliceConfig
from mayfly.errors import StreamCode, StreamResetError
from mayfly.runtime.stream import Stream

_CONFIG = SpliceConfig()
_RST = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends RST


async def splice_socket(stream: Stream, sock: socket.socket) -> None:
    """Join a stream to a connected, non-blocking socket until both halves have ended. Cancelling aborts both."""
    splice = Splice(stream, sock=sock)
    try:
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: splice, sock=sock)
    except OSError:
        sock.close()
        stream.reset(StreamCode.CONNECTION_RESET)
        return
    if transport.is_closing():
        _let_go(sock, transport)
    await splice.wait()


async def splice_transport(stream: Stream, transport: asyncio.Transport, early: bytes = b"") -> None:
    """Join a stream to an accepted connection; `early` are bytes of it that were read already."""
    splice = Splice(stream, paused=not transport.is_reading())
    transport.set_protocol(splice)
    splice.connection_made(transport, early)
    await splice.wait()


def _let_go(sock: socket.socket, transport: asyncio.BaseTransport) -> None:
    """Forget a descriptor that was closed in connection_made: uvloop takes a socket over only after that.

    The socket would close it once more, by its number, which may be another connection's by then.
    """
    seen = transport.get_extra_info("socket")
    if seen is None or seen.fileno() < 0:
        sock.detach()


class Splice(asyncio.BufferedProtocol):
    """The protocol of the TCP side and the handler of the stream's.

    TCP is read no further than the stream has room, into a buffer that all of a session share, so that a stream that
    stands still holds nothing of its own here. Towards TCP at most `SpliceConfig.worst_case` waits.
    """

    def __init__(self, stream: Stream, *, paused: bool = False, sock: socket.socket | None = None) -> None:
        """With the connection's socket, an end of file is found as soon as it is there."""
        self._stream = stream
        self._sock = sock
        self._transport: asyncio.Transport | None = None
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unsent = b""
        self._offered = 0
        self._tcp_ended = False
        self._tcp_full = False
        self._stream_ended = False
        self._stopped = False
        self._paused = paused

    async def wait(self) -> None:
        """Until the TCP connection is gone. Cancelling resets both sides."""
        try:
            await self._done
        except asyncio.CancelledError:
            self._abort()
            self._stream.reset(StreamCode.CANCELLED)
            raise

    # The TCP side

    def connection_made(self, transport: asyncio.BaseTransport, early: bytes = b"") -> None:
        """Join the two."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_CONFIG.write_high)
        self._stream.attach(self)
        if self._transport.is_closing():
            return
        if early or self._stream.stopped:  # of a stop the handler before this one was told
            self._pass_on(early)
        if not self._unsent:
            self._read_on()
        self.stream_readable()

    def get_buffer(self, sizehint: int) -> memoryview:
        """As much of the shared buffer as the stream takes; asyncio fills it and calls buffer_updated at once."""
        scratch = self._stream.scratch
        if self._stopped:
            return scratch
        try:
            buffer = scratch[: max(1, self._stream.room())]
        except StreamResetError:
            return scratch
        self._offered = len(buffer)
        return buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what was read; pause when there is no more room.

        Many a server ends behind its answer. The loop would tell of that in its next turn, and the end would need a
        message and a packet of its own.
        """
        self._pass_on(bytes(self._stream.scratch[:nbytes]), all_room=nbytes >= self._offered)
        if nbytes < self._offered and self._sock is not None and self._sock.fileno() >= 0:
            self._look_for_end(self._sock)

    def eof_received(self) -> bool:
        """End the stream's sending half; keep the other."""
        self._tcp_ended = True
        self._finish_if_sent()
        return True

    def pause_writing(self) -> None:
        """Take no more from the stream."""
        self._tcp_full = True

    def resume_writing(self) -> None:
        """Go on taking."""
        self._tcp_full = False
        self.stream_readable()

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone: whatever is still open on the stream is aborted."""
        self._stream.reset(StreamCode.CONNECTION_RESET)
        if not self._done.done():
            self._done.set_result(None)

    def _look_for_end(self, sock: socket.socket) -> None:
        try:
            ended = not sock.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # it was reset, of which the kernel tells once: the loop would find a proper end now
            self._abort()
            return
        if ended:
            self.eof_received()

    # The stream's side

    def stream_readable(self) -> None:
        """Pass bytes to TCP until it is full or nothing is left."""
        transport = self._transport
        if transport is None or self._stream_ended:
            return
        try:
            while not self._tcp_full:
                data, ended = self._stream.take(_CONFIG.piece)
                if data:
                    transport.write(data)
                if ended:
                    self._end_tcp(transport)
                    return
                if not data:
                    return
        except StreamResetError:
            self._abort()

    def stream_writable(self) -> None:
        """Send what waited, and read on."""
        unsent, self._unsent = self._unsent, b""
        self._pass_on(unsent)
        if not self._unsent:
            self._finish_if_sent()
            self._read_on()

    def stream_reset(self, code: int) -> None:
        """Reset the TCP connection."""
        self._abort()

    def stream_stopped(self, code: int) -> None:
        """Nobody reads what TCP sends: drop it, and let the other direction come to its end."""
        self._stopped = True
        self._unsent = b""
        if self._transport is None:
            return
        if self._stream_ended:
            self._transport.close()
        else:
            self._read_on()

    def _pass_on(self, data: bytes, *, all_room: bool = True) -> None:
        """Hand bytes to the stream; `all_room` tells that they may be as many as it has room for."""
        if self._stopped:
            return
        try:
            taken = self._stream.put(data)
            full = taken < len(data) or (all_room and not self._stream.room())
        except StreamResetError as error:
            self.stream_stopped(error.code)
            return
        self._unsent = data[taken:]
        if full and self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _read_on(self) -> None:
        if self._transport is not None and self._paused and not self._tcp_ended:
            self._paused = False
            self._transport.resume_reading()

    def _finish_if_sent(self) -> None:
        if self._tcp_ended and not self._unsent:
            self._stream.finish()
            if self._stream_ended and self._transport is not None:
                self._transport.close()

    def _end_tcp(self, transport: asyncio.Transport) -> None:
        self._stream_ended = True
        if self._stopped or (self._tcp_ended and not self._unsent):
            transport.close()
        else:
            with contextlib.suppress(OSError):
                transport.write_eof()

    def _abort(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        sock = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        transport.abort()
