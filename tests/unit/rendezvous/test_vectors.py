"""core/PROTOCOL.md's meeting vectors and constants, held against the code and computed anew."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from mayfly.rendezvous.envelope import Element, Sealed, decode
from mayfly.rendezvous.friend import FriendClient, FriendRelay
from mayfly.rendezvous.sealing import ReceivingKey, direction_key, open_with
from mayfly.rendezvous.shortcode import ShortCode
from mayfly.rendezvous.stranger import StrangerRelay

PAGE = (Path(__file__).resolve().parents[3] / "core/PROTOCOL.md").read_text(encoding="utf-8")
VECTORS = {
    name: bytes.fromhex(value)
    for name, value in re.findall(r"^\| ((?:friend|strangers): [^|]*) \| `([0-9a-f]+)` \|$", PAGE, re.MULTILINE)
}
CODE = ShortCode("7", ("copper", "tulip"))
MATCH = "0123456789abcdef"


def test_the_page_has_them_all() -> None:
    assert len(VECTORS) == 11


def test_friends() -> None:
    client = FriendClient(CODE, lambda size: b"\x01" * size)
    relay = FriendRelay(CODE, client.first, lambda size: b"\x02" * size)
    assert client.first.encode() == VECTORS["friend: element X"]
    assert relay.reply.encode() == VECTORS["friend: element Y"]
    offer = client.offer(relay.reply, b"offer")
    assert offer.encode() == VECTORS["friend: sealed offer"]
    assert relay.open(offer) == b"offer"
    answer = relay.seal(b"answer")
    assert answer.encode() == VECTORS["friend: sealed answer"]
    assert client.answer(answer) == b"answer"


def test_friends_keys_from_the_words_of_the_page_alone() -> None:
    """SPAKE2 as the page has it, from the library's group arithmetic but without its protocol."""
    from spake2.parameters.ed25519 import ParamsEd25519 as Parameters  # type: ignore[import-untyped]

    group: Any = Parameters.group
    constants = {
        name: group.bytes_to_element(bytes.fromhex(value))
        for name, value in re.findall(r"^\| ([MN]) \| `([0-9a-f]{64})` \|$", PAGE, re.MULTILINE)
    }
    x = int.from_bytes(VECTORS["friend: x"], "big")
    element_x, element_y = VECTORS["friend: element X"][2:], VECTORS["friend: element Y"][2:]
    w = group.password_to_scalar(CODE.password)
    assert group.Base.scalarmult(x).add(constants["M"].scalarmult(w)).to_bytes() == element_x
    shared = (
        group.bytes_to_element(element_y).add(constants["N"].scalarmult(-w % group.order())).scalarmult(x).to_bytes()
    )
    hashed = [sha256(part).digest() for part in (b"copper-tulip", b"mayfly/1 client 7", b"mayfly/1 relay 7")]
    key = sha256(b"".join([*hashed, element_x, element_y, shared])).digest()
    assert key == VECTORS["friend: SPAKE2's key"]
    for name in ("offer", "answer"):
        message = decode(VECTORS[f"friend: sealed {name}"])
        assert isinstance(message, Sealed)
        assert open_with(direction_key(key, f"mayfly/1 friend {name}".encode()), message.ciphertext) == name.encode()


def test_strangers() -> None:
    relay_key = ReceivingKey(X25519PrivateKey.from_private_bytes(VECTORS["strangers: relay's private key"]))
    assert relay_key.public == VECTORS["strangers: relay's public key"]
    offer, answer = (decode(VECTORS[f"strangers: sealed {name}"]) for name in ("offer", "answer"))
    assert isinstance(offer, Sealed) and isinstance(answer, Sealed)
    assert StrangerRelay(relay_key, MATCH, offer).body == b"offer"
    reply_key = ReceivingKey(X25519PrivateKey.from_private_bytes(VECTORS["strangers: private key of the reply key"]))
    info = b"mayfly/1 pool answer " + sha256(offer.ciphertext).digest() + MATCH.encode()
    assert reply_key.open(answer.ciphertext, info) == b"answer"


@pytest.mark.parametrize(("name", "kind"), [("friend: element X", Element), ("friend: sealed offer", Sealed)])
def test_types(name: str, kind: type) -> None:
    assert isinstance(decode(VECTORS[name]), kind)
