"""`mayfly code inspect`."""

from __future__ import annotations

import json
import socket

import pytest

from mayfly_cli.code import examine
from unit.cli import samples
from unit.cli.conftest import Command, Typing

OFFER = samples.offer()


def test_people_read_words(mayfly: Command) -> None:
    result = mayfly("code", "inspect", OFFER.text)
    assert result.exit_code == 0
    assert "This is an offer." in result.stdout
    assert "until 2033-05-18 03:34 UTC" in result.stdout
    assert "192.168.1.4 (local network)" in result.stdout
    assert "203.0.113.7 (public, as a STUN server saw it)" in result.stdout
    assert "DTLS role actpass" in result.stdout


def test_nothing_is_connected_to(mayfly: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_more: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert mayfly("code", "inspect", OFFER.text).exit_code == 0


def test_machines_read_one_event(mayfly: Command) -> None:
    result = mayfly("code", "inspect", samples.answer().text.upper(), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "event": "inspected",
        "kind": "answer",
        "expires": samples.FAR,
        "expired": False,
        "discloses": ["192.168.1.4 (host)"],
        "role": "active",
    }


def test_an_expired_code_is_shown_and_said_to_be_expired(mayfly: Command) -> None:
    result = mayfly("code", "inspect", samples.offer(samples.PAST).text)
    assert result.exit_code == 0
    assert "It expired" in result.stdout
    assert "2024-07-03 09:47 UTC" in result.stdout


@pytest.mark.parametrize("arguments", [(), ("-",)])
@pytest.mark.parametrize("code", [OFFER, samples.answer()])
def test_the_code_may_come_on_standard_input(
    mayfly: Command, type_in: Typing, arguments: tuple[str, ...], code: object
) -> None:
    text = code.text  # type: ignore[attr-defined]
    type_in(f"my friend writes:\n{text[:50]}\n{text[50:]}\n")
    result = mayfly("code", "inspect", *arguments)
    assert result.exit_code == 0
    assert "This is an" in result.stdout


def test_a_line_of_machines(mayfly: Command, type_in: Typing) -> None:
    type_in(f"prose {OFFER.text} prose\n")
    result = mayfly("code", "inspect", "--json")
    assert json.loads(result.stdout)["kind"] == "offer"


@pytest.mark.parametrize("text", ["nothing here", "mf1qqqqqq", OFFER.text[:-2]])
def test_what_is_no_code(mayfly: Command, text: str) -> None:
    result = mayfly("code", "inspect", text)
    assert result.exit_code == 3
    assert "error (code): " in result.stderr
    assert result.stdout == ""
    result = mayfly("code", "inspect", text, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["stage"] == "code"
    assert result.stderr == ""


def test_an_ended_input(mayfly: Command, type_in: Typing) -> None:
    type_in("")
    assert mayfly("code", "inspect", "--json").exit_code == 3


def test_the_moment_of_expiry_is_over() -> None:
    assert examine(OFFER.text, now=OFFER.expires, in_words=True).expired
    assert not examine(OFFER.text, now=OFFER.expires - 1, in_words=True).expired
