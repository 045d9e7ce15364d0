"""What a relay behind an upstream does not tell: names to its own resolver, and with tor anything to anyone but tor."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support import proxies, socks
from support.homes import Home
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, Tunnel, connected_client
from support.programs import ROOT
from support.tor_network import PROGRAMS, TorNetwork

pytestmark = pytest.mark.timeout(240)

NAME = "secret.mayfly.example"

# Runs in the relay's interpreter before anything else. Audit hooks cannot be removed, and see what any module does,
# also in C: each lookup, and each address that is connected or sent to.
WATCHER = """
import os, sys
def note(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"):
        what = f"lookup {arguments[0]!r}"
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        what = f"{event} {arguments[1]!r}"
    else:
        return
    os.write(report, (what + "\\n").encode())
report = os.open(os.environ["MAYFLY_TEST_REPORT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
sys.addaudithook(note)
"""


class Report:
    """What a watched relay did."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def lookups(self) -> list[str]:
        """What was given to the system's resolver."""
        return [line for line in self._lines() if line.startswith("lookup")]

    @property
    def addresses(self) -> list[str]:
        """Whom it connected or sent to."""
        return [line for line in self._lines() if line.startswith("socket")]

    def _lines(self) -> list[str]:
        return self._path.read_text().splitlines()


@contextlib.asynccontextmanager
async def watched(folder: Path, *options: str) -> AsyncIterator[tuple[Tunnel, Report]]:
    """A client on a relay whose every lookup and connection is written down, on asyncio's own loop."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(WATCHER)
    home = Home.made(folder / "h")
    paths = [folder / "site", *(ROOT / part for part in ("core", "relay", "client", "tests"))]
    env = home.env | {"PYTHONPATH": ":".join(map(str, paths)), "MAYFLY_TEST_REPORT": str(folder / "report")}
    argv = ("relay", *LOOPBACK, "--loop", "asyncio", *options)
    async with MayflyProcess.running(*argv, env=env) as relay, connected_client(relay) as pair:
        yield pair, Report(folder / "report")


async def ask_for_names(pair: Tunnel) -> None:
    """Everything by which a client can make a relay look at a name."""
    proxy = (pair.host, pair.port)
    for name in (NAME, "secret.local", "secretonion.onion", "secret"):
        await socks.refusal(proxy, name, 443)
    for what in (NAME, "192.0.2.1"):
        with contextlib.suppress(socks.RefusedError):
            await socks.resolve(proxy, what)


@pytest.mark.parametrize("kind", ["socks5", "socks4", "http", "bridge"])
async def test_no_name_of_a_client_is_resolved_here(kind: str, tmp_path: Path) -> None:
    answers = {
        "socks5": (b"\x05\x00", b"\x05\x04\x00\x01\0\0\0\0\0\0"),
        "socks4": (b"\x00\x5b\0\0\0\0\0\0",),
        "http": (b"HTTP/1.1 502 No\r\n\r\n",),
        "bridge": (b"",),
    }[kind]
    async with proxies.made_up(*answers, then="close") as proxy:
        upstream = ("--upstream", f"{kind}://127.0.0.1:{proxy.port}")
        # Lets everything pass, so that nothing but the upstream keeps names from the resolver.
        allow = () if kind == "bridge" else (*OPEN_LOOPBACK, "--allow", "*:*")
        async with watched(tmp_path, *upstream, *allow) as (pair, report):
            if kind == "bridge":
                async with await socks.connect((pair.host, pair.port), NAME, 443):
                    pass
            else:
                await ask_for_names(pair)
                assert any(NAME.encode() in heard for heard in proxy.heard)
            assert [line for line in report.lookups if "secret" in line or "192.0.2.1" in line] == []
            assert any(f"{proxy.port}" in line for line in report.addresses), "the report sees connections"


async def test_direct_does_resolve_so_the_report_would_show_it(tmp_path: Path) -> None:
    async with watched(tmp_path) as (pair, report):
        await socks.refusal((pair.host, pair.port), NAME, 443)
        assert any(NAME in line for line in report.lookups)


@pytest.mark.needs(*PROGRAMS)
async def test_with_tor_nothing_goes_anywhere_but_to_tor_and_the_client(
    tor_network: TorNetwork, tmp_path: Path
) -> None:
    torrc = [part for line in tor_network.client_lines for part in ("--torrc-line", line)]
    async with watched(tmp_path, *OPEN_LOOPBACK, "--upstream", "tor", *torrc) as (pair, report):
        await ask_for_names(pair)
        assert [line for line in report.lookups if "secret" in line or "192.0.2.1" in line] == []
        assert NAME in tor_network.names.asked, "the exit was asked instead"
        found = await socks.refusal((pair.host, pair.port), "127.0.0.1", tor_network.names.port)
        assert found
        ports = {line.rpartition(", ")[2].rstrip(")") for line in report.addresses if "127.0.0.1" in line}
        assert str(tor_network.names.port) not in ports
        elsewhere = [line for line in report.addresses if "'127.0.0.1'" not in line and "/" not in line]
        assert elsewhere == []
