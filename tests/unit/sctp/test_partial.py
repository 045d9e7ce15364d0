"""Messages that are given up (RFC 3758): ours and aiortc's, as sender and as receiver."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mayfly.config import SctpConfig
from support.associations import AnyEnd, OurEnd, StockEnd, aiortc_in, ends, join
from support.network import Wire, World

PATIENT = SctpConfig(packet_sizes=(), max_retransmits=60)
LIMIT = st.sampled_from([{"max_retransmits": 0}, {"max_retransmits": 2}, {"expiry": 0.15}])


def content(seed: int, number: int) -> list[bytes]:
    random = Random(seed)
    return [index.to_bytes(2, "big") + random.randbytes(random.randrange(6000)) for index in range(number)]


def check(got: list[bytes], sent: list[bytes], ordered: bool) -> None:
    """What arrived is whole, came once, and in order where that was agreed."""
    assert set(got) <= set(sent) and len(set(got)) == len(got)
    if ordered:
        assert got == [message for message in sent if message in set(got)]


def send_all(world: World, left: AnyEnd, sent: list[bytes], limit: dict[str, Any]) -> None:
    for message in sent:
        if isinstance(left, OurEnd):
            left.send(message, **({"expiry": world.now + limit["expiry"]} if "expiry" in limit else limit))
        else:
            left.send(message)
        world.rest(0.01)
    left.wire.suffer(loss=0.0)
    assert world.run(lambda: left.idle or bool(left.ended), 600)
    world.rest(2)
    assert left.ended is None


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.1, 0.4]), LIMIT, st.booleans(), st.booleans())
def test_ours_to_ours(seed: int, loss: float, limit: dict[str, Any], ordered: bool, jitter: bool) -> None:
    world = World()
    left, right = ends(world, seed=seed, config=PATIENT, ordered=ordered, partial_reliability=True)
    join(world, left, right)
    left.wire.suffer(loss=loss, jitter=0.03 if jitter else 0.0)
    sent = content(seed, 20)
    send_all(world, left, sent, limit)
    check(right.messages, sent, ordered)
    if loss == 0 and "expiry" not in limit and not jitter:
        assert len(right.messages) == len(sent)
    # The far end does not wait for anything any more, and holds nothing.
    left.send(b"reliable")
    assert world.run(lambda: left.idle, 60)
    world.rest(1)
    assert right.messages[-1] == b"reliable"
    assert right.association._receiver.held == 0 and right.association._receiver._straight


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.1, 0.4]), LIMIT, st.booleans(), st.booleans())
def test_ours_and_aiortcs(seed: int, loss: float, limit: dict[str, Any], ordered: bool, ours_sends: bool) -> None:
    world, random = World(), Random(seed)
    # aiortc throws ordered messages away that are whole and wait behind one that a FORWARD TSN skips.
    ordered = ordered and not ours_sends
    names = {"max_retransmits": "maxRetransmits", "expiry": "maxPacketLifeTime"}
    channel = {names[key]: int(value * 1000) if key == "expiry" else value for key, value in limit.items()}
    with aiortc_in(world):
        ours = OurEnd(world, Wire(world, random), 1, config=PATIENT, tsn=1, ordered=ordered, partial_reliability=True)
        theirs = StockEnd(world, Wire(world, random), "server", ordered=ordered, **channel)
        join(world, ours, theirs)
        world.rest(1)
        left, right = (ours, theirs) if ours_sends else (theirs, ours)
        left.wire.suffer(loss=loss)
        sent = content(seed, 20)
        send_all(world, left, sent, limit)
        check(right.messages, sent, ordered)
        left.send(b"last")
        assert world.run(lambda: left.idle, 60)
        world.rest(1)
        assert right.messages[-1] == b"last"


@pytest.mark.parametrize("agreed", [True, False])
def test_limits_count_only_where_the_far_end_agreed(agreed: bool) -> None:
    world, random = World(), Random(3)
    left = OurEnd(world, Wire(world, random), 1, partial_reliability=True)
    right = OurEnd(world, Wire(world, random), 2, partial_reliability=agreed)
    join(world, left, right)
    left.wire.suffer(loss=1.0)
    left.send(b"once", max_retransmits=0)
    world.rest(0.5)
    left.wire.suffer(loss=0.0)
    assert world.run(lambda: left.idle, 60)
    world.rest(1)
    assert right.messages == ([] if agreed else [b"once"]) and right.ended is None
