"""Onion addresses of version 3 (Tor's rend-spec, "Encoding onion addresses")."""

from __future__ import annotations

import base64
import binascii
import hashlib

from mayfly.errors import UsageError

SUFFIX = ".onion"
_LENGTH = 56
_VERSION = b"\x03"


def parse_onion(text: str) -> str:
    """The address in its one spelling, with its suffix. Raises UsageError for one that was mistyped."""
    name = text.strip().lower().removeprefix("http://").rstrip("/")
    label = name.removesuffix(SUFFIX).rpartition(".")[2]
    if not name.endswith(SUFFIX) or len(label) != _LENGTH:
        raise UsageError("this is not an onion address", hint=f"One has {_LENGTH} letters and digits, and {SUFFIX}.")
    try:
        raw = base64.b32decode(label, casefold=True)
    except binascii.Error:
        raise UsageError("this onion address holds a character that none does", hint=_COPY) from None
    key, checksum, version = raw[:32], raw[32:34], raw[34:]
    if version != _VERSION or checksum != onion_checksum(key):
        raise UsageError("this onion address was mistyped: its checksum does not fit", hint=_COPY)
    return label + SUFFIX


def onion_checksum(key: bytes) -> bytes:
    """The two bytes of checksum for a service's public key."""
    return hashlib.sha3_256(b".onion checksum" + key + _VERSION).digest()[:2]


_COPY = "Copy it again, from its first letter to its end."
