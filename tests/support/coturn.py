"""A real TURN server for one test: coturn in a namespace, as Mayfly sends nothing of loopback through TURN."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from support.namespaces import ADDRESS, Namespace
from support.programs import Program, program

_PORT = 3478
_USER, _PASSWORD = "somebody", "word"


def turn_url(transport: str) -> str:
    """What `--turn` takes."""
    return f"turn:{_USER}:{_PASSWORD}@{ADDRESS}:{_PORT}?transport={transport}"


@contextlib.asynccontextmanager
async def turn_server(network: Namespace, folder: Path) -> AsyncGenerator[Program, None]:
    """Serve while the block runs, by UDP and TCP."""
    argv = [program("turnserver"), "-n", "--listening-ip", ADDRESS, "--listening-port", str(_PORT)]
    argv += ["--relay-ip", ADDRESS, "--no-cli", "--no-tls", "--no-dtls", "--lt-cred-mech", "--realm", "mayfly.test"]
    argv += ["--user", f"{_USER}:{_PASSWORD}", "--pidfile", str(folder / "pid"), "--userdb", str(folder / "users")]
    argv += ["--log-file", "stdout", "--simple-log"]
    async with Program.running(*network.command(*argv)) as server:
        await server.wait_for_line("Total General servers")
        yield server
