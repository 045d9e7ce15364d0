"""`mayfly chat`, `send` and `receive` without a running program: meet one other peer, and do one command's work.

::

    met -> both said HELLO and their names -> work runs on a ControlClient, as if attached to a running program
    the work ends         -> last messages are delivered, transfers end, the session is closed
    asked to leave        -> transfers get the grace period; the work hears `draining`, has LINGER to end
    asked again           -> all of that is cut short; the goodbye has HURRY to leave
    the session ends      -> the work hears what was lost and `closed`, and has LINGER to end
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, LinkLostError
from mayfly.mux.events import Side
from mayfly.runtime.control_client import ControlClient
from mayfly.runtime.events import Closed, CodeReader, Draining, Leaving, Reporter
from mayfly.runtime.farewell import THIS_SIDE_LEFT, has_left
from mayfly.runtime.greeting import connected, greet
from mayfly.runtime.introduction import LocalHello
from mayfly.runtime.meeting import Meeting, Met
from mayfly.runtime.session import Session
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.tasks import first_of, unless
from mayfly.services.hub import Hub, Place
from mayfly.services.options import HubOptions
from mayfly.transport.base import LinkSettings
from mayfly.transport.engines import AUTO, make_engine
from mayfly.wire.hello import Role

Work = Callable[[ControlClient], Awaitable[None]]
"""What the command does once the peer is there. Whatever it raises ends the run and is raised by `run_peer`."""

LINGER = 2.0
"""Seconds for the work to end by itself when there is nothing left to wait for."""

HURRY = 0.2
"""Seconds for the goodbye to leave after the second Ctrl-C."""

_OTHER = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerOptions:
    """Everything that `run_peer` needs to know. Times are seconds."""

    link: LinkSettings
    code: str | None = None
    """The other peer's offer; None makes an offer of our own."""

    hub: HubOptions = field(default_factory=HubOptions)
    """Chat, transfers and the control socket."""

    grace: float = 30.0
    """How long transfers may go on after the first Ctrl-C."""

    engine: str = AUTO


async def run_peer(options: PeerOptions, reporter: Reporter, codes: CodeReader, shutdown: Shutdown, work: Work) -> None:
    """Meet a peer and run `work` with it. Returns when either side has left in order; raises MayflyError otherwise.

    The reporter hears of the meeting and of the session. Chat and transfers are told to the work alone.
    """
    async with Hub("peer", reporter, shutdown, options.hub, quiet=True) as hub:
        meeting = Meeting(make_engine(options.engine), options.link, hub, codes)
        met = await unless(shutdown.drain, meeting.meet(options.code))
        if met is not None:
            await _run(options, hub, met, work)


async def _run(options: PeerOptions, hub: Hub, met: Met, work: Work) -> None:
    place = hub.place(_OTHER)
    session = Session(
        met.link,
        LocalHello(role=Role.PEER),
        config=MuxConfig(),
        on_stream=place.on_stream,
        on_datagram=lambda _stream_id, _data: None,
    )
    try:
        peer = await unless(hub.shutdown.drain, greet(session, Role.PEER))
        if peer is None:
            return
        session.on_goaway(lambda seconds, reason: hub.report(Leaving(_OTHER, seconds, reason)))
        place.join(session, peer)
        await first_of(hub.talk.introduced(_OTHER), session.wait_closed(), hub.shutdown.drain.wait())
        hub.report(connected(_OTHER, session, met, peer))
        working = asyncio.get_running_loop().create_task(_work(hub, work))
        try:
            await _serve(session, place, options, hub, working)
        finally:
            await _end(working)
    finally:
        await place.leave()
        await _close(session, ErrorCode.NO_ERROR, hub.shutdown)


async def _work(hub: Hub, work: Work) -> None:
    async with await hub.join() as client:
        await work(client)


async def _serve(session: Session, place: Place, options: PeerOptions, hub: Hub, working: asyncio.Task[None]) -> None:
    await first_of(hub.shutdown.drain.wait(), session.wait_closed(), asyncio.wait([working]))
    cut_short = session.ended and not working.done()
    if not session.ended:
        await _drain(session, options.grace, hub)
    await place.leave()
    if session.ended:
        hub.report(Closed(_OTHER, session.end.reason or has_left(Role.PEER)))
    else:
        await _close(session, ErrorCode.DRAINED, hub.shutdown)
        hub.report(Closed(_OTHER, THIS_SIDE_LEFT))
    await asyncio.wait([working], timeout=0 if hub.shutdown.stop.is_set() else LINGER)
    if working.done():
        working.result()
    if cut_short and not _in_order(session):
        raise LinkLostError("The link to the other side has ended.", hint="Run the same command again on both sides.")


async def _close(session: Session, code: ErrorCode, shutdown: Shutdown) -> None:
    """Say goodbye, and let it arrive: a far end that is gone is not waited for by who is in a hurry."""

    async def hurried() -> None:
        await shutdown.stop.wait()
        await asyncio.sleep(HURRY)

    await first_of(session.close(code, has_left(Role.PEER)), hurried())


async def _drain(session: Session, grace: float, hub: Hub) -> None:
    """Let transfers and the last messages go through, within bounds."""
    if hub.transfers.count or hub.shutdown.drain.is_set():
        hub.report(Draining(hub.transfers.count, grace))
    hub.drain()
    session.go_away(grace, "")
    await first_of(_finish(hub), session.wait_closed(), hub.shutdown.stop.wait(), asyncio.sleep(grace))


async def _finish(hub: Hub) -> None:
    await hub.wait_idle()
    await hub.settle()


def _in_order(session: Session) -> bool:
    return session.end.by is Side.PEER and session.end.in_order


async def _end(working: asyncio.Task[None]) -> None:
    working.cancel()
    await asyncio.wait([working])
    if not working.cancelled():
        working.exception()  # raised already where it mattered
