"""`mayfly client`: meet a relay, then serve local applications through it until one of the two leaves."""

from __future__ import annotations

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, LinkError, LinkLostError
from mayfly.mux.events import Side
from mayfly.runtime.broker.source import BrokerSource
from mayfly.runtime.event import sentence
from mayfly.runtime.events import Closed, CodeReader, Leaving, Listening, Reporter, Warned
from mayfly.runtime.farewell import THIS_SIDE_LEFT, has_left
from mayfly.runtime.greeting import connected, greet
from mayfly.runtime.introduction import LocalHello
from mayfly.runtime.meeting import Meeting, Met
from mayfly.runtime.session import Session
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.tasks import unless
from mayfly.services.hub import Hub, Place
from mayfly.transport.engines import make_engine
from mayfly.wire.hello import Role
from mayfly_client import drain
from mayfly_client.brokered import BrokeredClient
from mayfly_client.dialler import SessionDialler
from mayfly_client.listener import ProxyListener
from mayfly_client.local import exposure_warning
from mayfly_client.onion import meet_at_onion
from mayfly_client.options import ClientOptions
from mayfly_client.pool import Pool
from mayfly_client.pooldialler import PoolDialler

_RELAY = 1  # the only peer a client has, but for one with a pool
_HOW_TO_GO_ON = "Paste a new code of the relay to go on; Ctrl-C leaves."
_WITHOUT_LINK = "Until there is a new link to a relay, the proxy refuses what programs ask of it."
_GOING_ON = "Meeting the relay at its onion address again."


async def run_client(options: ClientOptions, reporter: Reporter, codes: CodeReader, shutdown: Shutdown) -> None:
    """Run a client to its end. Returns after a drain, ours or the relay's; raises MayflyError for all that failed."""
    pooled = options.broker is not None and options.code is None
    dialler = PoolDialler(Pool(options.pool)) if pooled else SessionDialler()
    listener = ProxyListener(dialler, auth=options.socks_auth)
    _warn_of_exposure(options, reporter)
    try:
        await listener.start(*options.socks)  # before any code is made: a busy port should cost nobody a code
        async with Hub("client", reporter, shutdown, options.hub) as hub:
            if isinstance(dialler, SessionDialler):
                await _run_again(options, hub, codes, dialler, listener)
            elif options.broker is not None:
                await BrokeredClient(options, hub, listener, dialler).run(options.broker)
    finally:
        await listener.aclose()


async def _run_again(
    options: ClientOptions, hub: Hub, codes: CodeReader, dialler: SessionDialler, listener: ProxyListener
) -> None:
    """Run; and, if the user wants that, after a lost link once more with the next code. The proxy goes on listening
    meanwhile, and whoever has a place in the relay's chat keeps it, with the messages that wait."""
    again = options.again and options.broker is None  # a broker's short code is good for one meeting
    lost: LinkError | None = None
    while True:
        try:
            served = await _run(options, hub, codes, dialler, listener, comes_back=lost is not None)
        except EOFError:
            served = False
            if lost is None:
                raise
        except LinkError as error:
            # A slip with a pasted code is mended by the next one; at an onion address nothing would change.
            mendable = lost is not None and options.onion is None
            if not again or not (mendable or isinstance(error, LinkLostError)):
                raise
            lost = error
            hub.report(Warned(error.stage, _what(error), _HOW_TO_GO_ON if options.onion is None else _GOING_ON))
            continue
        if lost is not None and not served:
            raise lost
        return


class _ToldLostError(LinkLostError):
    """A lost link of which `closed` has told already."""


def _what(error: LinkError) -> str:
    """What there is to say of it, where the client goes on."""
    if isinstance(error, _ToldLostError):
        return _WITHOUT_LINK
    what = sentence(error.message)
    return f"{what} {_WITHOUT_LINK}" if isinstance(error, LinkLostError) else what


async def _run(
    options: ClientOptions,
    hub: Hub,
    codes: CodeReader,
    dialler: SessionDialler,
    listener: ProxyListener,
    *,
    comes_back: bool,
) -> bool:
    """Meet a relay and serve through it. Tells whether it came to that."""
    met = await unless(hub.shutdown.drain, _meet(options, hub, codes, comes_back=comes_back))
    if met is None:
        return False
    place = hub.place(_RELAY)
    session = Session(
        met.link,
        LocalHello(role=Role.CLIENT),
        config=MuxConfig(),
        on_stream=place.on_stream,
        on_datagram=dialler.deliver,
    )
    try:
        peer = await unless(hub.shutdown.drain, greet(session, Role.RELAY))
        if peer is None:
            return False
        dialler.attach(session)
        hub.report(connected(_RELAY, session, met, peer))
        hub.report(Listening("socks5", listener.address))
        session.on_goaway(lambda seconds, reason: hub.report(Leaving(_RELAY, seconds, reason)))
        place.join(session, peer)
        await _serve(session, listener, options, hub, place)
        return True
    finally:
        await place.leave()
        await session.close(ErrorCode.NO_ERROR, has_left(Role.CLIENT))


async def _meet(options: ClientOptions, hub: Hub, codes: CodeReader, *, comes_back: bool) -> Met:
    engine = make_engine(options.engine)
    if options.onion is not None:
        return await meet_at_onion(options.onion, engine, options.link, hub)
    if options.broker is not None:
        async with BrokerSource(options.broker, engine, options.link, hub, code=options.code) as source:
            return (await source.next()).met
    meeting = Meeting(engine, options.link, hub, codes)
    return await (meeting.reply(None) if comes_back else meeting.meet(options.code))


async def _serve(session: Session, listener: ProxyListener, options: ClientOptions, hub: Hub, place: Place) -> None:
    ended = await unless(hub.shutdown.drain, session.wait_closed())
    if ended is None:
        drain.begin(listener, hub, [session], options.grace)
        await unless(hub.shutdown.stop, drain.finish(listener, hub, options.grace, session.wait_closed()))
        await place.leave()
        await session.close(ErrorCode.DRAINED, has_left(Role.CLIENT))
        hub.report(Closed(_RELAY, THIS_SIDE_LEFT))
        return
    await place.leave()
    hub.report(Closed(_RELAY, ended.reason or has_left(Role.RELAY)))
    if ended.by is not Side.PEER or not ended.in_order:
        raise _ToldLostError(
            "The link to the relay has ended.", hint="Ask for a new code, and run `mayfly client` again."
        )


def _warn_of_exposure(options: ClientOptions, reporter: Reporter) -> None:
    warning = exposure_warning(options.socks[0], login_required=options.socks_auth is not None)
    if warning is not None:
        reporter.report(Warned("listen", *warning))
