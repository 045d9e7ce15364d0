"""One end of a transfer in a process that somebody kills: `python -m support.transfer_end SIDE PATH SOCKET`.

SIDE is `send` or `receive`, PATH what to send or where to put it. It connects, transfers, and does the same again until
the transfer is completed, as a person would who types the command again. Each line of output says something: `goes on
from OFFSET`, and how an attempt ended.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from mayfly.errors import LinkLostError, StreamResetError
from mayfly.files.events import Restarted, Resumed, TransferEvent
from mayfly.files.records import Offer
from mayfly.files.states import Outcome
from mayfly.mux.events import Priority
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.services.driving import Result
from mayfly.services.receiving import Into, Receiving
from mayfly.services.sending import Sending
from mayfly.services.source import Source, scan
from mayfly.wire.header import Header, Service
from mayfly.wire.hello import Role
from support.sessions import session_on
from support.socket_link import SocketLink


def _say(*words: object) -> None:
    print(*words, flush=True)


def _tell(event: TransferEvent) -> None:
    if isinstance(event, Resumed):
        _say("goes on from", event.offset)
    elif isinstance(event, Restarted):
        _say("begins anew")


async def _send(session: Session, source: Source) -> Result:
    stream = await session.open_stream(Header(Service.FILE), Priority.BULK)
    return await Sending(stream, source, lambda event: None).run()


async def _receive(streams: asyncio.Queue[Stream | None], into: Path) -> Result:
    async def ask(offer: Offer) -> Into:
        return Into(into)

    stream = await streams.get()
    if stream is None:
        raise LinkLostError("the wire was cut before anything was offered")
    await stream.read_header()
    return await Receiving(stream, ask, _tell).run()


async def attempt(side: str, path: Path, socket: Path) -> Outcome:
    """One connection. What the other side or the wire do to it is an interruption."""
    streams: asyncio.Queue[Stream | None] = asyncio.Queue()
    link = await SocketLink.connected(socket, offerer=side == "send")
    session = session_on(link, Role.RELAY if side == "send" else Role.CLIENT, on_stream=streams.put_nowait)
    ended = asyncio.get_running_loop().create_task(session.wait_closed())
    ended.add_done_callback(lambda _: streams.put_nowait(None))
    try:
        await session.start()
        result = await (_send(session, scan([path])) if side == "send" else _receive(streams, path))
        return result.outcome
    except (LinkLostError, StreamResetError):
        return Outcome.INTERRUPTED
    finally:
        await session.close()
        await ended


async def main(side: str, path: Path, socket: Path) -> None:
    """Until it is completed."""
    while True:
        outcome = await attempt(side, path, socket)
        _say(outcome.value)
        if outcome is Outcome.COMPLETED:
            return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
