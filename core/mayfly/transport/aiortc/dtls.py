"""aiortc's DTLS, with the one failure that people must hear about told apart."""

# aiortc hands its state and its OpenSSL connection to subclasses only under private names.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import hmac

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


def fingerprint_of(certificate: RTCCertificate) -> bytes:
    """The SHA-256 of a certificate of ours, 32 bytes."""
    return certificate._cert.fingerprint(SHA256())


def fingerprint_parameters(fingerprint: bytes) -> RTCDtlsParameters:
    """What the far end's certificate has to match."""
    return RTCDtlsParameters([RTCDtlsFingerprint("sha-256", fingerprint.hex(":").upper())])


class LinkDtls(RTCDtlsTransport):
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
