"""One broker over HTTP. The only module of clients and relays that knows aiohttp.

Two errors come out of every call: BrokerDownError where there was no sensible answer, and BrokerRefusedError with the
broker's stable word. The words for people are ours; nothing that a broker sends is ever shown.
"""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError

from mayfly.config import RendezvousConfig
from mayfly.errors import BrokerDownError
from mayfly.meetconfig import MeetingConfig
from mayfly.rendezvous import messages
from mayfly.rendezvous.address import BrokerAddress
from mayfly.rendezvous.messages import (
    ErrorBody,
    ErrorName,
    Mailbox,
    MatchCreated,
    Message,
    MessageError,
    NewMatch,
    NewMessage,
    NewPosting,
    Outcome,
    PostingCreated,
    PostingNews,
    PostingUpdate,
    Renewed,
)
from mayfly.runtime.broker.options import BrokerOptions
from mayfly.runtime.broker.refusals import ANOTHER_VERSION, refusal

M = TypeVar("M", bound=Message)

_FROM_BEFORE_IT = (502, 503, 504)
"""What a reverse proxy, or a front, answers when it does not reach the broker."""

_DOWN = (ProxyError, ProxyConnectionError, ProxyTimeoutError, aiohttp.ClientError, TimeoutError, OSError)

_WORDS: tuple[tuple[tuple[type[BaseException], ...], str, str | None], ...] = (
    (
        (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError),
        "The broker's certificate is not one that this computer trusts.",
        "Somebody may be in between, or this computer's clock may be wrong by days.",
    ),
    ((aiohttp.ClientConnectorSSLError, ssl.SSLError), "The broker does not speak TLS as it should.", None),
    (
        (ProxyError, ProxyConnectionError, ProxyTimeoutError),
        "The broker cannot be reached through the proxy that leads to it.",
        None,
    ),
    ((aiohttp.ClientConnectorDNSError,), "The broker's name cannot be resolved.", None),
    ((TimeoutError,), "The broker did not answer in time.", None),
    ((aiohttp.ClientConnectorError,), "The broker cannot be reached.", None),
)
"""What went wrong, in the order of looking, with words for it, and what to do where that is not the usual."""


class BrokerSession:
    """The connections to all brokers of one program. Use as an async context manager."""

    def __init__(self, options: BrokerOptions) -> None:
        connector = None if options.proxy is None else ProxyConnector.from_url(options.proxy, rdns=True)
        self._http = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent",),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            auto_decompress=False,  # what a few bytes may unfold to has no bound
        )
        self.clients = tuple(BrokerClient(self._http, broker, options) for broker in options.brokers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()


class BrokerClient:
    """The calls of one broker's interface, version 1 (core/PROTOCOL.md)."""

    def __init__(self, http: aiohttp.ClientSession, broker: BrokerAddress, options: BrokerOptions) -> None:
        self._http = http
        self._config: MeetingConfig = options.config
        self._base = broker.url if options.front is None else broker.behind(options.front)
        self._headers = {} if options.front is None else {"Host": broker.host}
        self._advice = f"It is tried again; {options.advice}"
        self.url = broker.url

    # Postings

    async def post(self, posting: NewPosting) -> PostingCreated:
        """Put up a posting."""
        return await self._ask(PostingCreated, "POST", "/v1/postings", body=posting)

    async def news(self, posting: PostingCreated, after: int) -> PostingNews:
        """What has happened to a posting since; the broker waits for something to happen."""
        wait = RendezvousConfig().max_wait
        path = f"/v1/postings/{posting.posting}/next?wait={wait:g}&after={after}"
        return await self._ask(PostingNews, "GET", path, token=posting.token, wait=wait)

    async def update(self, posting: PostingCreated, update: PostingUpdate) -> Renewed:
        """Tell what has changed."""
        return await self._ask(Renewed, "PATCH", f"/v1/postings/{posting.posting}", token=posting.token, body=update)

    async def leave(self, posting: PostingCreated) -> None:
        """Take a posting down."""
        await self._request("DELETE", f"/v1/postings/{posting.posting}", token=posting.token)

    # Matches

    async def match(self, wanted: NewMatch) -> MatchCreated:
        """Ask for a relay."""
        return await self._ask(MatchCreated, "POST", "/v1/matches", body=wanted)

    async def say(self, match: str, token: str, message: NewMessage, *, after: int = 0, wait: float = 0.0) -> Mailbox:
        """Send a message, and wait so long for one of the other side. May be repeated: the same one counts once."""
        return await self._ask(Mailbox, "POST", _mailbox(match, after, wait), token=token, body=message, wait=wait)

    async def hear(self, match: str, token: str, *, after: int, wait: float) -> Mailbox:
        """Wait so long for a message of the other side."""
        return await self._ask(Mailbox, "GET", _mailbox(match, after, wait), token=token, wait=wait)

    async def end(self, match: str, token: str, outcome: Outcome) -> None:
        """Say that a match is over."""
        await self._request("DELETE", f"/v1/matches/{match}?outcome={outcome}", token=token)

    # HTTP

    async def _ask(
        self,
        kind: type[M],
        method: str,
        path: str,
        *,
        body: Message | None = None,
        token: str | None = None,
        wait: float = 0.0,
    ) -> M:
        content = await self._request(method, path, body=body, token=token, wait=wait)
        try:
            return messages.parse(kind, content)
        except MessageError as error:
            raise _no_broker(version=error.name is ErrorName.VERSION) from None

    async def _request(
        self, method: str, path: str, *, body: Message | None = None, token: str | None = None, wait: float = 0.0
    ) -> bytes:
        headers = dict(self._headers)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        timeout = aiohttp.ClientTimeout(
            total=wait + self._config.answer_timeout, sock_connect=self._config.connect_timeout
        )
        try:
            async with self._http.request(
                method,
                self._base + path,
                headers=headers,
                data=None if body is None else messages.serialise(body),
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                content = await self._content(response)
        except _DOWN as error:
            raise self._down(error) from None
        if 200 <= response.status < 300:
            return content
        try:
            said = messages.parse(ErrorBody, content)
        except MessageError:
            if response.status in _FROM_BEFORE_IT:
                raise BrokerDownError(
                    "The broker does not run at the moment; what answers is a proxy before it.", hint=self._advice
                ) from None
            raise _no_broker(version=False) from None
        raise refusal(said.error, said.retry_after)

    async def _content(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self._config.max_response
        content = bytearray()
        async for piece in response.content.iter_any():
            content += piece
            if len(content) > limit:
                response.close()
                raise _no_broker(version=False)
        return bytes(content)

    def _down(self, error: BaseException) -> BrokerDownError:
        """Why a broker cannot be reached, in words that hold no address."""
        for kinds, message, hint in _WORDS:
            if isinstance(error, kinds):
                return BrokerDownError(message, hint=hint or self._advice)
        return BrokerDownError("The connection to the broker broke off.", hint=self._advice)


def _mailbox(match: str, after: int, wait: float) -> str:
    return f"/v1/matches/{match}/messages?wait={wait:g}&after={after}"


def _no_broker(*, version: bool) -> BrokerDownError:
    if version:
        message, hint = ANOTHER_VERSION
        return BrokerDownError(message, hint=hint)
    return BrokerDownError(
        "What answers at the broker's address is no broker of Mayfly.",
        hint="Check its URL, and whether this network wants a login first.",
    )
