"""What people read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mayfly.runtime.events import (
    EVENTS,
    Closed,
    CodeReady,
    Connected,
    Draining,
    Failed,
    Inspected,
    Joined,
    Leaving,
    Listening,
    MessageReceived,
    Offered,
    Warned,
    Words,
)
from unit.cli import samples
from unit.cli.played import Listener

WORDS = ("alpha", "bravo", "charlie", "delta", "echo")
EVIL = "\x1b[2J\u202e[bold]x[/bold]\n:boom:"


def reader(program: str = "relay", *, width: int = 80, terminal: bool = False, **more: bool) -> Listener:
    """Somebody who reads ten minutes before the codes of the samples expire."""
    return Listener(program, width=width, terminal=terminal, now=lambda: samples.FAR - 600, **more)


def code_ready(kind: str = "offer") -> CodeReady:
    code = samples.offer() if kind == "offer" else samples.answer()
    return CodeReady(kind, code.text, code.expires, ("192.168.1.4 (host)",), code.description.setup.value)


def test_an_offer_is_shown_with_all_that_a_volunteer_needs() -> None:
    screen = reader()
    screen.people.report(code_ready())
    assert "good for 10 minutes, until " in screen.out
    assert "  192.168.1.4 (local network)" in screen.out
    assert "  203.0.113.7 (public, as a STUN server saw it)" in screen.out
    assert "mayfly client" in screen.out


@pytest.mark.parametrize(("left", "words"), [(179, "2 minutes"), (102, "1 minute"), (59, "59 seconds")])
def test_no_more_time_is_promised_than_there_is(left: int, words: str) -> None:
    screen = reader()
    screen.people.report(replace(code_ready(), expires=samples.FAR - 600 + left))
    assert f"It is good for {words}, until " in screen.out


def test_before_a_bridge_it_is_somebody_s_tor_that_the_code_is_for() -> None:
    screen = reader(bridge=True, width=300)
    screen.people.report(code_ready())
    screen.people.report(CodeReady("short", "7-copper-tulip", samples.FAR, (), ""))
    assert "pt_state of your tor's data" in screen.out
    assert "  broker=… meet=7-copper-tulip\n" in screen.out
    assert "mayfly client" not in screen.out


def test_a_client_s_offer_says_what_the_relay_has_to_run() -> None:
    screen = reader("client")
    screen.people.report(code_ready())
    assert "mayfly relay -" in screen.out


def test_an_answer_is_to_be_sent_back() -> None:
    screen = reader("client")
    screen.people.report(code_ready("answer"))
    assert "Your answer:" in screen.out
    assert "Send it back" in screen.out


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("width", [20, 80, 300])
def test_the_code_stands_alone_on_one_unbroken_line(width: int, terminal: bool) -> None:
    screen = reader(width=width, terminal=terminal)
    screen.people.report(code_ready())
    assert samples.offer().text in [line.rstrip() for line in screen.out.splitlines()]


def test_a_qr_code_is_for_terminals_that_are_wide_enough() -> None:
    wide, narrow, file = reader(terminal=True), reader(terminal=True, width=30), reader()
    for screen in (wide, narrow, file):
        screen.people.report(code_ready())
    assert "\u2588" in wide.out
    assert "too narrow" in narrow.out
    assert "\u2588" not in narrow.out + file.out


def test_words_are_shown_to_be_compared() -> None:
    screen = reader()
    screen.people.report(Words(WORDS))
    assert "Verification words: alpha bravo charlie delta echo" in screen.out


def test_no_word_to_be_compared_is_cut_at_the_edge_of_a_phone() -> None:
    words = ("island", "wagon", "lemon", "tornado", "network")
    screen = reader(width=40, terminal=True)
    screen.people.report(Words(words))
    shown = screen.out.split()
    assert [word for word in words if word not in shown] == []


def test_how_to_compare_words_is_said_once_for_each_set() -> None:
    screen = reader()
    screen.people.report(Words(WORDS))
    screen.people.report(Connected(1, "relay", WORDS, "host", "host", None))
    assert (screen.out.count("Verification words"), screen.out.count("Compare them")) == (2, 1)
    screen.people.report(Words(WORDS[::-1]))
    assert (screen.out.count("Verification words"), screen.out.count("Compare them")) == (3, 2)


def test_strangers_are_told_that_words_prove_nothing() -> None:
    screen = reader("client", strangers=True)
    screen.people.report(Connected(1, "relay", WORDS, "host", "host", None))
    assert "Verification words: alpha" in screen.out
    assert "Between strangers they prove nothing" in screen.out
    assert "Compare them with the other side" not in screen.out


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("reject 25,465,587,2525", "every port but 25, 465, 587, 2525."),
        ("reject *", "no port."),
        ("accept 80,443,6000-6007; other rules apply", "these ports alone: 80, 443, 6000-6007 (other rules apply)."),
        ("accept *; other rules apply", "every port (other rules apply)."),
        ("whatever\x1b[2J I like", "this: whatever\\x1b[2J I like."),
    ],
)
def test_the_exit_policy_in_words(policy: str, words: str) -> None:
    screen = reader("client", width=200)
    screen.people.report(Connected(1, "relay", WORDS, "host", "host", None, policy, None))
    assert f"The relay says that it serves {words}\n" in screen.out


def test_whoever_is_connected_is_told_of_by_way_and_words() -> None:
    screen = reader("client", width=200)
    screen.people.report(Connected(1, "relay", WORDS, "srflx", "host", 12.3, "accept *", 3540))
    way = "directly, through address translation on this side"
    assert f"Connected to the relay: {way}, round trip 12 ms." in screen.out
    assert "Verification words: alpha" in screen.out
    assert "The relay says that it serves every port.\n" in screen.out
    assert "stays for 59 minutes" in screen.out


def test_clients_are_counted_and_an_unmeasured_round_trip_is_left_out() -> None:
    screen = reader()
    screen.people.report(Connected(2, "client", WORDS, "host", "host", None))
    assert "Connected to client 2: " in screen.out
    assert "round trip" not in screen.out
    assert "serves" not in screen.out


@pytest.mark.parametrize(("login", "extra"), [(False, ""), (True, " --proxy-user USER:PASSWORD")])
def test_the_proxy_s_address_comes_with_a_curl_line(login: bool, extra: str) -> None:
    screen = reader("client", width=40, login=login)
    screen.people.report(Listening("socks5", "127.0.0.1:1080"))
    lines = screen.out.splitlines()
    assert lines == [
        "SOCKS5 on 127.0.0.1:1080",
        f"Try: curl --proxy socks5h://127.0.0.1:1080{extra} https://example.com/",
    ]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("chat", "mayfly chat -"),
        ("send", "Run `mayfly receive` on"),
        ("receive", "mayfly send --code - PATH"),
    ],
)
def test_other_offers_say_what_the_other_side_has_to_run(program: str, words: str) -> None:
    screen = reader(program)
    screen.people.report(code_ready())
    assert words in screen.out
    screen.people.report(Connected(1, "peer", WORDS, "host", "host", None))
    assert "Connected to the other side: " in screen.out


def test_remarks() -> None:
    screen = reader()
    screen.people.hint("a remark")
    assert screen.out == "a remark\n"


def test_a_broker_says_where_it_listens_and_speaks_of_matches() -> None:
    screen = reader("broker")
    screen.people.report(Listening("https", "127.0.0.1:8040"))
    screen.people.report(Draining(2, 10))
    assert "The broker listens on 127.0.0.1:8040" in screen.out
    assert "curl" not in screen.out
    assert "2 matches are still open" in screen.out


def test_of_a_peer_that_leaves_with_nothing_under_way_only_the_end_is_told() -> None:
    screen = reader("send", width=200)
    screen.people.report(Leaving(1, 30, ""))
    screen.people.report(Closed(1, "the other side has left"))
    assert screen.out.strip() == "The link to the other side has ended: the other side has left."


def test_leaving_in_all_its_forms() -> None:
    screen = reader("client", width=200)
    for event in (
        Leaving(1, 30, "time is up"),
        Draining(1, 30),
        Draining(3, 30),
        Draining(0, 30),
        Closed(1, "drained"),
    ):
        screen.people.report(event)
    assert "The relay is leaving (time is up): nothing new starts, and what is open has 30 seconds" in screen.out
    assert "1 connection is still open, with 30 seconds" in screen.out
    assert "3 connections are still open" in screen.out
    assert "Leaving; nothing is open." in screen.out
    assert "The link to the relay has ended: drained." in screen.out


def test_trouble_goes_to_standard_error_in_two_lines() -> None:
    screen = reader(width=20)
    screen.people.report(Failed("connect", "The two ends never met.", "Try another network."))
    screen.people.report(Warned("code", "It is mistyped."))
    assert screen.err.splitlines() == [
        "error (connect): The two ends never met.",
        "Next: Try another network.",
        "warning (code): It is mistyped.",
    ]
    assert screen.out == ""


@pytest.mark.parametrize(("expired", "words"), [(False, "It is good for 10 minutes, until 2033-05-18 03:34 UTC.")])
def test_an_inspected_code(expired: bool, words: str) -> None:
    screen = reader()
    screen.people.report(Inspected("offer", samples.FAR, expired, ("192.168.1.4 (local network)",), "actpass"))
    assert "This is an offer." in screen.out
    assert words in screen.out
    assert "  192.168.1.4 (local network)" in screen.out
    assert "The encryption is begun by either side (DTLS role actpass)." in screen.out


def test_an_inspected_code_that_has_expired_and_discloses_nothing() -> None:
    screen = reader()
    screen.people.report(Inspected("answer", samples.FAR - 3600, True, (), "passive"))
    assert "It expired 50 minutes ago (2033-05-18 02:34 UTC)." in screen.out
    assert "It gives away no address." in screen.out


@pytest.mark.parametrize(
    "event",
    [
        Connected(1, "relay", WORDS, "host", "host", 100.0, EVIL, None),
        Leaving(1, 1.0, EVIL),
        Closed(1, EVIL),
        Failed("link", EVIL, EVIL),
        Warned("link", EVIL, EVIL),
        Inspected("offer", samples.FAR, False, (EVIL,), "actpass"),
        MessageReceived(EVIL, None, EVIL, 0, "x"),
        Joined(EVIL),
        Offered("ab", 1, EVIL, "files", EVIL, 1, 1),
    ],
)
def test_foreign_text_reaches_the_terminal_escaped(event: Closed) -> None:
    screen = reader(width=300, terminal=True)
    screen.people.report(event)
    shown = screen.out + screen.err
    assert "\\x1b[2J\\u202e[bold]x[/bold]\\n:boom:" in shown
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_every_event_can_be_told() -> None:
    told = reader().people._tell
    assert set(told) == set(EVENTS)


def test_a_terminal_that_has_gone_does_not_end_the_program() -> None:
    screen = reader()
    screen._out.close()
    screen.people.report(Words(WORDS))
    screen.people.prompt("Still there?")
    assert screen.people.output.gone
