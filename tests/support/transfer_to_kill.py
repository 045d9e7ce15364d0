"""A transfer that another process kills: `python -m support.transfer_to_kill SOURCE INTO`.

Both ends run here, over a memory link. Each line says something: `found INDEX OFFSET` what it goes on from,
`disk BYTES` what the sender has been told, and `completed`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from mayfly.files.events import Resumed, TransferEvent
from mayfly.mux.events import Priority
from mayfly.services.receiving import Into, Receiving
from mayfly.services.sending import Sending
from mayfly.services.source import scan
from mayfly.wire.header import Header, Service
from support.sessions import joined, opened


def _say(*words: object) -> None:
    print(*words, flush=True)


async def main(source: Path, into: Path) -> None:
    """One transfer."""

    async def ask(offer: object) -> Into:
        return Into(into)

    def tell(event: TransferEvent) -> None:
        if isinstance(event, Resumed):
            _say("found", event.index, event.offset)

    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay, Header(Service.FILE), Priority.BULK)
        sending = Sending(ours, scan([source]), tell)
        receiving = Receiving(theirs, ask, lambda event: None)

        async def watch() -> None:
            while True:
                _say("disk", sending.on_disk)
                await asyncio.sleep(0.002)

        watching = asyncio.get_running_loop().create_task(watch())
        results = await asyncio.gather(sending.run(), receiving.run())
        watching.cancel()
        _say(*{result.outcome.value for result in results})


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
