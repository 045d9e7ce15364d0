"""A private Tor network on loopback: real tors of Debian's, of which none outlives the test process.

Three authorities (which carry traffic as well), an exit, and a name server that the exit asks. All of them, and every
`node` that is added, listen on one address of 127.0.0.0/8 that belongs to this process, so networks of several test
processes never meet; what they hold stands in one folder.

    with tor_network(folder) as network:                      ready when a client finds a way through it
        async with network.client() as tor: …                 a client with a SocksPort
        async with network.bridge("ExtORPort auto") as tor: … a bridge, with more lines of torrc
        network.client_lines                                  what makes any other tor a client of this network

In tests, use the fixture `tor_network` (tests/system/conftest.py), which is one network for the whole session.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.names import NameServer, name_server
from support.programs import Program, ProgramError, environment, mortal, program

NAMES = {"mayfly.example": "9.9.9.9", "web.mayfly.example": "127.0.0.1"}
"""What the exit's name server knows: a name that is only looked up, and one for servers of the tests."""

PROGRAMS = ("tor", "tor-gencert")
"""What a network needs."""

AUTHORITIES = 3
START_TIMEOUT = 150.0

_VOTE_EVERY = 5
_START_AT = 3.5
"""Seconds after such a moment at which starting takes least: 7 s, and not up to 25."""

# A vote every 20 s once the network stands, and one 5 s after the start. One authority alone would take a minute.
_VOTING = f"""\
TestingV3AuthInitialVotingInterval {_VOTE_EVERY}
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
V3AuthVotingInterval 20
V3AuthVoteDelay 4
V3AuthDistDelay 4
TestingDirAuthVoteExit *
TestingDirAuthVoteGuard *
TestingDirAuthVoteHSDir *
TestingMinExitFlagThreshold 0
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One running tor of the network, beyond those that make it up."""

    log: Program
    folder: Path
    address: str
    socks_port: int = 0
    """A client's SocksPort."""
    or_port: int = 0
    """A bridge's ORPort."""

    @property
    def control(self) -> Path:
        """Its control socket, which takes its cookie: `control_auth_cookie` in `folder`."""
        return self.folder / "control"

    @property
    def bridge_line(self) -> str:
        """A bridge as a client's torrc has it: address, port and fingerprint."""
        fingerprint = (self.folder / "fingerprint").read_text().split()[1]
        return f"Bridge {self.address}:{self.or_port} {fingerprint}"


@dataclass(frozen=True, slots=True)
class TorNetwork:
    """A network that stands."""

    folder: Path
    address: str
    """Where all of it listens, and where it may connect to; no other process of tests uses that address."""
    names: NameServer
    """Whom the exit asks."""
    authorities: tuple[str, ...] = field(default=(), repr=False)
    """The DirAuthority lines."""

    @property
    def client_lines(self) -> tuple[str, ...]:
        """Lines of torrc that make a tor a client of this network, and of no other."""
        return ("TestingTorNetwork 1", *self.authorities, "AssumeReachable 1")

    @contextlib.asynccontextmanager
    async def node(self, kind: str, *lines: str, wait: bool = True) -> AsyncIterator[Node]:
        """One more tor while the block lasts, bootstrapped unless `wait` is false. `lines` come last."""
        folder = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=self.folder))
        socks_port = _free_port(self.address)
        or_port = _free_port(self.address) if kind == "bridge" else 0
        own = [
            f"SocksPort {self.address}:{socks_port}",
            f"ControlPort unix:{folder / 'control'}",
            "CookieAuthentication 1",
            *self.client_lines,
            *([f"ORPort {self.address}:{or_port}", *_relay_lines(self.address, kind)] if or_port else []),
            *lines,
        ]
        torrc = _write_torrc(folder, own)
        async with Program.running(*_tor(torrc)) as log:
            log.name = f"tor ({kind})"
            node = Node(log, folder, self.address, socks_port, or_port)
            if wait:
                await log.wait_for_line("Bootstrapped 100%", 60)
            yield node

    def client(self, *lines: str, wait: bool = True) -> contextlib.AbstractAsyncContextManager[Node]:
        """A client with a SocksPort."""
        return self.node("client", *lines, wait=wait)

    def bridge(self, *lines: str, wait: bool = True) -> contextlib.AbstractAsyncContextManager[Node]:
        """A bridge with an ORPort. Lines such as `ServerTransportPlugin …` and `ExtORPort …` are the caller's."""
        return self.node("bridge", "BridgeRelay 1", "PublishServerDescriptor 0", *lines, wait=wait)


@contextlib.contextmanager
def tor_network(folder: Path | None = None) -> Iterator[TorNetwork]:
    """A network while the block lasts. Blocks until it carries traffic, 12 to 20 s. `folder` must be empty."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            # Control sockets live in it, and a Unix socket's path has 107 characters at most.
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mayfly-tor-")))
        address = _own_address()
        network = _lay_out(folder, address, stack.enter_context(name_server(address, NAMES)))
        stack.callback(_end, running := list[subprocess.Popen[bytes]]())
        # Votes are taken at full multiples of 5 s. Who comes too late for the first one waits 20 s for the next.
        time.sleep((_START_AT - time.time()) % _VOTE_EVERY)
        running += [_start(_tor(torrc), torrc.with_name("out.log")) for torrc in folder.glob("*/torrc")]
        _wait_for(lambda: _carries(network), running)
        yield network


def ask(control: Path, cookie: Path, question: str) -> list[str]:
    """The lines that a tor answers at its control socket, to `GETINFO stream-status` for example."""
    with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rw", newline="\r\n") as stream:
        sock.connect(str(control))
        for command in (f"AUTHENTICATE {cookie.read_bytes().hex()}", question, "QUIT"):
            stream.write(command + "\n")
        stream.flush()
        lines = [line.rstrip("\r\n") for line in stream]
    if lines[0] != "250 OK":
        raise ProgramError(f"tor does not let us in: {lines[0]}")
    return lines[1:-2]


def _lay_out(folder: Path, address: str, names: NameServer) -> TorNetwork:
    """Keys, certificates and torrc of every member."""
    authorities = [f"auth{number}" for number in range(AUTHORITIES)]
    ports = {name: (_free_port(address), _free_port(address)) for name in (*authorities, "exit")}
    folders = {name: folder / name for name in ports}
    for place in folders.values():
        place.mkdir(mode=0o700)
    making = [_make_certificate(folders[name], f"{address}:{ports[name][1]}") for name in authorities]
    for process in making:
        if process.wait(60):
            raise ProgramError("tor-gencert failed")
    lines = tuple(
        f"DirAuthority {name} orport={ports[name][0]} no-v2 v3ident={_identity(folders[name])} "
        f"{address}:{ports[name][1]} {_fingerprint(folders[name], name)}"
        for name in authorities
    )
    network = TorNetwork(folder, address, names, lines)
    resolver = folder / "resolv.conf"
    resolver.write_text(f"nameserver {address}:{names.port}\n")
    for name in (*authorities, "exit"):
        own = ["SocksPort 0", f"ORPort {address}:{ports[name][0]}", *network.client_lines]
        own += _relay_lines(address, name)
        if name == "exit":
            own += ["ExitRelay 1", "ExitPolicy accept *:*", "ExitPolicyRejectPrivate 0", "IPv6Exit 1"]
            own += [f"ServerDNSResolvConfFile {resolver}", "ServerDNSDetectHijacking 0", "ServerDNSTestAddresses"]
        else:
            own += [f"DirPort {address}:{ports[name][1]}", "AuthoritativeDirectory 1", "V3AuthoritativeDirectory 1"]
            own += ["ContactInfo none", "ExitPolicy reject *:*", *_VOTING.splitlines()]
        _write_torrc(folders[name], own)
    return network


def _relay_lines(address: str, nickname: str) -> list[str]:
    return [f"Address {address}", f"Nickname {nickname}", "ExitRelay 0", "DirCache 1", "NumCPUs 1"]


def _write_torrc(folder: Path, lines: Sequence[str]) -> Path:
    torrc = folder / "torrc"
    own = [f"DataDirectory {folder}", "Log notice stdout", f"__OwningControllerProcess {os.getpid()}"]
    # Options that stand twice would have their last value with a warning; those of the caller come last.
    torrc.write_text("\n".join([*own, "ShutdownWaitLength 0", *lines]) + "\n")
    return torrc


def _tor(torrc: Path) -> list[str]:
    return [program("tor"), "--defaults-torrc", os.devnull, "-f", str(torrc), "--hush"]


def _make_certificate(folder: Path, address: str) -> subprocess.Popen[bytes]:
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    argv = [program("tor-gencert"), "--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a", address]
    for option, name in (("-i", "identity_key"), ("-s", "signing_key"), ("-c", "certificate")):
        argv += [option, str(keys / f"authority_{name}")]
    process = subprocess.Popen(mortal(argv), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.close()
    return process


def _identity(folder: Path) -> str:
    found = re.search(r"^fingerprint (\w+)$", (folder / "keys" / "authority_certificate").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def _fingerprint(folder: Path, nickname: str) -> str:
    """Makes the relay's keys as well."""
    argv = [program("tor"), "--defaults-torrc", os.devnull, "-f", os.devnull, "--ignore-missing-torrc", "--hush"]
    argv += ["--list-fingerprint", "--ORPort", "1", "--DataDirectory", str(folder), "--Nickname", nickname]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False)
    if done.returncode:
        raise ProgramError(f"tor made no keys: {done.stdout.decode(errors='replace')}")
    return (folder / "fingerprint").read_text().split()[1]


def _start(argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            mortal(argv), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment(), process_group=0
        )


def _end(running: list[subprocess.Popen[bytes]]) -> None:
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
    for process in running:
        process.wait()


def _carries(network: TorNetwork) -> bool:
    """Whether all members know all members and an exit. A client that comes too early waits a minute, or gives up."""
    return all(_knows_all(place.parent) for place in network.folder.glob("*/torrc"))


def _knows_all(member: Path) -> bool:
    try:
        consensus = (member / "cached-microdesc-consensus").read_text()
    except OSError:
        return False
    flags = re.findall(r"^s (.*)$", consensus, re.MULTILINE)
    complete = len(flags) == AUTHORITIES + 1 and any("Exit" in line.split() for line in flags)
    return complete and "Bootstrapped 100%" in (member / "out.log").read_text(errors="replace")


def _wait_for(met: Callable[[], bool], running: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not met():
        if any(process.poll() is not None for process in running):
            raise ProgramError("a member of the private Tor network has ended; its log is `out.log` in its folder")
        if time.monotonic() > deadline:
            raise ProgramError(f"the private Tor network did not stand after {START_TIMEOUT:g} s")
        time.sleep(0.1)


def _own_address() -> str:
    """An address that no other process has: process ids have at most 22 bits, and 127.0.0.0/8 has 24."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16)}.{pid >> 8 & 0xFF}.{pid & 0xFF}"


def _free_port(address: str) -> int:
    """A free port of the address that is ours alone, so nothing takes it before its owner does."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port
