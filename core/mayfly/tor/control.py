"""One control connection to a tor, through stem: the only module that knows stem.

stem is synchronous and uses threads of its own. So everything here blocks, for as long as tor takes to answer, and what
it calls back comes on stem's threads. `driver.py` keeps both away from the event loop. No `timeout` of stem's is used.
"""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Generator, Iterator
from typing import Any

import stem
import stem.connection
import stem.control
import stem.response
import stem.socket

from mayfly.errors import TorError
from mayfly.tor.settings import ControlAddress
from mayfly.tor.status import LOST, Circuit, OnionService, TorStatus, bootstrapping

# It has no types, and makes names at run time. What leaves this module has types of ours.
_stem: Any = stem
_connection: Any = stem.connection
_control: Any = stem.control
_response: Any = stem.response
_socket: Any = stem.socket

_LET_IN = "Either this user must be able to read its cookie file, or --tor-control needs the password."
_REFUSALS: tuple[tuple[type[Exception], str], ...] = (
    (_connection.MissingPassword, "It wants its password: --tor-control PASSWORD@ADDRESS:PORT."),
    (_connection.IncorrectPassword, "The password in --tor-control is not the one of HashedControlPassword."),
    (
        _connection.UnreadableCookieFile,
        "This user cannot read its cookie file. Be in its group (Debian's: debian-tor), or set a password.",
    ),
    (_connection.CookieAuthFailed, "Its cookie file was not written by this tor: is it another one's?"),
)
"""What to do, by what stem says of it."""

_UNISOLATED = "noisolatesocksauth"


class TorControl:
    """A connection that has been let in. Every call raises TorError once it is lost."""

    def __init__(self, controller: Any) -> None:
        self._controller = controller

    @classmethod
    def connect(cls, address: ControlAddress) -> TorControl:
        """Connect and authenticate, by cookie or password. Raises TorError."""
        controller = _control.Controller(_connected(address))
        try:
            # Asked here: where tor hangs up, stem would connect anew to ask, and forget that socket if it cannot.
            methods = controller.msg("PROTOCOLINFO 1")
            _response.convert("PROTOCOLINFO", methods)
        except _stem.ControllerError:
            controller.close()
            raise TorError(
                "What answers where tor's control port should be is none.",
                hint="Look at ControlPort in its torrc. The SOCKS port (often 9050) is another (this is often 9051).",
            ) from None
        try:
            controller.authenticate(password=address.password or None, protocolinfo_response=methods)
        except (_stem.ControllerError, _connection.AuthenticationFailure) as error:
            controller.close()
            hint = next((words for kind, words in _REFUSALS if isinstance(error, kind)), _LET_IN)
            raise TorError("Tor does not let us in at its control port.", hint=hint) from None
        return cls(controller)

    def watch(
        self,
        on_status: Callable[[TorStatus], None],
        on_published: Callable[[str], None],
        on_lost: Callable[[], None],
    ) -> None:
        """Tell, on stem's threads: the bootstrap, the address of an onion service once published, and the end."""

        def status(event: Any) -> None:
            if event.action == "BOOTSTRAP":
                on_status(_bootstrap(event.arguments))

        def description(event: Any) -> None:
            if event.action == _stem.HSDescAction.UPLOADED:
                on_published(str(event.address))

        def state(_controller: object, state: str, _timestamp: float) -> None:
            if state == _control.State.CLOSED:
                on_lost()

        with _asking():
            self._controller.add_status_listener(state)
            self._controller.add_event_listener(status, _control.EventType.STATUS_CLIENT)
            self._controller.add_event_listener(description, _control.EventType.HS_DESC)
            if not self._controller.is_alive():  # it was lost before anybody listened
                on_lost()
                return
            # Not asked before: between that and the listener, a step could be missed.
            words = dict(_arguments(str(self._controller.get_info("status/bootstrap-phase"))))
        on_status(_bootstrap(words))

    def take_ownership(self) -> None:
        """From now on, tor ends when this connection does."""
        with _asking():
            self._controller.msg("TAKEOWNERSHIP")

    def socks(self) -> tuple[str, int] | None:
        """A SOCKS port that keeps those apart who name different users, None where there is no such port."""
        with _asking():
            ports = [str(line).lower() for line in self._controller.get_conf("SocksPort", multiple=True)]
            listeners = [
                (str(host), int(port)) for host, port in self._controller.get_listeners(_control.Listener.SOCKS)
            ]
        mixing = {word.rpartition(":")[2] for line in ports if _UNISOLATED in line for word in line.split()[:1]}
        kept_apart = [(host, port) for host, port in listeners if str(port) not in mixing]
        return next(((_reachable(host), port) for host, port in kept_apart), None)

    def version(self) -> str:
        """Tor's version."""
        with _asking():
            return str(self._controller.get_version())

    def new_identity(self) -> float:
        """Have new streams use new circuits. Gives the seconds after which tor does it: it does so rarely."""
        with _asking():
            wait = float(self._controller.get_newnym_wait())
            self._controller.signal(_stem.Signal.NEWNYM)
        return wait

    def circuits(self) -> tuple[Circuit, ...]:
        """All circuits of the moment."""
        with _asking():
            found: list[Any] = self._controller.get_circuits()
            return tuple(_circuit(event) for event in found)

    def add_onion(self, port: int, target: str, key: str = "") -> OnionService:
        """Have tor serve an onion service while this connection lasts; under the old address with an old `key`."""
        kind, _, content = key.partition(":") if key else ("NEW", "", "ED25519-V3")
        with _asking():
            reply = self._controller.create_ephemeral_hidden_service(
                {port: target}, key_type=kind, key_content=content, await_publication=False
            )
        made = key or f"{reply.private_key_type}:{reply.private_key}"
        return OnionService(f"{reply.service_id}.onion", port, target, made)

    def close(self) -> None:
        """End the connection; whoever waits for an answer gets a TorError. Idempotent."""
        self._controller.close()


def _connected(address: ControlAddress) -> Any:
    """stem's end of a connection. Raises TorError where none is to be had; stem would leave a socket open then."""

    def open_socket() -> socket.socket:
        sock = socket.socket(socket.AF_UNIX if address.path else socket.AF_INET)
        try:
            sock.connect(address.path or address.tcp)
        except PermissionError:
            sock.close()
            raise TorError(
                "This user may not use tor's control socket.",
                hint="Be in the group that it belongs to (Debian's: debian-tor), or use a ControlPort.",
            ) from None
        except OSError:
            sock.close()
            raise TorError(
                "Nothing takes commands where tor's control port should be.",
                hint="Look at ControlPort in its torrc, and whether tor runs.",
            ) from None
        return sock

    end = _socket.ControlSocketFile(address.path, False) if address.path else _socket.ControlPort(*address.tcp, False)
    end._make_socket = open_socket
    end.connect()
    return end


@contextlib.contextmanager
def _asking() -> Generator[None, None, None]:
    try:
        yield
    except _stem.SocketError:
        raise TorError(LOST) from None
    except (_stem.ControllerError, ValueError) as error:
        raise TorError(f"Tor did not do what it was asked: {error}.") from None


def _reachable(host: str) -> str:
    """A listener on every address is reached on loopback."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound


def _bootstrap(words: dict[str, str]) -> TorStatus:
    return bootstrapping(words.get("PROGRESS"), words.get("TAG"), words.get("WARNING"))


def _arguments(line: str) -> Iterator[tuple[str, str]]:
    """KEY=VALUE and KEY="VALUE WITH SPACES" of a status line."""
    rest: Any = _response.ControlLine(line)
    while not rest.is_empty():
        if rest.is_next_mapping(quoted=True):
            key, value = rest.pop_mapping(True)
        elif rest.is_next_mapping():
            key, value = rest.pop_mapping()
        else:
            rest.pop()
            continue
        yield str(key), str(value)


def _circuit(event: Any) -> Circuit:
    hops = tuple(str(nickname or fingerprint) for fingerprint, nickname in event.path)
    return Circuit(
        str(event.id),
        str(event.status),
        str(event.purpose or ""),
        hops,
        None if event.socks_username is None else str(event.socks_username),
        None if event.socks_password is None else str(event.socks_password),
    )
