"""A broker that cannot be reached directly: behind a large host, through proxies, or only as the second."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import proxies, socks
from support.broker import broker_process
from support.certificates import self_signed
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, split_address
from support.nginx import nginx
from support.programs import free_port
from support.tcp import echo, serving

HIDDEN = "broker.example"
"""A name that nobody can resolve, and whose handshake the large host refuses."""


@dataclass(frozen=True, slots=True)
class Front:
    """A large host, known as `localhost`, that has the broker among its sites."""

    port: int
    log: Path
    trust: dict[str, str]

    def asked(self) -> set[tuple[str, str]]:
        """What it saw: pairs of the name in TLS and the Host header."""
        return {(sni, host) for sni, host in (line.split() for line in self.log.read_text().splitlines())}


@contextlib.asynccontextmanager
async def front(folder: Path) -> AsyncGenerator[Front, None]:
    certificate, key = self_signed(folder, "localhost")
    port, socket, log = free_port(), folder / "s", folder / "front.log"
    site = f"""
log_format names "$ssl_server_name $http_host";
ssl_certificate {certificate};
ssl_certificate_key {key};
server {{ listen 127.0.0.1:{port} ssl default_server; ssl_reject_handshake on; access_log off; }}
server {{ listen 127.0.0.1:{port} ssl; server_name localhost; access_log {log} names; return 404; }}
server {{
  listen 127.0.0.1:{port} ssl; server_name {HIDDEN}; ssl_reject_handshake on; access_log {log} names;
  location / {{ proxy_pass http://unix:{socket}:; proxy_read_timeout 60s; proxy_http_version 1.1; }}
}}
"""
    async with broker_process(listen=f"unix:{socket}"), nginx(folder, port, site):
        yield Front(port, log, {"SSL_CERT_FILE": str(certificate)})


def relay(*args: str, env: dict[str, str] | None = None) -> contextlib.AbstractAsyncContextManager[MayflyProcess]:
    return MayflyProcess.running("relay", *LOOPBACK, *OPEN_LOOPBACK, *args, env=env)


def client(*args: str, env: dict[str, str] | None = None) -> contextlib.AbstractAsyncContextManager[MayflyProcess]:
    return MayflyProcess.running("client", *LOOPBACK, "--socks", "127.0.0.1:0", *args, env=env)


async def works(guest: MayflyProcess, server: tuple[str, int]) -> None:
    """One byte through the tunnel, there and back."""
    at = split_address((await guest.event("listening"))["address"])
    async with await socks.connect(at, *server) as connection:
        connection.writer.write(b"x")
        assert await connection.reader.readexactly(1) == b"x"


@pytest.mark.needs("nginx")
async def test_behind_a_front_only_the_front_is_named_in_tls(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with front(tmp_path_factory.mktemp("f")) as place, serving(echo) as server:
        fronted = ("--broker", f"https://{HIDDEN}", "--broker-front", f"localhost:{place.port}")
        async with relay(*fronted, env=place.trust) as host:
            code = (await host.event("code"))["code"]
            async with client(*fronted, code, env=place.trust) as friend:
                await works(friend, server)
        assert place.asked() == {("localhost", HIDDEN)}


@pytest.mark.needs("nginx")
async def test_a_front_s_certificate_is_looked_at_and_a_front_without_the_broker_is_said(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with front(tmp_path_factory.mktemp("f")) as place:
        at = f"localhost:{place.port}"
        async with client("--broker", f"https://{HIDDEN}", "--broker-front", at) as wary:
            assert "certificate" in (await wary.event("warning"))["message"]
        async with client("--broker", "https://other.example", "--broker-front", at, env=place.trust) as lost:
            assert "no broker of Mayfly" in (await lost.event("warning"))["message"]


@pytest.mark.needs("nginx", "tinyproxy")
async def test_a_front_through_an_http_proxy(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    async with front(tmp_path_factory.mktemp("f")) as place, proxies.tinyproxy(tmp_path) as port:
        fronted = ("--broker", f"https://{HIDDEN}", "--broker-front", f"localhost:{place.port}", "--public")
        async with relay(*fronted, "--broker-proxy", f"http://127.0.0.1:{port}", env=place.trust) as host:
            await host.event("posted")
        assert place.asked() == {("localhost", HIDDEN)}


@pytest.mark.needs("microsocks", "tinyproxy")
@pytest.mark.parametrize("scheme", ["socks5", "http"])
async def test_through_a_proxy_with_a_password_and_a_second_broker(scheme: str, tmp_path: Path) -> None:
    login = ("user", "pass-word")
    served = proxies.microsocks(login) if scheme == "socks5" else proxies.tinyproxy(tmp_path, login)
    dead = f"http://127.0.0.1:{free_port()}"
    async with (
        served as port,
        broker_process() as (_, url),
        serving(echo) as server,
        relay("--broker", dead, "--broker", url, "--public") as host,
    ):
        assert (await host.event("posted"))["broker"] == url
        proxied = ("--broker-proxy", f"{scheme}://user:pass-word@127.0.0.1:{port}")
        async with client("--broker", dead, "--broker", url, *proxied) as guest:
            await works(guest, server)
        async with client("--broker", url, "--broker-proxy", f"{scheme}://user:wrong@127.0.0.1:{port}") as refused:
            warning = await refused.event("warning")
            assert "through the proxy that leads to it" in warning["message"]
            assert "wrong" not in refused.program.output
