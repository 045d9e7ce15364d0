"""OpenSSH's server on a high port with keys made for the occasion, and what its client must be told to trust it."""

from __future__ import annotations

import contextlib
import getpass
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from support.programs import Finished, Program, accepts, find_program, free_port, program, run

# The folder that sshd, as root, wants for its unprivileged half. Debian's service makes it; here no service runs.
_PRIVILEGE_SEPARATION = Path("/run/sshd")


@dataclass(frozen=True, slots=True)
class SshServer:
    """A running sshd. `options` make a client trust it and log in without a question."""

    host: str
    port: int
    options: tuple[str, ...]
    log: Program

    def command(self, *remote: str, extra: tuple[str, ...] = ()) -> list[str]:
        """The argv of an ssh that runs a command there."""
        return [program("ssh"), *self.options, *extra, "-p", str(self.port), self.host, *remote]

    async def run(self, *remote: str, extra: tuple[str, ...] = (), stdin: bytes = b"", timeout: float = 60) -> Finished:
        """Run a command there."""
        return await run(*self.command(*remote, extra=extra), stdin=stdin, timeout=timeout)


def proxy_command(proxy: str) -> tuple[str, ...]:
    """ssh options to go through a SOCKS5 proxy, as its manual page has it."""
    return ("-o", f"ProxyCommand={program('nc.openbsd')} -X 5 -x {proxy} %h %p")


async def _keys(folder: Path) -> tuple[Path, Path]:
    host_key, user_key = folder / "host_key", folder / "user_key"
    for key in (host_key, user_key):
        await run(program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", key)
    (folder / "authorized_keys").write_text(user_key.with_suffix(".pub").read_text())
    return host_key, user_key


@contextlib.asynccontextmanager
async def ssh_server(folder: Path) -> AsyncIterator[SshServer]:
    """Run sshd on loopback while the block lasts, as whoever runs the tests. `folder` must be empty."""
    host_key, user_key = await _keys(folder)
    port = free_port()
    if os.geteuid() == 0:
        _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    config = folder / "sshd_config"
    settings = {
        "AddressFamily": "inet",
        "AllowTcpForwarding": "yes",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "HostKey": host_key,
        "ListenAddress": f"127.0.0.1:{port}",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "yes",
        "PidFile": "none",
        "PrintMotd": "no",
        "StrictModes": "no",
        "Subsystem": "sftp internal-sftp",
        "UsePAM": "no",
    }
    config.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key.with_suffix('.pub').read_text()}")
    options = (
        *("-F", "none", "-i", str(user_key), "-l", getpass.getuser()),
        *("-o", f"UserKnownHostsFile={folder / 'known_hosts'}", "-o", "GlobalKnownHostsFile=/dev/null"),
        *("-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR"),
    )
    async with Program.running(program("sshd"), "-D", "-e", "-f", config) as log:
        await log.wait_for_line("Server listening on")
        yield SshServer("127.0.0.1", port, options, log)


@contextlib.asynccontextmanager
async def ssh_socks(server: SshServer) -> AsyncIterator[tuple[str, int]]:
    """`ssh -D`: the SOCKS proxy that people know, to measure against."""
    port = free_port()
    extra = ("-N", "-D", f"127.0.0.1:{port}", "-o", "ExitOnForwardFailure=yes")
    async with Program.running(*server.command(extra=extra)):
        await accepts("127.0.0.1", port)
        yield "127.0.0.1", port


def available() -> bool:
    """Whether both halves of OpenSSH are installed."""
    return all(find_program(name) for name in ("ssh", "sshd", "ssh-keygen"))
