"""Whether cost grows with the work alone: with bytes, with streams, with clients.

Each row is processor time of the relay and its clients for one unit of work. Where cost is linear, a row costs the same
however much of the work there is; the bars hold the row with the most of it against the cheapest.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.crowd import RelayWithCrowd, relay_with_crowd
from bench.family import MB, Bar, Family, Row, Run
from bench.figures import Figures
from support.http import Origin, origin

NAME = "scaling"
SUBJECT = "relay and clients"
SIZES = (4, 16, 64, 256)
STREAMS = (1, 10, 100, 1000)
CLIENTS = (1, 10, 50)
STREAM_BYTES = 256_000
CLIENT_BYTES = 4 * MB
"""What each of many streams, and each of many clients, fetches."""
SMALL = 1000
"""Bytes of a fetch that costs its stream and little else."""


async def measure(run: Run) -> None:
    """One relay that gets more and more clients; first it has one."""
    async with origin() as web:
        for number in range(run.scaled(min(run.rounds, 3), 1)):
            run.progress(f"round {number + 1}")
            async with relay_with_crowd(CLIENTS[-1]) as pair:
                await pair.join(1)
                await _fetch(pair, web, 8 * MB, 1)
                await _fetch(pair, web, SMALL, 100)
                await _one_client(run, pair, web)
                for more, clients in zip((0, 9, 40), CLIENTS, strict=True):
                    await pair.join(more)
                    turns = CLIENTS[-1] // clients
                    used = sum([await _fetch(pair, web, CLIENT_BYTES, 1) for _ in range(turns)])
                    run.add(SUBJECT, f"clients {clients}", used * 1000 * MB / (turns * clients * CLIENT_BYTES))


async def _one_client(run: Run, pair: RelayWithCrowd, web: Origin) -> None:
    for size in SIZES:
        run.add(SUBJECT, f"bytes {size}", await _fetch(pair, web, size * MB, 1) / size * 1000)
    for row, size, counts in (("streams", STREAM_BYTES, STREAMS), ("fetches", SMALL, STREAMS[1:])):
        for streams in counts:
            # The same fetches each time, so many at once: processor time is counted in hundredths of a second.
            turns = STREAMS[-1] // streams
            used = sum([await _fetch(pair, web, size, streams) for _ in range(turns)])
            run.add(SUBJECT, f"{row} {streams}", used / (turns * streams) * 1000)


async def _fetch(pair: RelayWithCrowd, web: Origin, size: int, streams: int) -> float:
    """Processor seconds of one fetch on each of `streams` streams of every client."""
    before = pair.cpu_seconds()
    await pair.fetch(web.host, web.port, size, streams)
    return pair.cpu_seconds() - before


def _growth(*rows: str) -> Callable[[Figures], float | None]:
    """The row with the most work over the cheapest: little at a time may cost more, but never much at a time."""

    def found(figures: Figures) -> float | None:
        values = [figures.median(NAME, SUBJECT, row) for row in rows]
        known = [value for value in values if value]
        return known[-1] / min(known) if len(known) == len(rows) else None

    return found


FAMILY = Family(
    NAME,
    "processor time by amount of work",
    measure,
    rows=(
        *(Row(f"bytes {size}", f"one stream of {size} MB", "ms/MB", 2) for size in SIZES),
        *(Row(f"streams {count}", f"256 kB on each of {count} streams at once", "ms each", 2) for count in STREAMS),
        *(Row(f"fetches {count}", f"{count} small fetches at once", "ms each", 2) for count in STREAMS[1:]),
        *(Row(f"clients {count}", f"4 MB to each of {count} clients at once", "ms/MB", 2) for count in CLIENTS),
    ),
    bars=(
        Bar("cost of a MB, from 4 to 256 MB", _growth(*(f"bytes {s}" for s in SIZES)), 2.0, at_most=True),
        Bar(
            "cost of 256 kB on a stream, of 1 to 1,000 at once",
            _growth(*(f"streams {s}" for s in STREAMS)),
            2.0,
            at_most=True,
        ),
        Bar(
            "cost of a small fetch, of 10 to 1,000 at once",
            _growth(*(f"fetches {s}" for s in STREAMS[1:])),
            2.0,
            at_most=True,
        ),
        Bar(
            "cost of a MB to a client, of 1 to 50 at once",
            _growth(*(f"clients {c}" for c in CLIENTS)),
            2.0,
            at_most=True,
        ),
    ),
)
