"""What commands ask of a running program; `mayfly.runtime.control` has the protocol."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mayfly.errors import ControlError
from mayfly.runtime.control import ControlConnection, Request
from mayfly.services import source
from mayfly.services.receiving import Into
from mayfly.services.source import Source
from mayfly.services.threads import in_thread
from mayfly.services.topics import CHAT, INCOMING, STOP, WATCH, transfer_topic

if TYPE_CHECKING:
    from mayfly.services.hub import Hub

_Answer = Callable[[ControlConnection, Request], Coroutine[Any, Any, dict[str, Any]]]

MAX_LEFT_OUT = 100
"""Paths that a reply names as left out; the rest is not said."""


class Requests:
    """One method for each request."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._answers: dict[str, _Answer] = {
            "status": self._status,
            "stop": self._stop,
            "newnym": self._newnym,
            "watch": self._watch,
            "chat": self._chat,
            "say": self._say,
            "who": self._who,
            "send": self._send,
            "receive": self._receive,
            "accept": self._accept,
            "decline": self._decline,
            "pause": self._steer,
            "resume": self._steer,
            "cancel": self._steer,
        }

    async def serve(self, connection: ControlConnection, request: Request) -> dict[str, Any]:
        """Serve one request. Raises ControlError for what is unknown or cannot be done."""
        answer = self._answers.get(request.what)
        if answer is None:
            raise ControlError(
                "The program does not know this request.", hint="It may be of an older version; start it again."
            )
        return await answer(connection, request)

    async def _status(self, _connection: ControlConnection, _request: Request) -> dict[str, Any]:
        describe = self._hub.describe_upstream
        upstream = None if describe is None else await describe()
        return {"status": replace(self._hub.status(), upstream=upstream).to_json()}

    async def _newnym(self, _connection: ControlConnection, _request: Request) -> dict[str, Any]:
        if self._hub.renew is None:
            raise ControlError("This program uses no tor.", hint="A relay does with --upstream tor.")
        return {"seconds": await self._hub.renew()}

    async def _stop(self, connection: ControlConnection, request: Request) -> dict[str, Any]:
        connection.topics.add(STOP)
        if request.flag("now"):
            self._hub.shutdown.request_stop()
        else:
            self._hub.shutdown.request_drain()
        return {}

    async def _watch(self, connection: ControlConnection, _request: Request) -> dict[str, Any]:
        connection.topics.add(WATCH)
        return {}

    async def _chat(self, connection: ControlConnection, request: Request) -> dict[str, Any]:
        self._hub.talk.tell_all()
        connection.topics.add(CHAT)
        missed = [message.to_json() for message in self._hub.talk.take_missed()]
        return {**await self._who(connection, request), "missed": missed}

    async def _who(self, _connection: ControlConnection, _request: Request) -> dict[str, Any]:
        return {"name": self._hub.talk.name, "who": self._hub.talk.who()}

    async def _say(self, _connection: ControlConnection, request: Request) -> dict[str, Any]:
        number, names = self._hub.talk.say(request.needed("text"), request.text("to"))
        return {"id": number, "to": names}

    # Transfers

    async def _send(self, connection: ControlConnection, request: Request) -> dict[str, Any]:
        to = request.get("to")
        if type(to) is int:
            await self._hub.talk.introduced(to)
        else:  # a newcomer without a name is not waited for where the one who is meant has come
            await self._hub.talk.introduced(*self._hub.places, enough=request.text("to"))
        self._receivers(request)
        source, descriptor = await self._source(request)
        to = self._receivers(request)  # reading directories takes its time, in which some may leave
        begun = self._hub.transfers.send(
            source, {number: self._hub.places[number].session for number in to}, descriptor
        )
        if descriptor is not None:
            request.descriptors.remove(descriptor)
        connection.topics.add(transfer_topic(begun[0].id))
        return {
            "transfers": [{"transfer": e.id, "peer": e.peer, "to": self._hub.label(e.peer)} for e in begun],
            "name": source.name,
            "total": source.total,
            "files": len(source.entries),
            "left_out": list(source.left_out[:MAX_LEFT_OUT]),
        }

    def _receivers(self, request: Request) -> list[int]:
        places = self._hub.places
        if not places:
            raise ControlError("Nobody is connected.", hint="Wait for the other side, then send again.")
        if request.flag("all"):
            return list(places)
        to = request.get("to")
        if to is None:
            if len(places) > 1:
                raise ControlError("Several are connected.", hint="Choose one with --to, or all with --to-all.")
            return list(places)
        number = to if type(to) is int else self._meant(request.needed("to"))
        if number not in places:
            raise ControlError(
                "Nobody of that name is connected to this program.",
                hint="Files reach those alone whom `mayfly status` lists.",
            )
        return [number]

    def _meant(self, to: str) -> int | None:
        """The session of whoever has this name, else this number. Raises ControlError where that is two of them."""
        named = self._hub.talk.session_of(to)
        counted = next((number for number in self._hub.places if str(number) == to), None)
        if None not in (named, counted) and named != counted:
            raise ControlError(
                "One has this number, and another has chosen it as a name.",
                hint="Ask whoever is called so to come again with another --nick.",
            )
        return counted if named is None else named

    async def _source(self, request: Request) -> tuple[Source, int | None]:
        """What to send, and the descriptor that it needs. Raises ControlError, UsageError."""
        words, paths = request.text("text"), request.texts("paths")
        if words is not None:
            return source.text(words, time.time_ns()), None
        if request.descriptors:
            descriptor = request.descriptors[0]
            piped = source.piped(descriptor, secrets.token_bytes(16), time.time_ns())
            return replace(piped, name=request.text("name") or piped.name), descriptor
        if not paths:
            raise ControlError("There is nothing to send.", hint="Name a file, or give a text.")
        found = [_absolute(path) for path in paths]
        return await in_thread(partial(source.scan, found, links=request.flag("symlinks"))), None

    async def _receive(self, connection: ControlConnection, request: Request) -> dict[str, Any]:
        offers = [offer.to_json() for offer in self._hub.transfers.offers()]
        connection.topics.add(INCOMING)
        if request.flag("yes"):
            self._hub.transfers.take_all(connection, _into(request))
        return {"offers": offers}

    async def _accept(self, connection: ControlConnection, request: Request) -> dict[str, Any]:
        transfer = request.needed("transfer")
        into = _into(request)
        self._hub.transfers.accept(transfer, request.number("peer"), into)
        if into.descriptor is not None:
            request.descriptors.remove(into.descriptor)
        connection.topics.add(transfer_topic(transfer))
        return {}

    async def _decline(self, _connection: ControlConnection, request: Request) -> dict[str, Any]:
        self._hub.transfers.decline(request.needed("transfer"), request.number("peer"))
        return {}

    async def _steer(self, _connection: ControlConnection, request: Request) -> dict[str, Any]:
        self._hub.transfers.steer(request.what, request.needed("transfer"), request.number("peer"))
        return {}


def _into(request: Request) -> Into:
    """Where an accepted transfer goes. Raises ControlError."""
    if request.descriptors:
        if request.flag("yes"):
            raise ControlError("One output cannot take all that is offered.", hint="Receive into a directory.")
        return Into(Path("/"), descriptor=request.descriptors[0])
    return Into(_absolute(request.needed("into")), overwrite=request.flag("overwrite"))


def _absolute(path: str) -> Path:
    if not path.startswith("/") or "\0" in path:
        raise ControlError("A path in a request is not absolute.")
    return Path(path)
