"""Other people's proxies on loopback: Debian's SOCKS servers and an HTTP proxy, and some that the tests make up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from support.programs import Program, accepts, free_port, program

HOST = "127.0.0.1"


@contextlib.asynccontextmanager
async def microsocks(login: tuple[str, str] | None = None) -> AsyncIterator[int]:
    """microsocks: SOCKS5, with a password where `login` says so. Gives its port."""
    port = free_port()
    argv = [program("microsocks"), "-i", HOST, "-p", str(port)]
    argv += ["-u", login[0], "-P", login[1]] if login else []
    async with Program.running(*argv):
        await accepts(HOST, port)
        yield port


@contextlib.asynccontextmanager
async def dante(folder: Path) -> AsyncIterator[int]:
    """Dante's server: SOCKS4, 4a and 5, open to everyone on loopback. Gives its port."""
    port = free_port()
    config = folder / "danted.conf"
    config.write_text(
        f"internal: {HOST} port = {port}\nexternal: lo\nclientmethod: none\nsocksmethod: none\n"
        "user.privileged: root\nuser.unprivileged: root\n"
        "client pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }\nsocks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n"
    )
    async with Program.running(program("danted"), "-f", config, "-p", folder / "danted.pid"):
        await accepts(HOST, port)
        yield port


@contextlib.asynccontextmanager
async def tinyproxy(folder: Path, login: tuple[str, str] | None = None) -> AsyncIterator[int]:
    """tinyproxy: HTTP CONNECT to any port. Gives its port."""
    port = free_port()
    config = folder / "tinyproxy.conf"
    auth = f"BasicAuth {login[0]} {login[1]}\n" if login else ""
    config.write_text(f"Port {port}\nListen {HOST}\nTimeout 60\nMaxClients 50\nAllow {HOST}\n{auth}")
    async with Program.running(program("tinyproxy"), "-d", "-c", config):
        await accepts(HOST, port)
        yield port


@dataclass(slots=True)
class MadeUp:
    """A proxy that does what `answer` does with each connection. `heard` is what was said to it first."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)


@contextlib.asynccontextmanager
async def made_up(*answers: bytes, then: str = "hold") -> AsyncGenerator[MadeUp, None]:
    """A proxy that sends these answers, one after each thing that it hears; then it holds or closes the connection."""
    proxy = MadeUp()
    done = asyncio.Event()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            for answer in answers:
                heard = await reader.read(4096)
                if not heard:
                    break
                proxy.heard.append(heard)
                writer.write(answer)
            if then == "hold":
                await done.wait()
        writer.close()

    server = await asyncio.start_server(attend, HOST, 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield proxy
        finally:
            done.set()
            server.close()
