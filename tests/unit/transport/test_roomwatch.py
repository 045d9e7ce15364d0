"""Looks for room come at their time, go on while nobody stops them, and end at once."""

from __future__ import annotations

from mayfly.transport.roomwatch import INTERVAL, RoomWatch
from support.network import World
from support.timers import Timers


class Scene:
    """A watch on a virtual clock that notes when it looked."""

    def __init__(self, *, enough: int | None = None) -> None:
        """After `enough` looks there is room."""
        self.world = World()
        self.enough = enough
        self.looks: list[float] = []
        self.watch = RoomWatch(Timers(self.world), self.look)

    def look(self) -> None:
        self.looks.append(round(self.world.now, 6))
        if len(self.looks) == self.enough:
            self.watch.stop()


def test_it_looks_at_its_interval_while_it_is_on() -> None:
    scene = Scene()
    scene.world.rest(2 * INTERVAL)
    begin = scene.world.now
    scene.watch.begin()
    assert scene.looks == []
    scene.world.rest(3.5 * INTERVAL)
    assert scene.looks == [round(begin + (number + 1) * INTERVAL, 6) for number in range(3)]


def test_beginning_twice_is_beginning_once() -> None:
    scene = Scene()
    scene.watch.begin()
    scene.world.rest(INTERVAL / 2)
    scene.watch.begin()
    scene.world.rest(INTERVAL)
    assert len(scene.looks) == 1


def test_it_ends_at_once_and_may_begin_again() -> None:
    scene = Scene()
    scene.watch.stop()
    scene.watch.begin()
    scene.watch.stop()
    assert not scene.watch.on
    scene.world.rest(5 * INTERVAL)
    assert scene.looks == []
    scene.watch.begin()
    scene.world.rest(1.5 * INTERVAL)
    assert len(scene.looks) == 1


def test_who_finds_room_ends_it_from_inside_the_look() -> None:
    scene = Scene(enough=2)
    scene.watch.begin()
    scene.world.rest(9 * INTERVAL)
    assert len(scene.looks) == 2 and not scene.watch.on
