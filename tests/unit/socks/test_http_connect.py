"""Each test is a transcript: what the application says, what it hears, what the driver is told."""

from __future__ import annotations

import base64
from ipaddress import IPv4Address, IPv6Address

import pytest

from mayfly.errors import Reply
from mayfly.socks.events import Close, Command, Credentials, End, Event, Request, Send
from mayfly.socks.handshake import State
from mayfly.socks.http_connect import HttpConnect
from mayfly.socks.login import Login
from mayfly.wire.address import NOWHERE, Destination

PLAIN = b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"
PLAIN_REQUEST = Request(Command.CONNECT, Destination("example.com", 443))


def machine(auth: tuple[str, str] | None = None, limit: int = 8192) -> HttpConnect:
    return HttpConnect(Login(auth), limit)


def with_login(value: str) -> bytes:
    return PLAIN[:-2] + f"proxy-AUTHORIZATION:{value}\r\n\r\n".encode()


def basic(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def refusal(events: list[Event], status: str) -> tuple[list[str], str, End]:
    """Check the form of a refusal; give its fields, its body, and the reason."""
    send, close = events
    assert isinstance(send, Send)
    assert isinstance(close, Close)
    return *answer(send.data, status), close.why


def answer(data: bytes, status: str) -> tuple[list[str], str]:
    head, _, body = data.partition(b"\r\n\r\n")
    line, *fields = head.decode("ascii").split("\r\n")
    assert line == f"HTTP/1.1 {status}"
    assert f"Content-Length: {len(body)}" in fields
    assert "Connection: close" in fields
    return fields, body.decode("ascii")


def test_connect() -> None:
    http = machine()
    assert http.receive(PLAIN + b"\x16\x03") == [PLAIN_REQUEST]
    assert http.leftover == b"\x16\x03"
    assert http.reply(Reply.SUCCEEDED, NOWHERE) == b"HTTP/1.1 200 Connection established\r\n\r\n"
    assert http.state is State.ANSWERED


@pytest.mark.parametrize(
    "head",
    [
        b"CONNECT example.com:443 HTTP/1.0\r\n\r\n",
        b"CONNECT EXAMPLE.com:443 HTTP/1.1\nHost: other\n\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nEmpty:\r\nX-Text: \xc3\xa9\t \r\n\r\n",
    ],
)
def test_heads_that_are_fine(head: bytes) -> None:
    http = machine()
    assert http.receive(head) == [PLAIN_REQUEST]
    assert http.leftover == b""


@pytest.mark.parametrize(
    ("target", "destination"),
    [
        (b"192.0.2.7:80", Destination(IPv4Address("192.0.2.7"), 80)),
        (b"[2001:db8::7]:65535", Destination(IPv6Address("2001:db8::7"), 65535)),
    ],
)
def test_address_literals(target: bytes, destination: Destination) -> None:
    assert machine().receive(b"CONNECT " + target + b" HTTP/1.1\r\n\r\n") == [Request(Command.CONNECT, destination)]


@pytest.mark.parametrize(
    "target",
    [
        b"example.com",
        b"example.com:",
        b":80",
        b"a:0",
        b"a:65536",
        b"a:+1",
        b"::1:80",
        b"http://a:80/",
        b"[a.b]:80",
        b"a$b:80",
        b"[::1%lo]:80",
        b"[a]b:80",
        b"*",
    ],
)
def test_a_target_that_is_no_authority_is_refused(target: bytes) -> None:
    _, body, why = refusal(machine().receive(b"CONNECT " + target + b" HTTP/1.1\r\n\r\n"), "400 Bad Request")
    assert "HOST:PORT" in body
    assert why is End.ADDRESS


@pytest.mark.parametrize(
    "line",
    [
        b"SSH-2.0-OpenSSH_9.2",
        b"HELO me",
        b"CONNECT a:1",
        b"CONNECT  a:1 HTTP/1.1",
        b"CONNECT a:1 HTTP/2.0",
        b"A\0 b HTTP/1.1",
    ],
)
def test_what_is_not_http_is_told_so_at_its_first_line(line: bytes) -> None:
    _, body, why = refusal(machine().receive(line + b"\r\n"), "400 Bad Request")
    assert "not an HTTP/1.1 request" in body
    assert "SOCKS5" in body
    assert why is End.MALFORMED


@pytest.mark.parametrize(
    "fields",
    [
        b"no colon\r\n",
        b"Name : space\r\n",
        b"Folded: a\r\n b\r\n",
        b"Control: \x1b\r\n",
        b": nameless\r\n",
        b"Proxy-Authorization: Basic YTpi\r\nProxy-Authorization: Basic YTpi\r\n",
    ],
)
def test_malformed_fields_are_refused(fields: bytes) -> None:
    http = machine()
    events = http.receive(b"CONNECT a:1 HTTP/1.1\r\n" + fields + b"\r\n")
    assert refusal(events, "400 Bad Request")[2] is End.MALFORMED


@pytest.mark.parametrize("method", [b"GET", b"POST", b"connect", b"PRI"])
def test_other_methods_are_told_what_this_is_after_the_whole_head(method: bytes) -> None:
    http = machine()
    assert http.receive(method + b" http://a/ HTTP/1.1\r\nHost: a\r\n") == []
    fields, body, why = refusal(http.receive(b"\r\nbody"), "405 Method Not Allowed")
    assert "Allow: CONNECT" in fields
    assert "SOCKS5" in body
    assert "HTTP CONNECT" in body
    assert why is End.COMMAND


# Login, RFC 7617


def test_any_login_is_taken_and_told() -> None:
    request = Request(PLAIN_REQUEST.command, PLAIN_REQUEST.destination, Credentials(b"alice", b"a:b"))
    assert machine().receive(with_login(" bAsIc  " + basic("alice:a:b"))) == [request]


@pytest.mark.parametrize("value", ["Bearer abc", "Basic", "Basic !", "Basic YQ", "Basic " + basic("no colon"), ""])
def test_a_login_that_cannot_be_read_is_none(value: str) -> None:
    assert machine().receive(with_login(value)) == [PLAIN_REQUEST]
    events = machine(("a", "b")).receive(with_login(value))
    assert refusal(events, "407 Proxy Authentication Required")[2] is End.LOGIN


def test_the_required_login_opens() -> None:
    (event,) = machine(("zoë", "s:s")).receive(with_login("Basic " + basic("zoë:s:s")))
    assert isinstance(event, Request)


@pytest.mark.parametrize("head", [PLAIN, with_login("Basic " + basic("zoë:wrong"))])
def test_without_the_required_login_the_challenge_comes(head: bytes) -> None:
    fields, _, why = refusal(machine(("zoë", "s")).receive(head), "407 Proxy Authentication Required")
    assert any(field.startswith("Proxy-Authenticate: Basic realm=") for field in fields)
    assert why is End.LOGIN


# The relay's reasons


@pytest.mark.parametrize(
    ("reply", "status", "error"),
    [
        (Reply.GENERAL_FAILURE, "502 Bad Gateway", "proxy_internal_error"),
        (Reply.NOT_ALLOWED, "403 Forbidden", "destination_ip_prohibited"),
        (Reply.NETWORK_UNREACHABLE, "502 Bad Gateway", "destination_ip_unroutable"),
        (Reply.HOST_UNREACHABLE, "502 Bad Gateway", "destination_unavailable"),
        (Reply.CONNECTION_REFUSED, "502 Bad Gateway", "connection_refused"),
        (Reply.TTL_EXPIRED, "504 Gateway Timeout", "connection_timeout"),
        (Reply.COMMAND_NOT_SUPPORTED, "502 Bad Gateway", "proxy_internal_error"),
        (Reply.ADDRESS_TYPE_NOT_SUPPORTED, "502 Bad Gateway", "destination_ip_unroutable"),
    ],
)
def test_a_failure_has_its_status_and_its_proxy_status(reply: Reply, status: str, error: str) -> None:
    http = machine()
    http.receive(PLAIN)
    fields, body = answer(http.reply(reply, NOWHERE), status)
    assert f"Proxy-Status: mayfly; error={error}" in fields
    assert body.endswith(".\n")
    assert http.state is State.CLOSED


# Limits


@pytest.mark.parametrize("start", [b"CONNECT ", b"CONNECT a:1 HTTP/1.1\r\nX: "], ids=["line", "field"])
def test_an_endless_head_is_refused(start: bytes) -> None:
    http = machine(limit=100)
    assert http.receive(start + b"x" * (99 - len(start))) == []
    _, body, why = refusal(http.receive(b"x"), "400 Bad Request")
    assert "too long" in body
    assert why is End.TOO_LONG


def test_early_data_does_not_count_as_head() -> None:
    http = machine(limit=len(PLAIN))
    assert http.receive(PLAIN + b"x" * 10_000) == [PLAIN_REQUEST]
    assert len(http.leftover) == 10_000


def test_a_field_of_blanks_takes_no_time() -> None:
    # Blanks around a value invite a pattern that backtracks; the time limit of the test run would show it.
    events = machine().receive(b"CONNECT a:1 HTTP/1.1\r\nX:" + b" " * 8000 + b"\x01\r\n\r\n")
    assert refusal(events, "400 Bad Request")[2] is End.MALFORMED
