"""Meeting a relay at its onion service: through a tor that runs already, or one of our own for as long as it takes."""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
from python_socks.async_.asyncio import Proxy

from mayfly.errors import CodeError, ConnectError, MayflyError, TorError
from mayfly.meetconfig import OnionConfig
from mayfly.onion.guest import Guest, RelayRefusesError
from mayfly.onion.messages import PORT, Accepted, Offered, OnionError, Refusal
from mayfly.runtime.events import Reporter, Warned, Words
from mayfly.runtime.meeting import Met
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.signaling.words import verification_words
from mayfly.tor.driver import Tor
from mayfly.tor.settings import TorSettings
from mayfly.tor.trouble import Trouble
from mayfly.transport.base import Engine, Link, LinkSettings, PendingAnswer
from mayfly.transport.connecting import NO_PATH

USUAL = (("127.0.0.1", 9050), ("127.0.0.1", 9150))
"""Where a tor of the system's and Tor Browser's listen for SOCKS."""

_Forget = Callable[[], Awaitable[None]]
"""Makes tor forget what it knows of onion services: where a relay's tor was started again, the descriptor that ours has
found leads nowhere, and it would go on trying that one for minutes."""

_CHUNK = 4096
_AGAIN = "It is tried again."
_UPDATE = "Use the same version of Mayfly on both sides."


@dataclass(frozen=True, slots=True, kw_only=True)
class OnionOptions:
    """Where to meet."""

    address: str
    """As `parse_onion` gives it."""

    socks: tuple[str, int] | None = None
    """The tor to use; None looks at the usual places, and then starts one."""

    tor: TorSettings = field(default_factory=TorSettings)
    """How one is started."""

    config: OnionConfig = field(default_factory=OnionConfig)


async def meet_at_onion(options: OnionOptions, engine: Engine, link: LinkSettings, reporter: Reporter) -> Met:
    """Meet the relay. Tries again what may get better; says why once. Raises TorError, ConnectError, GatheringError."""
    async with _tor(options, reporter) as (socks, forget):
        return await _Caller(options, engine, link, socks, forget).persist(reporter)


@contextlib.asynccontextmanager
async def _tor(options: OnionOptions, reporter: Reporter) -> AsyncGenerator[tuple[tuple[str, int], _Forget]]:
    """Host and port of a tor's SOCKS port while the block runs, and what makes it forget. Raises TorError."""
    if options.socks is not None:
        if not await _speaks_socks(options.socks):
            raise _no_tor()
        yield options.socks, _never
        return
    for place in USUAL:
        if await _speaks_socks(place):
            yield place, _never
            return
    async with Tor(options.tor, Trouble(reporter).heed) as tor:

        async def forget() -> None:
            with contextlib.suppress(TorError):  # it is being started again: it knows nothing then
                await tor.new_identity()

        await tor.wait_ready()
        yield tor.socks, forget


async def _never() -> None:
    """A tor that others use is not ours to tell."""


async def _speaks_socks(place: tuple[str, int]) -> bool:
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(*place)
            try:
                writer.write(b"\x05\x01\x00")
                return await reader.readexactly(2) == b"\x05\x00"
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError):
        return False


def _no_tor() -> TorError:
    return TorError(
        "Nothing speaks SOCKS5 where tor's SOCKS port should be.", hint="Start tor, or leave --tor-socks out."
    )


class _Again(Exception):  # noqa: N818 - not an error, but what to do
    """This try has failed in a way that a later one may not. `seconds` is how long to wait."""

    def __init__(self, error: MayflyError, seconds: float) -> None:
        super().__init__(error.message)
        self.error = error
        self.seconds = seconds


class _Caller:
    """Calls the relay until it is met."""

    def __init__(
        self, options: OnionOptions, engine: Engine, link: LinkSettings, socks: tuple[str, int], forget: _Forget
    ) -> None:
        self._address = options.address
        self._config = options.config
        self._engine = engine
        self._link = link
        self._socks = socks
        self._forget = forget
        # A circuit of our own: tor keeps apart what logs in differently.
        self._login = secrets.token_hex(8)

    async def persist(self, reporter: Reporter) -> Met:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._config.patience
        said = ""
        while True:
            try:
                return await self._call(reporter)
            except _Again as again:
                if loop.time() + again.seconds > give_up:
                    raise again.error from None
                if again.error.message != said:
                    said = again.error.message
                    reporter.report(Warned.of(again.error))
                await self._forget()
                await asyncio.sleep(again.seconds)

    async def _call(self, reporter: Reporter) -> Met:
        reader, writer = await asyncio.open_connection(sock=await self._connect(), limit=self._config.max_line)
        try:
            return await self._meet(reader, writer, reporter)
        except RelayRefusesError as error:
            raise self._refused(error.refused.why, error.refused.seconds) from None
        except (OnionError, CodeError):
            raise ConnectError(
                "What answers at the onion address does not speak as a relay of this version does.",
                hint=_UPDATE,
                stage="onion",
            ) from None
        except (OSError, EOFError, TimeoutError):
            lost = TorError("The connection to the onion service was lost.", hint=_AGAIN)
            raise _Again(lost, self._config.retry_after) from None
        finally:
            writer.close()

    async def _connect(self) -> socket.socket:
        host, port = self._socks
        proxy = Proxy(ProxyType.SOCKS5, host, port, username=self._login, password="mayfly", rdns=True)  # noqa: S106
        try:
            return await proxy.connect(self._address, PORT, timeout=self._config.connect_timeout)
        except ProxyConnectionError:
            raise _no_tor() from None
        except (ProxyError, ProxyTimeoutError, OSError):
            unreachable = TorError(
                "The onion service cannot be reached yet.",
                hint="The relay may have left. A new service can take a minute until it is found.",
            )
            raise _Again(unreachable, self._config.retry_after) from None

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reporter: Reporter) -> Met:
        guest = Guest(self._config)
        writer.write(guest.call())
        offered = await self._hear(guest, reader)
        if not isinstance(offered, Offered):
            raise OnionError("no offer")
        offer = parse(offered.offer, wanted=Kind.OFFER, now=time.time())
        pending = await self._engine.answer(self._link, offer.description)
        try:
            lifetime = self._config.answer_timeout
            answer = Code(pending.description, math.ceil(time.time() + lifetime), offer.digest)
            writer.write(guest.answer(answer.text))
            await self._hear(guest, reader)
            words = await asyncio.to_thread(verification_words, offer, answer)
            reporter.report(Words(words))
            return Met(await self._linked(pending), words)
        finally:
            await pending.close()

    async def _linked(self, pending: PendingAnswer) -> Link:
        try:
            async with asyncio.timeout(self._link.config.connect_timeout):
                return await pending.connected()
        except TimeoutError:
            raise ConnectError(
                NO_PATH,
                hint="Both met at the onion service, but a firewall or NAT lets nothing through. Try a TURN server.",
            ) from None

    async def _hear(self, guest: Guest, reader: asyncio.StreamReader) -> Offered | Accepted:
        async with asyncio.timeout(self._config.answer_timeout):
            while data := await reader.read(_CHUNK):
                if (message := guest.receive(data)) is not None:
                    return message
        raise EOFError

    def _refused(self, why: Refusal, seconds: float) -> MayflyError | _Again:
        """What to say, or do, about a refusal."""
        match why:
            case Refusal.BUSY:
                busy = ConnectError("The relay has no free seat at the moment.", hint=_AGAIN, stage="onion")
                return _Again(busy, min(max(seconds, 1.0), 30.0))
            case Refusal.VERSION:
                return ConnectError("The relay speaks another version.", hint=_UPDATE, stage="onion")
            case Refusal.LATE | Refusal.ANSWER:
                return _Again(
                    ConnectError("The relay did not take our answer.", hint=_AGAIN, stage="onion"),
                    self._config.retry_after,
                )
