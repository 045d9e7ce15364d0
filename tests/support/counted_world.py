"""A network namespace in which a relay can reach nothing but a tor outside it, and every other packet is counted.

Run as a program inside: `python -m support.counted_world CONTROL SOCKS HOST PORT`, the paths of the tor's sockets, and
where it says that its SOCKS port is: that address leads to it from inside. Prints one JSON object: what was fetched,
and how many packets went anywhere but to that port, to the client's proxy, or between the two ends of the link.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator

from support import socks
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, Tunnel, connected_client
from support.programs import program, run
from support.tor_network import Node

NAME = "secret.mayfly.example"
_ENTER = 'ip link set lo up && exec "$@"'
_RULES = """
table inet world {{
  counter others {{ }}
  chain leaving {{
    type filter hook output priority 0; policy accept;
    tcp dport {{ {ports} }} accept
    tcp sport {{ {ports} }} accept
    udp sport {{ {link} }} udp dport {{ {link} }} accept
    counter name others
  }}
}}
"""


async def scenario(tor: Node, socks_path: str, fetch: str, try_port: int) -> dict[str, object]:
    """Run it for a tor outside; needs root. `fetch` is a URL that only tor reaches."""
    inside = [sys.executable, "-m", "support.counted_world", str(tor.control), socks_path]
    inside += [tor.address, str(tor.socks_port), fetch, str(try_port)]
    argv = [program("unshare"), "--net", "sh", "-c", _ENTER, "sh", *inside]
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found: dict[str, object] = json.loads((await run(*argv, env={"PATH": path}, timeout=90)).text)
    return found


@contextlib.asynccontextmanager
async def _door(host: str, port: int, path: str) -> AsyncIterator[None]:
    """What leads to the SOCKS port of the tor outside."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path)
        await asyncio.gather(copy(reader, back), copy(there, writer))

    async with await asyncio.start_server(attend, host, port):
        yield


async def _count(pair: Tunnel, port: int) -> None:
    """Begin to count."""
    ends = [end.process.net_connections(kind="udp") for end in (pair.relay, pair.client)]
    link = {found.laddr.port for end in ends for found in end}
    rules = _RULES.format(ports=f"{port}, {pair.port}", link=", ".join(map(str, link)))
    await run(program("nft"), "-f", "-", stdin=rules.encode())


async def _others() -> int:
    listed = (await run(program("nft"), "list", "counter", "inet", "world", "others")).text
    found = re.search(r"packets (\d+)", listed)
    assert found is not None, listed
    return int(found[1])


async def main(control: str, path: str, host: str, port: int, fetch: str, try_port: int) -> None:
    """A client fetches, asks for names and for what is near; then somebody does send a packet elsewhere."""
    argv = ("relay", *LOOPBACK, *OPEN_LOOPBACK, "--upstream", "tor", "--tor-control", control)
    async with _door(host, port, path), MayflyProcess.running(*argv) as relay, connected_client(relay) as pair:
        await _count(pair, port)
        proxy = (pair.host, pair.port)
        curl = [program("curl"), "-sS", "--max-time", "60", "--proxy", f"socks5h://{pair.proxy}", fetch]
        text = (await run(*curl, timeout=70)).text
        for name in (NAME, "secret.local", "127.0.0.1"):
            await socks.refusal(proxy, name, try_port)
        for what in (NAME, "9.9.9.9"):
            with contextlib.suppress(socks.RefusedError):
                await socks.resolve(proxy, what)
        quiet = await _others()
        with contextlib.suppress(OSError):
            await asyncio.open_connection("127.0.0.1", try_port)
        print(json.dumps({"fetched": text, "others": quiet, "noticed": await _others() > quiet}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5], int(sys.argv[6])))
