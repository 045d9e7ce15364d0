"""DTLS records made and read in batches, through the C interface that pyOpenSSL itself stands on.

pyOpenSSL costs four calls and three copies a packet. Here a batch of packets becomes one buffer of records, which is
the very run that `endpoint.py` sends; and a run that came in is read record by record from where the kernel put it.
Everything private of pyOpenSSL that Mayfly uses is in this file.

Only whole records of application data, one a datagram, take the short way. Whatever else comes (alerts, late flights of
the handshake, requests to negotiate anew, noise) goes through OpenSSL alone, datagram by datagram.
"""

# pyOpenSSL keeps its connection's C objects private, and its binding has no types.
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Any

from OpenSSL import SSL

from mayfly.config import KIB
from mayfly.transport.aiortc.endpoint import MAX_RUN, MAX_SEGMENTS

MAX_PACKET = 16 * KIB
"""The largest packet that fits a record (RFC 6347 §4.1, RFC 5246 §6.2.1)."""

MAX_OVERHEAD = 13 + 64
"""What a record of any cipher suite in use adds: its head, nonce, tag or padding."""

_lib: Any = SSL._lib  # type: ignore[attr-defined]  # a name that pyOpenSSL imports for itself
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]  # likewise

_APPLICATION_DATA = 23
_HEAD = 13
_length_at = Struct("!H").unpack_from
_LENGTH = 11

_FLIGHT = 1200
"""Bytes of handshake records put into one datagram: what every path carries."""

_SPAN = 16 * KIB
"""Bytes given to OpenSSL at once: a record must lie whole in its read buffer, which holds the largest one."""


def _segments(size: int) -> int:
    """How many packets of so many bytes make a run at most."""
    return min(MAX_SEGMENTS, max(1, MAX_RUN // (size + MAX_OVERHEAD)))


class _Scratch(threading.local):
    """Buffers for one call, shared by all links of a thread."""

    def __init__(self) -> None:
        self.sealed = _ffi.new("char[]", 64 * KIB)
        self.sealed_view = memoryview(_ffi.buffer(self.sealed)).cast("B")
        self.opened = _ffi.new("char[]", MAX_PACKET)


_scratch = _Scratch()


class Records:
    """The record layer of one connection that stands on memory BIOs. After `ended` nothing can be sent or read."""

    def __init__(self, connection: SSL.Connection) -> None:
        self._connection = connection  # which owns what the three pointers below point to
        self._ssl = connection._ssl
        self._in = connection._into_ssl
        self._out = connection._from_ssl
        self.ended = False
        """The far end has closed the connection, or broken it."""
        self.answering = False
        """OpenSSL may have something to say: see `take_flight`."""
        # OpenSSL then answers a request to negotiate anew with the alert that refuses it (RFC 5746 §4.5).
        _lib.SSL_set_options(self._ssl, _lib.SSL_OP_NO_RENEGOTIATION)

    def seal(self, packets: Sequence[bytes]) -> Iterator[tuple[memoryview, int]]:
        """Encrypt packets of at most MAX_PACKET. Gives runs with the size of their segments.

        A run is overwritten when the next one is asked for. Raises ConnectionError when nothing can be sent.
        """
        scratch = _scratch
        write, ssl = _lib.SSL_write, self._ssl
        begin, number = 0, len(packets)
        while begin < number:
            size = len(packets[begin])
            end = number if number == begin + 1 else min(number, begin + _segments(size))
            position = begin
            while position < end:
                packet = packets[position]
                length = len(packet)
                if length > size:
                    break
                if write(ssl, packet, length) <= 0:
                    _lib.ERR_clear_error()
                    raise ConnectionError("OpenSSL takes no more data")
                position += 1
                if length < size:
                    break  # the shorter one at the end of a run
            sealed = _lib.BIO_read(self._out, scratch.sealed, 64 * KIB)
            run = scratch.sealed_view[:sealed]
            yield run, sealed if position - begin == 1 else _HEAD + _length_at(run, _LENGTH)[0]
            begin = position

    def open(self, run: memoryview, segment: int, packets: list[bytes]) -> None:
        """Decrypt datagrams of `segment` bytes, the last perhaps shorter. Packets are added to the list."""
        position, size = 0, len(run)
        while position < size and not self.ended:
            end, count = position, 0
            while end < size and end - position < _SPAN:
                edge = end + segment
                if edge > size:
                    edge = size
                if (
                    run[end] != _APPLICATION_DATA
                    or edge - end <= _HEAD
                    or _length_at(run, end + _LENGTH)[0] != edge - end - _HEAD
                    or (count and edge - position > _SPAN)
                ):
                    break
                end = edge
                count += 1
            if count:
                self._feed(run[position:end])
                self._read(count, packets)
            else:
                end = min(position + segment, size)
                self._feed(run[position:end])
                self._read(_SPAN // _HEAD, packets)
                self.answering = True
            position = end

    def drain(self, packets: list[bytes]) -> None:
        """Give what OpenSSL has kept: data that overtook the end of the handshake."""
        self._read(_SPAN // _HEAD, packets)
        self.answering = True

    def take_flight(self) -> list[bytes]:
        """What OpenSSL wants to say beside data, in datagrams that hold whole records."""
        self.answering = False
        said = b""
        while (size := _lib.BIO_read(self._out, _scratch.sealed, 64 * KIB)) > 0:
            said += _ffi.unpack(_scratch.sealed, size)
        flight: list[bytes] = []
        begin = end = 0
        while end + _HEAD <= len(said):
            after = end + _HEAD + _length_at(said, end + _LENGTH)[0]
            if after - begin > _FLIGHT and end > begin:
                flight.append(said[begin:end])
                begin = end
            end = after
        return [*flight, said[begin:]] if said else []

    def _feed(self, datagrams: memoryview) -> None:
        _lib.BIO_write(self._in, _ffi.from_buffer(datagrams), len(datagrams))

    def _read(self, most: int, packets: list[bytes]) -> None:
        """Up to `most` packets. Records that do not decrypt are skipped by OpenSSL, as RFC 6347 §4.1.2.7 asks."""
        read, ssl, buffer, unpack = _lib.SSL_read, self._ssl, _scratch.opened, _ffi.unpack
        _lib.ERR_clear_error()  # what others left in the thread's queue would pass for an error of ours
        for _ in range(most):
            size = read(ssl, buffer, MAX_PACKET)
            if size <= 0:
                self.answering = True
                if _lib.SSL_get_error(ssl, size) != _lib.SSL_ERROR_WANT_READ:
                    # close_notify, a fatal alert, or what the protocol forbids: all of it under the far end's key.
                    _lib.ERR_clear_error()
                    self.ended = True
                return
            packets.append(unpack(buffer, size))
