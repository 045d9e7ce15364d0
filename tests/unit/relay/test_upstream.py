"""What SOCKS calls the ways in which connect() fails."""

from __future__ import annotations

import errno

import pytest

from mayfly.errors import Reply
from mayfly_relay.upstream import connect_error


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), Reply.CONNECTION_REFUSED),
        (OSError(errno.ENETUNREACH, "x"), Reply.NETWORK_UNREACHABLE),
        (OSError(errno.EADDRNOTAVAIL, "x"), Reply.NETWORK_UNREACHABLE),
        (OSError(errno.EHOSTUNREACH, "x"), Reply.HOST_UNREACHABLE),
        (OSError(errno.ETIMEDOUT, "x"), Reply.TTL_EXPIRED),
        (TimeoutError(), Reply.TTL_EXPIRED),
        (PermissionError(errno.EPERM, "x"), Reply.NOT_ALLOWED),
        (OSError(errno.EMFILE, "x"), Reply.GENERAL_FAILURE),
        (OSError("Multiple exceptions: …"), Reply.HOST_UNREACHABLE),
        (RuntimeError("uvloop"), Reply.HOST_UNREACHABLE),
    ],
)
def test_replies(error: OSError | RuntimeError, reply: Reply) -> None:
    assert connect_error(error).reply is reply


def test_the_message_holds_no_address() -> None:
    error = connect_error(OSError(errno.ECONNREFUSED, "Connect call failed ('203.0.113.9', 443)"))
    assert "203.0.113.9" not in str(error)
