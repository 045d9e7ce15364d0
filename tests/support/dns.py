"""A DNS server on loopback with a few known names: dnsmasq without any configuration of the machine's."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

from support.programs import Program, free_port, program

NAME = "mayfly.example"
ADDRESS = "192.0.2.7"
TEXT = "carried by datagrams"


@dataclass(frozen=True, slots=True)
class DnsServer:
    """A running server that knows an A and a TXT record of NAME."""

    host: str
    port: int


@contextlib.asynccontextmanager
async def dns_server() -> AsyncIterator[DnsServer]:
    """Run dnsmasq while the block lasts, asking nobody else."""
    port = free_port(socket.SOCK_DGRAM)
    argv = [program("dnsmasq"), "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--pid-file="]
    argv += ["--no-resolv", "--no-hosts", "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={port}"]
    argv += [f"--host-record={NAME},{ADDRESS}", f"--txt-record={NAME},{TEXT}"]
    if os.geteuid() == 0:
        argv.append(f"--user={getpass.getuser()}")
    async with Program.running(*argv) as server:
        await server.wait_for_line("started")
        yield DnsServer("127.0.0.1", port)
