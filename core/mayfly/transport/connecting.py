"""What every engine does alike between an offer and an open link: how long it takes, and the words when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from mayfly.errors import ConnectError, GatheringError, UsageError
from mayfly.signaling.description import Description
from mayfly.transport.base import Link

L = TypeVar("L", bound=Link)

NO_PATH = "no path between the two computers was found (ICE)"

PATH_GONE = "the path to the other side is gone"
"""Why an open link was lost; `mayfly.sctp.endings` and `mayfly.transport.mailbox` have the others."""


def deadline_of_the_rest(begin: float, patience: float, brief: float, now: float) -> float:
    """When the handshake and the channel have to be done, where finding a path began at `begin`.

    An offerer has one allowance for everything; an answerer's patience was with people, not with machines.
    """
    return begin + brief if patience <= brief else now + brief


def no_turn_server() -> UsageError:
    """A URL of --turn is none."""
    return UsageError("a TURN server is written turn:HOST:PORT", hint="write it like --turn turn:turn.example.org:3478")


def no_address(hint: str) -> GatheringError:
    """Nothing was found that a code could hold."""
    return GatheringError("this computer has no address that the code may hold", hint=hint)


def no_path(*, offerer: bool, symmetric: bool | None) -> ConnectError:
    """ICE found nothing in the time that it had."""
    if offerer:
        message = NO_PATH
        hint = "check that the other side still runs, and exchange new codes"
    else:
        message = "nobody came: the other side has not used this answer, or no path to it was found (ICE)"
        hint = "send the answer again while both sides run, or exchange new codes"
    if symmetric:
        hint += "; this network gives each destination another address, so a TURN server (--turn) may be needed"
    return ConnectError(message, hint=hint)


def no_progress(stage: str) -> ConnectError:
    """There is a path, and then nothing."""
    return ConnectError(
        "the two computers reach each other, but the other side does not go on",
        hint="ask the other side whether it still runs, and exchange new codes",
        stage=stage,
    )


def wrong_certificate() -> ConnectError:
    """The handshake met somebody whom the code does not name."""
    return ConnectError(
        "the other side's certificate is not the one in its code: someone may be in the middle",
        hint="do not go on over this way; exchange new codes over another one",
        stage="handshake",
    )


def refused(how: str, stage: str) -> ConnectError:
    """The far end was there, and ended it."""
    return ConnectError(
        f"the other side refused the connection: {how}",
        hint="exchange new codes; if the other side is told that someone may be in the middle, do not go on",
        stage=stage,
    )


def offer_spent() -> ConnectError:
    """An answer was taken before."""
    return ConnectError("this code has been answered already", hint="make a new one")


class Answering(Generic[L]):
    """A `base.PendingAnswer`, but for the NAT: it waits for its offerer whether or not anybody awaits `connected`."""

    def __init__(
        self, description: Description, connecting: Coroutine[Any, Any, L], free: Callable[[], Awaitable[None]]
    ) -> None:
        """`free` gives back everything that is not the link's."""
        self._description = description
        self._task = asyncio.get_running_loop().create_task(connecting)
        self._free = free
        self._taken = False

    @property
    def description(self) -> Description:
        """What to encode into the answer's code."""
        return self._description

    async def connected(self) -> L:
        """Wait for the offerer. Raises ConnectError after `LinkConfig.answer_lifetime`, or once closed."""
        await asyncio.wait({self._task})
        if self._task.cancelled():
            raise ConnectError("this answer was given up", hint="exchange new codes")
        link = self._task.result()
        self._taken = True
        return link

    async def close(self) -> None:
        """Give up and free the sockets. Does nothing once connected() has returned a link."""
        if self._taken:
            return
        self._task.cancel()
        await asyncio.wait({self._task})
        # Looking for an exception also keeps asyncio from reporting what nobody waits for any more.
        if not self._task.cancelled() and self._task.exception() is None:
            await self._task.result().close()
        await self._free()
