#!/usr/bin/env python3
"""What the tor driver may expect of a tor's control port (control-spec), without a network behind it.

In a test's own process: `with FakeTor() as fake`. As a program it takes its torrc on standard input, as a tor does that
the driver starts, and understands two lines of its own: `FakeBootstrap N`, how far it comes (100 unless told), and
`FakeIgnoreEnd 1`, which makes it ignore SIGTERM.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

ONION = "a" * 56


class FakeTor:
    """A control port. `seen` are the commands that came; `event` sends one to whoever listens."""

    def __init__(
        self,
        *,
        bootstrap: int = 100,
        password: str = "",
        cookie: Path | None = None,
        socks: str = '"127.0.0.1:9999"',
    ) -> None:
        """`cookie` is a file that it names, and whose bytes it never takes."""
        self.bootstrap = bootstrap
        self.password = password
        self.cookie = cookie
        self.socks = socks
        self.socks_conf = "SocksPort=auto"
        self.circuits: tuple[str, ...] = ()
        self.seen: list[str] = []
        self.left = threading.Event()
        """Set when a connection that took ownership has ended."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []

    def __enter__(self) -> FakeTor:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        self._thread.join()

    def drop(self) -> None:
        """End all connections, as a tor that dies does."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def event(self, line: str) -> None:
        """Send an event to every connection."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.sendall(f"650 {line}\r\n".encode())

    def _serve(self) -> None:
        threads = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            self._connections.append(connection)
            threads.append(threading.Thread(target=self._attend, args=(connection,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _attend(self, connection: socket.socket) -> None:
        owns = False
        with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
            for line in lines:
                command = line.decode().rstrip()
                self.seen.append(command)
                owns |= command == "TAKEOWNERSHIP"
                connection.sendall("".join(part + "\r\n" for part in self._answer(command)).encode())
        if owns:
            self.left.set()

    def _answer(self, command: str) -> list[str]:
        word, _, rest = command.partition(" ")
        match word:
            case "PROTOCOLINFO":
                method = "HASHEDPASSWORD" if self.password else "NULL"
                if self.cookie is not None:
                    method = f'COOKIE COOKIEFILE="{self.cookie}"'
                return ["250-PROTOCOLINFO 1", f"250-AUTH METHODS={method}", '250-VERSION Tor="0.4.9.11"', "250 OK"]
            case "AUTHENTICATE" if self.password and rest != f'"{self.password}"':
                return ["515 Authentication failed: Password did not match HashedControlPassword"]
            case "AUTHENTICATE" if self.cookie is not None:
                return ["515 Authentication failed: Authentication cookie did not match expected value."]
            case "GETINFO":
                known = {
                    "version": "0.4.9.11",
                    "status/bootstrap-phase": f'NOTICE BOOTSTRAP PROGRESS={self.bootstrap} TAG=conn SUMMARY="Going on"',
                    "net/listeners/socks": self.socks,
                    "config-text": "",
                }
                if rest == "circuit-status":
                    return ["250+circuit-status=", *self.circuits, ".", "250 OK"]
                return [f"250-{rest}={known[rest]}", "250 OK"] if rest in known else [f'552 Unrecognized key "{rest}"']
            case "GETCONF":
                return [f"250 {self.socks_conf}"] if rest.lower() == "socksport" else [f"250 {rest}"]
            case "ADD_ONION":
                private = ["250-PrivateKey=ED25519-V3:secret"] if rest.startswith("NEW:") else []
                return [f"250-ServiceID={ONION}", *private, "250 OK"]
            case _:
                pass
        return ["250 OK"]


def main() -> None:
    """Be a tor: `-f -`, and the lines of torrc that the driver writes."""
    lines: dict[str, Any] = dict(line.rstrip().partition(" ")[::2] for line in sys.stdin)
    if "BadOption" in lines:
        print("Nov 01 00:00:00.000 [warn] Failed to parse/validate config: Unknown option 'BadOption'.  Failing.")
        print("Nov 01 00:00:00.000 [err] Reading config failed--see warnings above.", flush=True)
        sys.exit(1)
    if lines.get("FakeIgnoreEnd"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with FakeTor(bootstrap=int(lines.get("FakeBootstrap", 100))) as fake:
        print("Nov 01 00:00:00.000 [notice] Opened Control listener", flush=True)
        place = Path(lines["ControlPortWriteToFile"].strip('"'))
        place.with_suffix(".new").write_text(f"PORT=127.0.0.1:{fake.port}\n")
        place.with_suffix(".new").rename(place)
        fake.left.wait()
        os._exit(0)


if __name__ == "__main__":
    main()
