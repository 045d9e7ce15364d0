"""The postings of the pool that have a free seat. Finding one takes as long among ten thousand as among ten.

Postings lie in boxes, one for each *kind* (upstream, NAT, classes of ports) and *level* of load. Kinds are few whatever
relays there are: five upstreams, four NATs and 64 sets of port classes bound them. A search looks at boxes, never at
postings: the kinds of relay that fit the client's NAT best come first, in them the least loaded, and among those chance
decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from mayfly.rendezvous.messages import About, Want

LEVELS = 8

FITTING: dict[str, tuple[str, ...]] = {
    "open": ("symmetric", "unknown", "cone", "open"),
    "cone": ("cone", "unknown", "open"),
    "symmetric": ("open", "unknown"),
    "unknown": ("open", "cone", "unknown", "symmetric"),
}
"""For the client's NAT those of relays that it can work with, best first. A symmetric NAT meets an open one alone;
a client that can take anybody leaves the open relays to those who need them."""

Draw = Callable[[int], int]
"""A random number from 0 up to, not including, its argument."""

Kind = tuple[str, str, frozenset[str]]


def level(about: About, taken: int, capacity: int) -> int:
    """How loaded a relay is, by its own word or by the seats that are taken, whichever is more: 0 to LEVELS - 1."""
    share = max(about.load, taken / capacity if capacity else 1.0)
    return min(LEVELS - 1, int(share * LEVELS))


class Box:
    """A set of ids with places, so that one can be drawn, added and taken out in constant time."""

    __slots__ = ("_places", "items")

    def __init__(self) -> None:
        self.items: list[str] = []
        self._places: dict[str, int] = {}

    def add(self, item: str) -> None:
        """Add an id that is not there."""
        self._places[item] = len(self.items)
        self.items.append(item)

    def remove(self, item: str) -> None:
        """Take out an id that is there; the last one moves to its place."""
        place = self._places.pop(item)
        last = self.items.pop()
        if last != item:
            self.items[place] = last
            self._places[last] = place


class Shelf:
    """All boxes. Each id is on the shelf once or not at all."""

    def __init__(self) -> None:
        self._levels: list[dict[Kind, Box]] = [{} for _ in range(LEVELS)]
        self._where: dict[str, tuple[int, Kind]] = {}

    def __len__(self) -> int:
        return len(self._where)

    def put(self, item: str, about: About, at: int) -> None:
        """Lay an id into the box of its kind and level, out of the one where it was."""
        place = (at, (about.upstream, about.nat, frozenset(about.serves)))
        if self._where.get(item) == place:
            return
        self.take(item)
        self._where[item] = place
        self._levels[at].setdefault(place[1], Box()).add(item)

    def take(self, item: str) -> None:
        """Take an id off the shelf, if it is there."""
        if item not in self._where:
            return
        at, kind = self._where.pop(item)
        box = self._levels[at][kind]
        box.remove(item)
        if not box.items:
            del self._levels[at][kind]

    def find(self, want: Want, exclude: Collection[str], draw: Draw) -> str | None:
        """The id of a relay that fits, or None. Looks at no more ids than are excluded, and one."""
        for nat in FITTING[want.nat]:
            for boxes in self._levels:
                fitting = [box for kind, box in boxes.items() if _fits(kind, nat, want)]
                found = next((item for item in _drawn(fitting, draw, len(exclude) + 1) if item not in exclude), None)
                if found is not None:
                    return found
        return None


def _fits(kind: Kind, nat: str, want: Want) -> bool:
    upstream, own_nat, serves = kind
    return own_nat == nat and want.upstream in (None, upstream) and (want.serves is None or want.serves in serves)


def _drawn(boxes: list[Box], draw: Draw, count: int) -> Iterator[str]:
    """Up to `count` different ids out of all boxes, from a random one on."""
    total = sum(len(box.items) for box in boxes)
    if not total:
        return
    place = draw(total)
    number = 0
    while place >= len(boxes[number].items):
        place -= len(boxes[number].items)
        number += 1
    for _ in range(min(count, total)):
        yield boxes[number].items[place]
        place += 1
        if place == len(boxes[number].items):
            place, number = 0, (number + 1) % len(boxes)
