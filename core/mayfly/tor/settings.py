"""Which tor, and how it is set up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ControlAddress:
    """Where a tor takes commands: a port (control-spec §3), or a Unix socket where `path` is set."""

    host: str = LOOPBACK
    port: int = 0
    path: str = ""
    password: str = ""
    """For `HashedControlPassword`. A tor with cookie authentication, or none, needs no password."""

    def __repr__(self) -> str:
        """Without the password."""
        return f"ControlAddress({self.path or f'{self.host}:{self.port}'})"

    @classmethod
    def parse(cls, text: str) -> ControlAddress:
        """Read `[PASSWORD@]ADDRESS:PORT` or `[PASSWORD@]PATH`, as given to --tor-control. Raises ValueError."""
        password, _, where = text.rpartition("@")
        path = where.removeprefix("unix:")
        if path.startswith("/"):
            return cls(path=path, password=password)
        host, _, number = where.rpartition(":")
        try:
            address = IPv4Address({"": LOOPBACK, "localhost": LOOPBACK}.get(host, host))
            port = int(number)
        except ValueError:
            raise ValueError("is neither ADDRESS:PORT, with an IPv4 address, nor the path of a socket") from None
        if not 0 < port < 65536:
            raise ValueError("has no port between 1 and 65535")
        return cls(str(address), port, password=password)

    @property
    def tcp(self) -> tuple[str, int]:
        """Address and port."""
        return self.host, self.port


@dataclass(frozen=True, slots=True, kw_only=True)
class TorSettings:
    """One tor. Times are seconds."""

    control: ControlAddress | None = None
    """A running tor to attach to; None to start one."""

    program: str = "tor"
    """The program to start: a name to look for, or a path."""

    torrc: tuple[str, ...] = ()
    """More lines of torrc for a tor of our own."""

    directory: Path | None = None
    """Where a tor of our own keeps its guards and what it knows of the network, so that it starts fast and does not
    choose new guards every day. Of several at once, each has a folder in it. None: a temporary one, which goes with
    it."""

    start_timeout: float = 30.0
    """How long a tor may take to take commands."""

    end_timeout: float = 5.0
    """How long a tor of our own may take to end before it is killed."""

    def __post_init__(self) -> None:
        if self.control is not None and self.torrc:
            raise ValueError("lines of torrc are for a tor that we start")


def torrc_line(text: str) -> str:
    """One line as given to --torrc-line. Raises ValueError."""
    line = text.strip()
    if not line or not line.isprintable():
        raise ValueError("is not one line of torrc")
    return line


def compose_torrc(directory: Path, owner: int, lines: Sequence[str]) -> str:
    """The torrc of a tor of our own, which ends when the process `owner` does. `lines` come last and so decide.

    It takes commands and SOCKS on loopback ports of its own choice, and writes the former to `control-port`.
    """
    own = [
        f"DataDirectory {_quoted(str(directory))}",
        "ControlPort 127.0.0.1:auto",
        f"ControlPortWriteToFile {_quoted(str(control_port_file(directory)))}",
        "CookieAuthentication 1",
        "SocksPort 127.0.0.1:auto IsolateSOCKSAuth",
        "ClientOnly 1",
        "AvoidDiskWrites 1",
        "DormantCanceledByStartup 1",
        "Log notice stdout",
        f"__OwningControllerProcess {owner}",
    ]
    return "\n".join([*own, *lines]) + "\n"


def control_port_file(directory: Path) -> Path:
    """Where tor writes which control port it chose."""
    return directory / "control-port"


def parse_control_port(text: str) -> int | None:
    """The first port in that file, None while it is not written whole. Lines of the user's may add more."""
    lines = text.splitlines() if text.endswith("\n") else []
    ports = (line.rpartition(":")[2] for line in lines if line.startswith("PORT="))
    return next((int(port) for port in ports if port.isdigit()), None)


def _quoted(text: str) -> str:
    # torrc takes C strings, so a space or # in a path is no end of the value.
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
