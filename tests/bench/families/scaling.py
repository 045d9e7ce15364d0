"""Whether cost grows with the work alone: with bytes, with streams, with clients.

Each row is processor time of the relay and its clients for one unit of work. Where cost is linear, a row costs the same
however much of the work there is; the bars hold the dearest of a kind against the cheapest.
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
SPREAD_BYTES = 64 * MB
"""What all streams, or all clients, move together."""
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
                    size = SPREAD_BYTES // clients
                    run.add(SUBJECT, f"clients {clients}", await _fetch(pair, web, size, 1) / SPREAD_BYTES * MB * 1000)


async def _one_client(run: Run, pair: RelayWithCrowd, web: Origin) -> None:
    for size in SIZES:
        run.add(SUBJECT, f"bytes {size}", await _fetch(pair, web, size * MB, 1) / size * 1000)
    for streams in STREAMS:
        spread = await _fetch(pair, web, SPREAD_BYTES // streams, streams)
        run.add(SUBJECT, f"streams {streams}", spread / SPREAD_BYTES * MB * 1000)
    for streams in STREAMS[1:]:
        # Processor time is counted in hundredths of a second, so few streams take many turns.
        turns = STREAMS[-1] // streams
        used = sum([await _fetch(pair, web, SMALL, streams) for _ in range(turns)])
        run.add(SUBJECT, f"fetches {streams}", used / (turns * streams) * 1000)


async def _fetch(pair: RelayWithCrowd, web: Origin, size: int, streams: int) -> float:
    """Processor seconds of one fetch on each of `streams` streams of every client."""
    before = pair.cpu_seconds()
    await pair.fetch(web.host, web.port, size, streams)
    return pair.cpu_seconds() - before


def _spread(*rows: str) -> Callable[[Figures], float | None]:
    """The dearest of these rows over the cheapest."""

    def found(figures: Figures) -> float | None:
        values = [figures.median(NAME, SUBJECT, row) for row in rows]
        known = [value for value in values if value]
        return max(known) / min(known) if len(known) == len(rows) else None

    return found


FAMILY = Family(
    NAME,
    "processor time by amount of work",
    measure,
    rows=(
        *(Row(f"bytes {size}", f"one stream of {size} MB", "ms/MB", 2) for size in SIZES),
        *(Row(f"streams {count}", f"64 MB on {count} streams at once", "ms/MB", 2) for count in STREAMS),
        *(Row(f"fetches {count}", f"{count} small fetches at once", "ms each", 2) for count in STREAMS[1:]),
        *(Row(f"clients {count}", f"64 MB to {count} clients at once", "ms/MB", 2) for count in CLIENTS),
    ),
    bars=(
        Bar("cost of a MB, from 4 to 256 MB", _spread(*(f"bytes {s}" for s in SIZES)), 2.0, at_most=True),
        Bar("cost of a MB, on 1 to 1,000 streams", _spread(*(f"streams {s}" for s in STREAMS)), 2.0, at_most=True),
        Bar("cost of a stream, 10 to 1,000", _spread(*(f"fetches {s}" for s in STREAMS[1:])), 2.0, at_most=True),
        Bar("cost of a MB, to 1 to 50 clients", _spread(*(f"clients {c}" for c in CLIENTS)), 2.0, at_most=True),
    ),
)
