"""Sockets to listen on, and TLS, with words for people where something is wrong."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
import stat
from ipaddress import ip_address

from mayfly.errors import ListenError
from mayfly_broker.options import Place, Tls

_REASONS = {
    errno.EADDRINUSE: ("another program uses it", "End that program, or choose another port with --listen."),
    errno.EACCES: ("this user may not", "Choose a port above 1023, or a path in a directory of your own."),
    errno.EADDRNOTAVAIL: ("this computer has no such address", "Name one that it has, or 0.0.0.0 for all."),
}

SPARE = 64
"""Descriptors for all that is not a connection."""


def listening(place: Place, backlog: int) -> socket.socket:
    """A socket that listens. Port 0 takes a free one, a dead socket file is replaced, no name is ever looked up.

    Raises ListenError.
    """
    if place.path is not None:
        return _unix(place, backlog)
    try:
        own = ip_address("127.0.0.1" if place.host.lower() == "localhost" else place.host)
    except ValueError:
        raise ListenError(
            f"cannot listen on {place.text}: that is a name, not an address of this computer",
            hint="Give an address, such as 127.0.0.1:8040.",
        ) from None
    family = socket.AF_INET if own.version == 4 else socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if own.is_unspecified else 1)
        sock.bind((str(own), place.port))
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise _error(place, error) from error
    return sock


def _unix(place: Place, backlog: int) -> socket.socket:
    path = str(place.path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear(path)
        sock.bind(path)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise _error(place, error) from error
    return sock


def _clear(path: str) -> None:
    """Remove a socket file that a broker left behind when it was killed; one that is served stays."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116 - a path that a socket takes is text
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)  # noqa: PTH108


def _error(place: Place, error: OSError) -> ListenError:
    reason, hint = _REASONS.get(error.errno or 0, (os.strerror(error.errno or 0).lower(), "Choose another place."))
    return ListenError(f"cannot listen on {place.text}: {reason}", hint=hint)


def address(sock: socket.socket, place: Place) -> str:
    """Where a socket listens, as people write it."""
    if place.path is not None:
        return place.text
    host, port = sock.getsockname()[:2]
    return Place(host, port).text


def tls_context(files: Tls) -> ssl.SSLContext:
    """TLS 1.2 or newer with that certificate. Raises ListenError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(files.cert, files.key, password=_no_password)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        missing = [str(path) for path in (files.cert, files.key) if not path.is_file()]
        reason = f"there is no file {missing[0]}" if missing else "the files do not fit each other or are not in PEM"
        if isinstance(error, PermissionError):
            reason = "this user may not read the files"
        raise ListenError(
            f"cannot serve TLS: {reason}",
            hint="--tls-cert takes the certificate with its chain, --tls-key its key without a password, both in PEM.",
        ) from None
    return context


def _no_password() -> str:
    raise ValueError("a key with a password")
