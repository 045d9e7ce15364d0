"""`make demo`: a relay and a client on this machine, introduced by their codes, with real traffic through them, a chat
line and a file.

Standard library, rich and Mayfly itself only. Exits with 1 when anything is not as it should be; leaves no process.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from support import socks
from support.bodies import body, body_sha256, file_sha256, write_body
from support.homes import Home
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, split_address
from support.programs import ProgramError

SIZE = 48 * 1024 * 1024
SMALL = 64 * 1024
FILE = 32 * 1024 * 1024
BAR = 20
AT_ONCE = 20
LINE = "are you there?"
TIME_LIMIT = 55.0
REFUSED_BY_POLICY = 0x02

console = Console(highlight=False, soft_wrap=True)


def say(who: str, text: str) -> None:
    """One line of the story."""
    colour = {"relay": "green", "client": "cyan", "web": "magenta"}.get(who, "white")
    console.print(f"[{colour}]{who:>7}[/]  {text}")


def demand(fact: bool, what: str) -> None:
    """End the demo unless a fact holds."""
    if not fact:
        raise ProgramError(what)


@contextlib.asynccontextmanager
async def web_server() -> AsyncIterator[int]:
    """Serve GET /N with N known bytes, and give the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            size = int(request.split(b" ", 2)[1].lstrip(b"/"))
            writer.write(f"HTTP/1.0 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
            for block in body(size):
                writer.write(block)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def fetch(proxy: tuple[str, int], port: int, size: int) -> str:
    """Fetch /SIZE through the proxy and give the SHA-256 of what came."""
    async with await socks.connect(proxy, "127.0.0.1", port) as connection:
        connection.writer.write(f"GET /{size} HTTP/1.0\r\n\r\n".encode())
        await connection.reader.readuntil(b"\r\n\r\n")
        digest = hashlib.sha256()
        while block := await connection.reader.read(256 * 1024):
            digest.update(block)
        return digest.hexdigest()


def shortened(code: str) -> str:
    """The two ends of a code."""
    return f"{escape(code[:24])}…{escape(code[-6:])}, {len(code)} characters"


async def introduce(relay: MayflyProcess, client: MayflyProcess) -> tuple[str, int]:
    """Carry both codes, check that both ends agree, and give the proxy's address."""
    offer = await relay.code("offer")
    say("relay", f"makes an offer for someone to paste: {shortened(offer)}")
    await client.send_code(offer)
    answer = await client.code("answer")
    say("client", f"takes it and makes an answer: {shortened(answer)}")
    await relay.send_code(answer)
    at_relay, at_client = await relay.event("connected"), await client.event("connected")
    words = " ".join(at_client["words"])
    say("relay", f"connected. Words to compare: [bold]{escape(' '.join(at_relay['words']))}[/]")
    say("client", f"connected. Words to compare: [bold]{escape(words)}[/]")
    demand(at_relay["words"] == at_client["words"], "the two ends show different words")
    address = str((await client.event("listening"))["address"])
    say("client", f"is now a SOCKS5 proxy on {escape(address)}")
    return split_address(address)


async def traffic(proxy: tuple[str, int], port: int) -> None:
    """What a person would do with the proxy."""
    started = time.monotonic()
    digest = await fetch(proxy, port, SIZE)
    took = time.monotonic() - started
    demand(digest == body_sha256(SIZE), "the download arrived damaged")
    say("web", f"{SIZE >> 20} MiB downloaded in {took:.1f} s, {SIZE / took / 1e6:.0f} MB/s, SHA-256 as it should be")
    started = time.monotonic()
    digests = await asyncio.gather(*(fetch(proxy, port, SMALL) for _ in range(AT_ONCE)))
    demand(set(digests) == {body_sha256(SMALL)}, "one of the small downloads arrived damaged")
    took = time.monotonic() - started
    say("web", f"{AT_ONCE} downloads of {SMALL >> 10} KiB at once in {took * 1000:.0f} ms, all as they should be")
    reply = await socks.refusal(proxy, "10.0.0.1", 80)
    demand(reply == REFUSED_BY_POLICY, f"a private address was answered with {reply:#04x} instead of a refusal")
    say("relay", "refuses to reach into its owner's private network: the application is told “not allowed”")


async def talk(relay: Home, client: Home) -> None:
    """`mayfly chat` on both sides, one line."""
    async with (
        MayflyProcess.running("chat", env=client.env) as listener,
        MayflyProcess.running("chat", "--once", env=relay.env) as speaker,
    ):
        await speaker.program.write_line(LINE)
        await speaker.program.end_input()
        heard = await listener.event("message")
        demand((heard["from"], heard["text"]) == ("relay", LINE), "the chat line arrived as another")
        say("client", f"reads in `mayfly chat`: {escape(heard['from'])}: [bold]{escape(heard['text'])}[/]")
        receipt = await speaker.event("delivered")
        await speaker.ends(0)
        say("relay", f"knows that it has arrived: ✓ {escape(receipt['by'])}")
        await listener.program.end_input()
        await listener.ends(0)


async def hand_over(relay: Home, client: Home) -> None:
    """`mayfly send` on one side, `mayfly receive` on the other, and what the sender knows to be on the other's disk."""
    film = relay.files / "film.mkv"
    write_body(film, FILE)
    started = time.monotonic()
    async with (
        MayflyProcess.running("receive", "--yes", "--into", client.files, env=client.env) as receiver,
        MayflyProcess.running("send", film, env=relay.env) as sender,
    ):
        offer = await receiver.event("offered")
        say("client", f"is offered {escape(offer['name'])}, {offer['size'] >> 20} MiB, and takes it")
        on_disk, told = 0, -1
        while on_disk < FILE:
            event = await sender.event("progress")
            on_disk = int(event["bytes"])
            quarters = 4 * on_disk // FILE
            if quarters > told:
                told = quarters
                say("relay", f"{bar(on_disk)} {on_disk / 2**20:4.0f} of {FILE >> 20} MiB on the client's disk")
        await sender.ends(0)
        await receiver.ends(0)
    arrived = client.files / film.name
    demand([*client.files.iterdir()] == [arrived], "there is more or less than the file")
    demand(file_sha256(arrived) == body_sha256(FILE), "the file arrived damaged")
    say("client", f"has the file, SHA-256 as it should be, after {time.monotonic() - started:.1f} s")


def bar(done: int) -> str:
    """How much of the file is there."""
    full = BAR * done // FILE
    return "━" * full + "[dim]" + "─" * (BAR - full) + "[/]"


async def leave(who: str, process: MayflyProcess) -> None:
    """Ctrl-C, once."""
    process.interrupt()
    status = await process.wait()
    demand(status == 0, f"the {who} ended with status {status} after Ctrl-C")
    say(who, "got Ctrl-C, finished what was open, and left")


async def demo() -> None:
    """The whole story."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mayfly-demo-")))
        port = await stack.enter_async_context(web_server())
        here, there = Home.made(folder / "relay"), Home.made(folder / "client")
        relay = await stack.enter_async_context(MayflyProcess.running("relay", *LOOPBACK, *OPEN_LOOPBACK, env=here.env))
        client = await stack.enter_async_context(
            MayflyProcess.running("client", "-", *LOOPBACK, "--socks", "127.0.0.1:0", env=there.env)
        )
        proxy = await introduce(relay, client)
        await traffic(proxy, port)
        await talk(here, there)
        await hand_over(here, there)
        await leave("client", client)
        await relay.event("closed")
        await leave("relay", relay)


async def main() -> int:
    """Run the demo against the clock. SIGTERM and Ctrl-C end it, and all it started, in order."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    console.print("[bold]A relay and a client on this machine, with nothing but two pasted codes between them[/]\n")
    started = time.monotonic()
    try:
        async with asyncio.timeout(TIME_LIMIT):
            await demo()
    except TimeoutError:
        console.print(f"\n[bold red]Failed:[/] not done after {TIME_LIMIT:.0f} s")
    except asyncio.CancelledError:
        console.print("\n[bold red]Interrupted.[/]")
    except (ProgramError, OSError, asyncio.IncompleteReadError, socks.RefusedError) as error:
        console.print(f"\n[bold red]Failed:[/] {escape(str(error))}")
        console.print(escape("\n".join(getattr(error, "__notes__", []))))
    else:
        console.print(f"\n[bold green]All of it worked[/], in {time.monotonic() - started:.1f} s.")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
