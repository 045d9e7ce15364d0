"""`mayfly pt` as tor's client: say hello by the specification, listen, and carry until tor ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mayfly.errors import CodeError, ListenError, MayflyError
from mayfly.pt import environment, lines
from mayfly.pt.environment import TRANSPORT, ClientSettings
from mayfly.pt.errors import ArgumentsError, ProxyError
from mayfly.pt.lines import Severity
from mayfly.runtime.events import CodeReader, Warned
from mayfly.runtime.meeting import Meeting
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.tasks import first_of
from mayfly.signaling.codes import parse
from mayfly.signaling.description import Kind
from mayfly.transport.base import Engine, LinkSettings
from mayfly.transport.engines import AUTO, make_engine
from mayfly_client.listener import ProxyListener
from mayfly_client.pt.bridge_line import BridgeLine
from mayfly_client.pt.carrier import Carrier
from mayfly_client.pt.codefile import MAX_FILE, CodeFile
from mayfly_client.pt.parent import parent_gone
from mayfly_client.pt.sources import FromBroker, GivenCodes, InTurn, RelaySource
from mayfly_client.pt.switchboard import Switchboard
from mayfly_client.pt.teller import LineTeller, Tor

_LOOKED_AT = 20
"""Lines of a file by which it is taken for one of answers."""

LEAVING = 5.0
"""Seconds for everything to end once tor wants us gone; a link's last message may take three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PtOptions:
    """What the torrc's `exec` line chose."""

    link: LinkSettings
    engine: str = AUTO

    links_around_proxy: bool = False
    """Whether a proxy that tor wants used is for brokers alone, and links go around it."""


async def run_client(settings: ClientSettings, options: PtOptions, tor: Tor, shutdown: Shutdown, stdin: int) -> None:
    """Serve tor until it ends or wants us gone. Raises PtError for what ends the process with a line of its own."""
    proxy = None if settings.proxy is None else environment.parse_proxy(settings.proxy).url
    if proxy is not None:
        if not options.links_around_proxy:
            raise ProxyError(
                "WebRTC goes over UDP, which no such proxy carries, and mayfly does not go around a proxy that was "
                "set.",
                hint="Use another transport, take the proxy out of tor's configuration, or let only brokers be asked "
                "through it with --links-around-proxy.",
            )
        tor.say(lines.PROXY_DONE)
    if TRANSPORT not in settings.transports:
        tor.say(lines.CMETHODS_DONE)
        return
    transport = _Transport(Path(settings.state), options, tor, proxy)
    try:
        address = await transport.start()
    except MayflyError as error:
        tor.say(lines.cmethod_error(TRANSPORT, error.message))
        tor.say(lines.CMETHODS_DONE)
        return
    tor.say(lines.cmethod(TRANSPORT, address))
    tor.say(lines.CMETHODS_DONE)
    try:
        await first_of(
            transport.warm_up(),
            parent_gone(stdin if settings.exit_on_stdin_close else None),
            shutdown.drain.wait(),
        )
    finally:
        await _within(LEAVING, transport.aclose())


class _Transport:
    """The SOCKS port that tor connects to, and all that stands behind it."""

    def __init__(self, state: Path, options: PtOptions, tor: Tor, proxy: str | None) -> None:
        self._state = state
        self._proxy = proxy
        self._options = options
        self._tor = tor
        self._switchboard = Switchboard(self._make_carrier, self._refused)
        self._listener = ProxyListener(self._switchboard.choose)

    async def start(self) -> str:
        """Listen; returns where. Raises ListenError."""
        try:
            self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ListenError(
                f"the state directory cannot be made: {error.strerror}",
                hint="See TOR_PT_STATE_LOCATION, which tor sets to pt_state in its DataDirectory.",
            ) from None
        await self._listener.start("127.0.0.1", 0)
        return self._listener.address

    async def warm_up(self) -> None:
        """Load the engine, which takes longer than all else, now that tor does not wait for us. Never returns."""
        await asyncio.to_thread(make_engine, self._options.engine)
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        """End everything."""
        self._listener.stop_accepting()
        await self._switchboard.aclose()
        await self._listener.aclose()

    def _make_carrier(self, number: int, line: BridgeLine) -> Carrier:
        answers = self._state / line.answers
        _clear(answers)
        teller = LineTeller(self._tor, number, answers)
        engine, link = make_engine(self._options.engine), self._options.link
        meeting = Meeting(engine, link, teller, _Nobody())
        sources: list[RelaySource] = []
        if line.codes:
            sources.append(GivenCodes(line.codes, meeting))
        if line.file is not None:
            path = self._state / line.file
            sources.append(
                CodeFile(
                    path,
                    meeting,
                    waiting=lambda: teller.waiting(path),
                    unusable=lambda error: teller.unusable(path, error),
                )
            )
        if line.brokers:
            sources.append(self._broker(line, engine, teller))
        return Carrier(InTurn(sources), teller)

    def _broker(self, line: BridgeLine, engine: Engine, teller: LineTeller) -> FromBroker:
        """Raises MistypedCodeError."""
        # Loaded where it is asked for: tor waits for our first lines, and this takes as long as all the rest.
        from mayfly.runtime.broker.options import BrokerOptions, Wish  # noqa: PLC0415
        from mayfly.runtime.broker.source import BrokerSource  # noqa: PLC0415

        brokers = BrokerOptions(
            brokers=line.brokers,
            proxy=self._proxy,
            front=line.front,
            advice="broker= can stand in the bridge line several times, and front= may lead there.",
        )
        wish = Wish(upstream="bridge") if line.meet is None else None
        return FromBroker(BrokerSource(brokers, engine, self._options.link, teller, code=line.meet, wish=wish))

    def _refused(self, error: MayflyError) -> None:
        warned = Warned.of(error)
        self._tor.say(lines.log(Severity.WARNING, f"{warned.message} {warned.hint}".strip()))


def _clear(answers: Path) -> None:
    """Delete the answers of an earlier run, which are good for nothing.

    The directory is that of all transports of this tor, and a stranger may have written the bridge line: it is not to
    delete, or to write into, what another transport keeps there, nor the codes that a person has put into another
    line's file. Raises ArgumentsError.
    """
    ours = True
    try:
        if not answers.is_file():  # a fifo would hold up everything once it is opened
            ours = not answers.exists()
        elif texts := answers.read_bytes()[:MAX_FILE].decode(errors="replace").splitlines():
            for line in texts[:_LOOKED_AT]:
                parse(line, wanted=Kind.ANSWER, now=None)
            answers.unlink()
    except (OSError, CodeError):
        ours = False
    if not ours:
        raise ArgumentsError("answers= names a file that holds something else", hint="Choose another name.")


class _Nobody(CodeReader):
    """There is no person at standard input."""

    async def read(self, wanted: Kind) -> str:
        """There never is a code."""
        raise EOFError


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(TimeoutError):  # the process ends now, and with it whatever hangs
        async with asyncio.timeout(seconds):
            await work
