"""Whether cost grows linearly with the work: with bytes, with streams, with clients.

Cost is processor time of the relay and all its clients together. Linear means: something for having to do with it at
all, and the same again for each further MB, stream or client. So the judgement draws the straight line that fits the
costs best (least squares of the relative errors, so that 1 stream counts as much as 1,000) and asks how far the worst
point is from it, in either direction.

The bar, 0.5, stands between two things. Below it is what a linear cost shows: scatter of 0.1, and what batches do.
Of one busy client many packets come at a wake-up, of each of fifty only some, for the window of a near path follows its
rate (mayfly.sctp.near); what runs once a batch runs more often then, so a MB costs about half as much again, which is
0.3 off the line. Above it is what grows faster: over the narrowest of these ranges n to the power of 1.2 is 0.63 off,
over the widest 1.8; n log n is 1.4 off or more, and a square 40.

The rows are the points themselves, each as the cost of one unit: where much at once shares wake-ups and packets, a unit
is cheaper than where each comes alone. That is the line's fixed part, and no promise of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bench.crowd import RelayWithCrowd, relay_with_crowd
from bench.family import MB, Bar, Family, Row, Run
from bench.figures import Figures, Found
from bench.lines import fit
from support.http import Origin, origin

NAME = "scaling"
SUBJECT = "relay and clients"
SIZES = (4, 16, 64, 256)
STREAMS = (1, 10, 100, 1000)
CLIENTS = (1, 5, 20, 50)
STREAM_BYTES = 256_000
CLIENT_BYTES = 4 * MB
"""What each of many streams, and each of many clients, fetches."""
SMALL = 1000
"""Bytes of a fetch that costs its stream and little else."""
BAR = 0.5


async def measure(run: Run) -> None:
    """One relay that gets more and more clients; first it has one."""
    async with origin() as web:
        for number in range(run.rounds):
            run.progress(f"round {number + 1} of {run.rounds}")
            async with relay_with_crowd(CLIENTS[-1]) as pair:
                await pair.join(1)
                await _fetch(pair, web, 8 * MB, 1)
                await _fetch(pair, web, SMALL, 100)
                await _one_client(run, pair, web)
                before = 1
                for clients in CLIENTS:
                    await pair.join(clients - before)
                    before = clients
                    used = await _repeated(pair, web, CLIENT_BYTES, 1, turns(clients, CLIENTS[-1]))
                    run.add(SUBJECT, f"clients {clients}", used * 1000 * MB / (clients * CLIENT_BYTES))


async def _one_client(run: Run, pair: RelayWithCrowd, web: Origin) -> None:
    for size in SIZES:
        run.add(SUBJECT, f"bytes {size}", await _repeated(pair, web, size * MB, 1, turns(size, 64)) / size * 1000)
    for row, size in (("streams", STREAM_BYTES), ("fetches", SMALL)):
        for streams in STREAMS:
            used = await _repeated(pair, web, size, streams, turns(streams, 300))
            run.add(SUBJECT, f"{row} {streams}", used / streams * 1000)


def turns(amount: int, enough: int) -> int:
    """How often so much work is done, so that little of it is measured as well as much."""
    return -(-enough // amount)


async def _repeated(pair: RelayWithCrowd, web: Origin, size: int, streams: int, times: int) -> float:
    return sum([await _fetch(pair, web, size, streams) for _ in range(times)]) / times


async def _fetch(pair: RelayWithCrowd, web: Origin, size: int, streams: int) -> float:
    """Processor seconds of one fetch on each of `streams` streams of every client."""
    before = pair.cpu_seconds()
    await pair.fetch(web.host, web.port, size, streams)
    return pair.cpu_seconds() - before


def off_the_line(row: str, amounts: Iterable[int]) -> Callable[[Figures], Found | None]:
    """How far the worst point of these rows is from the straight line that fits them best."""

    def found(figures: Figures) -> Found | None:
        each = {amount: figures.median(NAME, SUBJECT, f"{row} {amount}") for amount in amounts}
        points = [(float(amount), value * amount) for amount, value in each.items() if value]
        if len(points) < len(each):
            return None
        samples = figures.fewest(NAME, *((SUBJECT, f"{row} {amount}") for amount in each))
        return Found(fit(points).deviation(points), samples)

    return found


FAMILY = Family(
    NAME,
    "processor time by amount of work",
    measure,
    rows=(
        *(Row(f"bytes {size}", f"one stream of {size} MB", "ms/MB", 2) for size in SIZES),
        *(Row(f"streams {count}", f"256 kB on each of {count} streams at once", "ms each", 2) for count in STREAMS),
        *(Row(f"fetches {count}", f"{count} small fetches at once", "ms each", 2) for count in STREAMS),
        *(Row(f"clients {count}", f"4 MB to each of {count} clients at once", "ms/MB", 2) for count in CLIENTS),
    ),
    bars=tuple(
        Bar(f"off the straight line: {title}", off_the_line(row, amounts), BAR, at_most=True)
        for row, title, amounts in (
            ("bytes", "cost of 4 to 256 MB", SIZES),
            ("streams", "cost of 256 kB on each of 1 to 1,000 streams at once", STREAMS),
            ("fetches", "cost of 1 to 1,000 small fetches at once", STREAMS),
            ("clients", "cost of 4 MB to each of 1 to 50 clients at once", CLIENTS),
        )
    ),
    for_bars=(SUBJECT,),
)
