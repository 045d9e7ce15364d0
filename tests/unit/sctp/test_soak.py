"""Two hours of traffic both ways on a virtual clock, through changing weather; every message hashed and counted."""

from __future__ import annotations

import hashlib
from random import Random

import pytest

from mayfly.config import EngineConfig, SctpConfig
from support.associations import OurEnd, join
from support.network import Wire, World

HOURS = 2
MINUTE = 60.0
PATIENT = SctpConfig(max_retransmits=60)
WEATHERS = (
    {"loss": 0.0, "jitter": 0.0, "duplicate": 0.0},
    {"loss": 0.01, "jitter": 0.005, "duplicate": 0.0},
    {"loss": 0.05, "jitter": 0.0, "duplicate": 0.02},
    {"loss": 0.2, "jitter": 0.05, "duplicate": 0.0},
    {"loss": 0.02, "jitter": 0.2, "duplicate": 0.1},
)
OUTAGE = {"loss": 1.0}


class Traffic:
    """What one end sends, now and then a burst, and what has come of it at the other."""

    def __init__(self, world: World, sender: OurEnd, receiver: OurEnd, random: Random) -> None:
        self.sent = self.bytes = 0
        self.most_held = 0
        self._missing: dict[int, bytes] = {}
        self._world, self._sender, self._receiver, self._random = world, sender, receiver, random
        self.stopped = False

    def go_on(self) -> None:
        """Send, and come back in a while."""
        if self.stopped:
            return
        for _ in range(self._random.choice((1, 1, 2, 12))):
            message = self.sent.to_bytes(8, "big") + self._random.randbytes(self._random.choice((0, 40, 1200, 16_000)))
            self._missing[self.sent] = hashlib.sha256(message).digest()
            self.sent += 1
            self.bytes += len(message)
            self._sender.send(message)
        self._world.at(self._world.now + self._random.uniform(0.2, 4.0), self.go_on)

    def check(self) -> None:
        """Every message that has come is one that was sent, whole, and comes for the first time."""
        for message in self._receiver.messages:
            digest = self._missing.pop(int.from_bytes(message[:8], "big"))
            assert hashlib.sha256(message).digest() == digest
        self._receiver.messages.clear()
        self.most_held = max(self.most_held, self._receiver.association._receiver.held)

    @property
    def complete(self) -> bool:
        """Whether all that was sent has come."""
        self.check()
        return not self._missing


@pytest.mark.slow
def test_two_hours_in_all_weathers() -> None:
    world, random = World(), Random(11)
    left, right = (
        OurEnd(
            world,
            Wire(world, random, delay=0.04, rate=1e6, queue=150_000, keep=False),
            number,
            config=PATIENT,
        )
        for number in (1, 2)
    )
    join(world, left, right)
    there, back = Traffic(world, left, right, random), Traffic(world, right, left, random)
    began = world.now
    there.go_on()
    back.go_on()
    for minute in range(HOURS * 60):
        weather = random.choice(WEATHERS)
        left.wire.suffer(**weather)
        right.wire.suffer(**random.choice((weather, WEATHERS[0])))
        if minute % 10 == 9:
            for end in random.sample((left, right), random.choice((1, 2))):
                end.wire.suffer(**OUTAGE)
            world.rest(random.uniform(1, 15))
            left.wire.suffer(**weather)
            right.wire.suffer(**weather)
        world.rest(MINUTE)
        there.check()
        back.check()
        assert (left.ended, right.ended) == (None, None)
    for traffic in (there, back):
        traffic.stopped = True
    for end in (left, right):
        end.wire.suffer(**WEATHERS[0])
    assert world.run(lambda: left.idle and right.idle, 300.0)
    assert there.complete and back.complete
    assert world.now - began > HOURS * 3600
    assert min(there.sent, back.sent) > 3000 and left.wire.dropped > 1000
    assert max(there.most_held, back.most_held) <= EngineConfig().max_reassembly
    for end in (left, right):
        assert end.association._receiver.held == 0
        assert end.association._sender._in_flight == 0
