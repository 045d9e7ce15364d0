"""Many clients of one relay in one process, without their proxies. Commands and answers are lines of JSON.

{"do": "join", "offer": CODE}   -> {"answer": CODE}, and {"connected": N} once that session stands
{"do": "fetch", "host": ..., "port": ..., "bytes": N, "streams": S}
                                -> {"seconds": until every client has read N bytes on each of S streams, all at once}
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from ipaddress import ip_address
from typing import Any

import uvloop

from mayfly.errors import Reply
from mayfly.runtime.session import Session
from mayfly.runtime.tasks import TaskSet
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.transport.base import LinkSettings, PendingAnswer
from mayfly.transport.engines import make_engine
from mayfly.wire.address import Destination
from mayfly.wire.header import Header, Service
from mayfly.wire.hello import Role
from support.sessions import session_on

SETTINGS = LinkSettings(bind=(ip_address("127.0.0.1"),))


def say(answer: dict[str, Any]) -> None:
    """One answer line."""
    print(json.dumps(answer), flush=True)


class Crowd:
    """The sessions."""

    def __init__(self) -> None:
        self._engine = make_engine("aiortc")
        self._sessions: list[Session] = []
        self._tasks = TaskSet()

    async def do(self, command: dict[str, Any]) -> None:
        """Carry out one command."""
        match command["do"]:
            case "join":
                offer = parse(command["offer"], wanted=Kind.OFFER, now=time.time(), offers=())
                pending = await self._engine.answer(SETTINGS, offer.description)
                self._tasks.spawn(self._join(pending))
                say({"answer": Code(pending.description, int(time.time()) + 900, offer.digest).text})
            case "fetch":
                destination = Destination.parse_host(command["host"], command["port"])
                started = time.perf_counter()
                async with asyncio.TaskGroup() as group:
                    for session in self._sessions:
                        for _ in range(command["streams"]):
                            group.create_task(_fetch(session, destination, command["bytes"]))
                say({"seconds": time.perf_counter() - started})
            case other:
                raise ValueError(f"no such command: {other}")

    async def _join(self, pending: PendingAnswer) -> None:
        session = session_on(await pending.connected(), Role.CLIENT)
        await session.start()
        self._sessions.append(session)
        say({"connected": len(self._sessions)})
        await session.wait_closed()


async def _fetch(session: Session, destination: Destination, size: int) -> None:
    stream = await session.open_stream(Header(Service.TCP, destination))
    answer = await stream.read_answer()
    if answer.reply is not Reply.SUCCEEDED:
        raise ValueError(f"the relay refused: {answer.reply.name}")
    await stream.write(f"GET /bytes/{size} HTTP/1.0\r\n\r\n".encode())
    received = 0
    while data := await stream.read():
        received += len(data)
    stream.finish()
    if received < size:
        raise ValueError(f"{received} of {size} bytes came")


async def main() -> None:
    """Read commands until standard input ends."""
    crowd = Crowd()
    while line := await asyncio.to_thread(sys.stdin.readline):
        await crowd.do(json.loads(line))


if __name__ == "__main__":
    uvloop.run(main())
