"""Sealing: HPKE (RFC 9180) to a relay that strangers share, AES-256-GCM under an agreed key between friends.

Both come from `cryptography`. The suite is DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM: all of it is in
browsers too. Every key seals one message only, so the nonce between friends is zero.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SIZE = 32
BLOCK = 256
"""Plaintexts are padded to a multiple of it: the length of an offer would tell how many addresses are in it."""

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_NONCE = bytes(12)
_LENGTH = 2
_BROKEN = "the seal does not fit"


class SealError(ValueError):
    """It was not sealed for us, in this place, by somebody who may; or it was changed on the way."""


class ReceivingKey:
    """A key pair to which others seal. Made anew by each relay's run, and by each client for each reply."""

    def __init__(self, private: X25519PrivateKey | None = None) -> None:
        self._private = private or X25519PrivateKey.generate()

    @property
    def public(self) -> bytes:
        """32 bytes for others."""
        return self._private.public_key().public_bytes_raw()

    def open(self, ciphertext: bytes, info: bytes) -> bytes:
        """What was sealed to this key with the same `info`. Raises SealError."""
        try:
            padded = _SUITE.decrypt(ciphertext, self._private, info=info)
        except (InvalidTag, ValueError) as error:
            raise SealError(_BROKEN) from error
        return unpad(padded)


def seal_to(public: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Seal to the holder of that key; `info` says where and for what. Raises SealError for a key that is none."""
    try:
        return _SUITE.encrypt(pad(plaintext), X25519PublicKey.from_public_bytes(public), info=info)
    except ValueError as error:
        raise SealError("the key cannot be used") from error


def direction_key(secret: bytes, info: bytes) -> bytes:
    """The key of one direction, from what SPAKE2 gave."""
    return HKDF(SHA256(), KEY_SIZE, None, info).derive(secret)


def seal_with(key: bytes, plaintext: bytes) -> bytes:
    """Seal the one message of this key."""
    return AESGCM(key).encrypt(_NONCE, pad(plaintext), None)


def open_with(key: bytes, ciphertext: bytes) -> bytes:
    """The message sealed with this key. Raises SealError."""
    try:
        padded = AESGCM(key).decrypt(_NONCE, ciphertext, None)
    except (InvalidTag, ValueError) as error:
        raise SealError(_BROKEN) from error
    return unpad(padded)


def pad(plaintext: bytes) -> bytes:
    """The length, the plaintext, and zeros up to a whole block."""
    whole = len(plaintext).to_bytes(_LENGTH, "big") + plaintext
    return whole + bytes(-len(whole) % BLOCK)


def unpad(padded: bytes) -> bytes:
    """The reverse of pad. Raises SealError."""
    size = int.from_bytes(padded[:_LENGTH], "big")
    plaintext = padded[_LENGTH : _LENGTH + size]
    if padded != pad(plaintext) or len(plaintext) != size:
        raise SealError("the padding is wrong")
    return plaintext
