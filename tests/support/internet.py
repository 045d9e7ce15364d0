"""A small Internet in network namespaces: three computers, each behind a router of its own, a web, names and STUN.

    async with internet(folder) as net:        needs root
        net.at("volunteer", "curl", …)         the argv that runs a command on that computer

What the pages say is typed there word by word: `example.com` and `broker.example` have names and certificates that
`net.trust` makes curl and Python accept, the built-in STUN servers answer, and no packet leaves the namespaces. The
addresses are public ones, because a relay refuses all others; nobody outside sees them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from mayfly_cli.endpoints import STUN_SERVERS
from support.certificates import self_signed
from support.names import name_server
from support.namespaces import inside, joined, uplink
from support.programs import Program
from support.stun import StunServer

COMPUTERS = {"volunteer": "5.5.5", "friend": "6.6.6", "operator": "7.7.7"}
"""Who has one, and the network between it and its router (.1); the computer has .2."""

WEB, NAMES = "9.9.9.10", "9.9.9.9"
SITE, BROKER = "example.com", "broker.example"
PAGE = "<title>Example Domain</title>\n"
_ENTER = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


@dataclass(frozen=True, slots=True)
class Internet:
    """A running one."""

    folder: Path
    prefix: str

    def at(self, computer: str, *argv: str | Path) -> list[str]:
        """The argv that runs a command on a computer."""
        entered = ("sh", "-c", _ENTER, "sh", self.folder / "resolv.conf", *argv)
        return inside(f"{self.prefix}-{computer}", *map(str, entered))

    @property
    def trust(self) -> dict[str, str]:
        """The variables by which programs take the certificates."""
        return {name: str(self.folder / "trusted.pem") for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE")}

    @property
    def broker_certificate(self) -> tuple[Path, Path]:
        """Certificate and key of the broker's name."""
        return self.folder / BROKER / "cert.pem", self.folder / BROKER / "key.pem"


@contextlib.asynccontextmanager
async def internet(folder: Path) -> AsyncIterator[Internet]:
    """Run one while the block lasts."""
    net = Internet(folder, f"mayfly-{os.getpid()}")
    (folder / "resolv.conf").write_text(f"nameserver {NAMES}\noptions timeout:1 attempts:1\n")
    certificates: list[str] = []
    for name in (SITE, BROKER):
        (folder / name).mkdir()
        certificates.append(self_signed(folder / name, name)[0].read_text())
    (folder / "trusted.pem").write_text("".join(certificates))
    spaces = [f"{net.prefix}-{name}" for name in ("world", *COMPUTERS)]
    async with joined(spaces, _cables(net.prefix)):
        world = net.at("world", sys.executable, "-m", "support.internet", folder)
        async with Program.running(*world) as services:
            await services.until(lambda: "ready" in services.lines, "the web, the names and STUN")
            yield net


def _cables(prefix: str) -> str:
    """The commands that make the namespaces and join them."""
    world = f"{prefix}-world"
    lines = [f"ip netns add {prefix}-{name}" for name in ("world", *COMPUTERS)]
    lines += [f"ip -n {world} link set lo up", f"ip netns exec {world} sysctl -qw net.ipv4.ip_forward=1"]
    lines += [f"ip -n {world} addr add {address}/32 dev lo" for address in (WEB, NAMES)]
    for number, (name, network) in enumerate(COMPUTERS.items()):
        lines.append(f"ip -n {prefix}-{name} link set lo up")
        lines += uplink(f"{prefix}-{name}", "eth0", world, f"to{number}", network)
    return "\n".join(lines)


async def main(folder: Path) -> None:
    """The world's services, until standard input ends."""
    loop = asyncio.get_running_loop()
    hosts = {SITE: WEB, BROKER: f"{COMPUTERS['operator']}.2"}
    stun = [server.rpartition(":") for server in STUN_SERVERS]
    with name_server(NAMES, hosts | dict.fromkeys((host for host, _, _ in stun), NAMES), 53):
        for port in {int(port) for _, _, port in stun}:
            await loop.create_datagram_endpoint(lambda: StunServer(lambda source: source), local_addr=(NAMES, port))

        async def page(_: web.Request) -> web.Response:
            return web.Response(text=PAGE, content_type="text/html")

        app = web.Application()
        app.add_routes([web.get("/", page)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, WEB, 443, ssl_context=_tls(folder / SITE)).start()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()


def _tls(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
