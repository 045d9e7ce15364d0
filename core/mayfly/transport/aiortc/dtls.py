"""aiortc's DTLS: its handshake with the one failure that people must hear about told apart, then data in batches.

`StockDtls` carries data as aiortc does, a task, a queue and several calls a packet. `LinkDtls` lets aiortc finish the
handshake and from then on stands between the sockets and SCTP itself: what one wake-up of the loop found in a socket
is decrypted where it lies and given on as one list, and a list of packets leaves as runs of records.
"""

# aiortc hands its state and its OpenSSL connection to subclasses only under private names.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Callable, Sequence
from functools import cached_property

from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    State,
)
from aiortc.rtcicetransport import RTCIceTransport
from cryptography.hazmat.primitives.hashes import SHA256
from OpenSSL import SSL

from mayfly.transport.aiortc.ice import LinkConnection
from mayfly.transport.aiortc.records import Records


def fingerprint_of(certificate: RTCCertificate) -> bytes:
    """The SHA-256 of a certificate of ours, 32 bytes."""
    return certificate._cert.fingerprint(SHA256())


def fingerprint_parameters(fingerprint: bytes) -> RTCDtlsParameters:
    """What the far end's certificate has to match."""
    return RTCDtlsParameters([RTCDtlsFingerprint("sha-256", fingerprint.hex(":").upper())])


class StockDtls(RTCDtlsTransport):
    """DTLS of one link, in a fixed role (RFC 8842 §5)."""

    def __init__(self, ice: RTCIceTransport, certificate: RTCCertificate, *, client: bool) -> None:
        super().__init__(ice, [certificate])
        self._set_role("client" if client else "server")
        self.mismatch = False

    @property
    def connected(self) -> bool:
        """Whether the handshake is done and nobody has closed."""
        return self._state is State.CONNECTED

    def _validate_peer_identity(self, remoteParameters: RTCDtlsParameters) -> None:  # noqa: N803 - aiortc's name
        """Compare the certificate that the far end proved with the fingerprint in its code."""
        certificate = self._ssl.get_peer_certificate(as_cryptography=True) if self._ssl is not None else None
        expected = bytes.fromhex(remoteParameters.fingerprints[0].value.replace(":", ""))
        if certificate is None or not hmac.compare_digest(certificate.fingerprint(SHA256()), expected):
            self.mismatch = True
            self._set_state(State.FAILED)

    async def stop(self) -> None:
        """Say close_notify, also to an end whose certificate was refused, and stop. Nothing runs afterwards."""
        reading = self._task
        if self.mismatch and self._ssl is not None:
            with contextlib.suppress(SSL.Error):
                self._ssl.shutdown()
            with contextlib.suppress(ConnectionError):
                await self._write_ssl()
        await super().stop()
        if reading is not None:
            await asyncio.wait({reading})
            if not reading.cancelled():
                # Read, so that asyncio does not report it: the link's `lost` has told of it.
                reading.exception()


class LinkDtls(StockDtls):
    """DTLS of one link, in batches once the handshake is done. Fulfils `ice.DataSink`."""

    def __init__(
        self, ice: RTCIceTransport, connection: LinkConnection, certificate: RTCCertificate, *, client: bool
    ) -> None:
        super().__init__(ice, certificate, client=client)
        self._connection = connection
        self._over = asyncio.get_running_loop().create_future()
        self._receive: Callable[[list[bytes]], None] | None = None
        self._packets: list[bytes] = []

    # for SCTP

    def send_packets(self, packets: Sequence[bytes]) -> None:
        """Encrypt packets of at most `records.MAX_PACKET` and send each as a datagram, many with one call.

        Raises ConnectionError when the path is gone or DTLS has ended.
        """
        if self._state is not State.CONNECTED:
            raise ConnectionError("DTLS is not connected")
        send = self._connection.send_run
        for run, segment in self._records.seal(packets):
            send(run, segment)

    def let_fragment(self) -> None:
        """The path carries less than it did: from now on its packets may be fragmented on their way."""
        self._connection.let_fragment()

    def deliver_to(self, receive: Callable[[list[bytes]], None]) -> None:
        """From now on give decrypted packets on, those of one wake-up of a socket at once. Called once, connected.

        What came before follows in the loop's next turn.
        """
        self._receive = receive
        self._connection.feed(self)
        asyncio.get_running_loop().call_soon(self._catch_up)

    def _catch_up(self) -> None:
        if self._state is State.CONNECTED:
            self._records.drain(self._packets)
            self.received()

    # ice.DataSink

    def receive_run(self, run: memoryview, segment: int) -> None:
        """Decrypt datagrams of one size, the last perhaps shorter."""
        if self._state is State.CONNECTED:
            self._records.open(run, segment, self._packets)

    def received(self) -> None:
        """Give on what was decrypted since the last call."""
        if self._records.answering:
            with contextlib.suppress(ConnectionError):
                self._answer()
        if self._packets and self._receive is not None:
            packets, self._packets = self._packets, []
            self._receive(packets)
        if self._records.ended:
            self.lost()

    def lost(self) -> None:
        """Nothing more will come."""
        if not self._over.done():
            self._over.set_result(None)

    # for aiortc

    @cached_property
    def _records(self) -> Records:
        assert self._ssl is not None  # noqa: S101 - nothing is received or sent before start() has made it
        return Records(self._ssl)

    async def _recv_next(self) -> None:
        """Receive for the handshake; after it, what aiortc runs as its receiving task only waits for the end."""
        if self._state is not State.CONNECTED:
            await super()._recv_next()
            return
        await self._over
        raise ConnectionError

    async def _write_ssl(self) -> None:
        """Send what OpenSSL has made. aiortc sends at most 1,500 bytes of it, cut wherever that falls."""
        self._answer()

    def _answer(self) -> None:
        for datagram in self._records.take_flight():
            self._connection.send_run(datagram, len(datagram))
