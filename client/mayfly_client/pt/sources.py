"""Where the relays of a bridge line come from, one after the other.

A RelaySource gives the next open link, or says why not. What it raises tells the caller whether to ask again:
NoRelayError means that there is nothing to be had now; any other error of Mayfly's is about this one relay, and the
next call goes on to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from mayfly.errors import CodeGoneError, LinkError
from mayfly.runtime.meeting import Meeting, Met

if TYPE_CHECKING:
    from mayfly.runtime.broker.source import BrokerSource


class NoRelayError(LinkError):
    """A source has no relay to give, now or ever."""

    stage = "code"


class RelaySource(Protocol):
    """Gives one relay after the other."""

    async def next(self) -> Met:
        """Meet the next relay. May wait for people. Raises NoRelayError, or another MayflyError."""
        ...

    async def aclose(self) -> None:
        """Free what is held. `next` is under way no more."""
        ...


class GivenCodes:
    """The codes of the bridge line itself, each used once."""

    def __init__(self, codes: Sequence[str], meeting: Meeting) -> None:
        self._left = list(codes)
        self._meeting = meeting

    async def next(self) -> Met:
        """Answer the next code."""
        if not self._left:
            raise NoRelayError("every code of the bridge line has been used", hint=NEW_CODE)
        return await self._meeting.reply(self._left.pop(0))

    async def aclose(self) -> None:
        """There is nothing to free."""


class FromBroker:
    """A broker: relays of its pool as often as one is needed, or a friend's, once. Tries until there is one."""

    def __init__(self, source: BrokerSource) -> None:
        self._source = source
        self._entered = False

    async def next(self) -> Met:
        """Meet the next relay."""
        if not self._entered:
            await self._source.__aenter__()
            self._entered = True
        try:
            return (await self._source.next()).met
        except CodeGoneError as error:
            raise NoRelayError(error.message, hint=error.hint) from None

    async def aclose(self) -> None:
        """Close the connections to the broker."""
        if self._entered:
            await self._source.__aexit__(None, None, None)


class InTurn:
    """Several sources: the first one until it has nothing more, then the next."""

    def __init__(self, sources: Sequence[RelaySource]) -> None:
        self._sources = sources

    async def next(self) -> Met:
        """The next relay of the first source that has one. Raises the last source's NoRelayError."""
        *first, last = self._sources
        for source in first:
            try:
                return await source.next()
            except NoRelayError:
                continue
        return await last.next()

    async def aclose(self) -> None:
        """Close all of them."""
        for source in self._sources:
            await source.aclose()


NEW_CODE = "Ask for a new one, and put it into the bridge line, or into a file that the line names with file=."
