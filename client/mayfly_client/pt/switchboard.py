"""From a connection of tor's to what carries it: one carrier for each different set of arguments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mayfly.errors import MayflyError
from mayfly.mux.events import Priority
from mayfly.pt.arguments import Arguments, from_socks
from mayfly.pt.errors import ArgumentsError
from mayfly.runtime.stream import Stream
from mayfly.socks.events import Request
from mayfly.wire.header import Header
from mayfly_client.dialler import Datagrams, Dialler
from mayfly_client.pt.bridge_line import BridgeLine
from mayfly_client.pt.carrier import Carrier

MAX_LINES = 32
"""Bridge lines in use at once. The SOCKS port is open to every program of this computer, so there is a limit."""


class Switchboard:
    """Chooses the dialler of each request by its SOCKS login. `make` makes a carrier for a new bridge line."""

    def __init__(self, make: Callable[[int, BridgeLine], Carrier], refused: Callable[[MayflyError], None]) -> None:
        self._make = make
        self._refused = refused
        self._carriers: dict[Arguments, Carrier] = {}

    def choose(self, request: Request) -> Dialler:
        """The carrier of the request's bridge line, or what fails with the reason."""
        try:
            return self._carrier(request)
        except MayflyError as error:
            self._refused(error)
            return Refusal(error)

    async def aclose(self) -> None:
        """End all carriers."""
        await asyncio.gather(*(carrier.aclose() for carrier in self._carriers.values()))

    def _carrier(self, request: Request) -> Carrier:
        login = request.credentials
        arguments = from_socks(login.username, login.password) if login is not None else ()
        carrier = self._carriers.get(arguments)
        if carrier is None:
            line = BridgeLine.of(arguments)
            if len(self._carriers) >= MAX_LINES:
                raise ArgumentsError("too many different bridge lines are in use", hint="Restart tor.")
            carrier = self._carriers[arguments] = self._make(len(self._carriers) + 1, line)
        return carrier


class Refusal:
    """A Dialler that only says why not."""

    def __init__(self, error: MayflyError) -> None:
        self._error = error

    async def open_stream(self, header: Header, priority: Priority = Priority.INTERACTIVE) -> Stream:
        """Raises the reason."""
        raise self._error

    async def open_datagrams(self, receive: Callable[[bytes], None]) -> Datagrams:
        """Raises the reason."""
        raise self._error
