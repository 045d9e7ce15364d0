"""Twenty points each at which the sender, the receiver or the link is ended, and what was sent twice for it.

make bench BENCH='--only kills'
"""

from __future__ import annotations

import asyncio
import os

from bench.family import Bar, Family, Row, Run, greatest, median, missing
from mayfly.config import FilesConfig
from support.kills import LINK, MIB, RECEIVER, SENDER, VICTIMS, Attempt, ordeal
from support.programs import ProgramError

NAME = "kills"
POINTS = 20
PATIENT = 5
"""At one point in so many, whoever survives waits until it notices by itself; else somebody presses Ctrl-C twice."""
CHUNK = FilesConfig().max_unstored / MIB
SLACK = 1.0
"""MiB. The kernel counts packets, and what of them is headers is estimated from a transfer that nobody disturbed."""
SUBJECTS = {SENDER: "mayfly send killed", RECEIVER: "mayfly receive killed", LINK: "link cut"}


async def measure(run: Run) -> None:
    """All three beside each other: much of the time goes by in a silence that has to be noticed."""
    if os.geteuid() or missing("ip"):
        run.note("left out: network namespaces need root and ip")
        return
    async with asyncio.TaskGroup() as group:
        for victim in VICTIMS:
            if run.wants(SUBJECTS[victim]):
                group.create_task(_one(run, victim))


async def _one(run: Run, victim: str) -> None:
    subject = SUBJECTS[victim]
    folder = run.folder / victim
    folder.mkdir()
    points = run.scaled(POINTS, 2)
    numbers = iter(range(1, points + 1))

    def tell(attempt: Attempt) -> None:
        sent, again = attempt.sent / MIB, attempt.again / MIB
        run.add(subject, "sent", sent)
        run.add(subject, "again", again)
        if attempt.noticed is not None:
            run.add(subject, "noticed", attempt.noticed)
        run.progress(f"{subject}, {next(numbers)} of {points}: {sent:.1f} MiB sent, {again:.2f} of them again")

    try:
        await ordeal(folder, victim, points, patient=points // PATIENT, tell=tell, weigh=True)
    except ProgramError as error:
        run.note(f"{subject}: {str(error).splitlines()[0]}")
    else:
        run.add(subject, "points", points)


FAMILY = Family(
    NAME,
    "transfers ended at random points, and gone on with",
    measure,
    rows=(
        Row("points", "points after which the file was whole", "times", 0),
        Row("sent", "sent before it was ended, median", "MiB"),
        Row("again", "of that sent again, median", "MiB", 2),
        Row("noticed", "until the other side said so, median", "s"),
    ),
    bars=tuple(
        bar
        for subject in SUBJECTS.values()
        for bar in (
            Bar(
                f"{subject}: sent again at the worst of all points",
                greatest(NAME, "again", subject),
                CHUNK + SLACK,
                " MiB",
                at_most=True,
            ),
            Bar(f"{subject}: points after which the file was whole", median(NAME, "points", subject), POINTS, enough=1),
        )
    ),
    default=False,
)
