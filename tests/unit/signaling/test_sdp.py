"""sdp.py: what the engines write is read, and what is written they read (see also integration/test_sdp_aiortc.py)."""

from __future__ import annotations

import time
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import CodeError
from mayfly.signaling import rules
from mayfly.signaling.description import Candidate, CandidateType, Description, Kind, Setup
from mayfly.signaling.sdp import MAX_SDP, SdpError, from_sdp, to_sdp
from support.descriptions import MDNS, PRIVATE, PUBLIC, description, descriptions

PRINT = ":".join(f"{byte:02X}" for byte in range(32))
OTHER_PRINT = PRINT[::-1]

AIORTC = f"""v=0
o=- 3966837462 3966837462 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
a=msid-semantic:WMS *
m=application 37421 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 192.168.1.4
a=mid:0
a=sctp-port:5000
a=max-message-size:65536
a=candidate:7d9a28 1 udp 2130706431 192.168.1.4 37421 typ host
a=candidate:c1c3bb 1 udp 1694498815 203.0.113.7 37421 typ srflx raddr 192.168.1.4 rport 37421
a=end-of-candidates
a=ice-ufrag:x2Yb
a=ice-pwd:k3b1V9rA0a7Qz5nW8pLsTe
a=fingerprint:sha-256 {PRINT}
a=fingerprint:sha-384 {PRINT}:{PRINT[:47]}
a=fingerprint:sha-512 {PRINT}:{PRINT}
a=setup:actpass
"""

CHROMIUM = f"""v=0
o=- 7614219274584779017 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS
m=application 54321 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 203.0.113.7
a=candidate:1 1 udp 2113937151 0C6A2A52-7d3b-4c1c-8f2a-0d8c6f1e2b3a.local 54321 typ host generation 0 network-cost 999
a=candidate:2 1 udp 2113939711 2001:db8::9 50000 typ host generation 0 network-id 2 network-cost 10
a=candidate:3 1 tcp 1518280447 192.168.1.4 9 typ host tcptype active generation 0 network-id 1
a=candidate:4 1 UDP 1677729535 203.0.113.7 61234 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-cost 999
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=ice-options:trickle
a=fingerprint:sha-256 {PRINT}
a=setup:actpass
a=mid:0
a=sctp-port:5000
a=max-message-size:262144
"""

FIREFOX = f"""v=0
o=mozilla...THIS_IS_SDPARTA-99.0 4511226416542213 0 IN IP4 0.0.0.0
s=-
t=0 0
a=sendrecv
a=fingerprint:sha-256 {PRINT}
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=candidate:0 1 UDP 2122252543 192.168.1.4 50123 typ host
a=candidate:1 1 TCP 2105524479 192.168.1.4 9 typ host tcptype active
a=sendrecv
a=end-of-candidates
a=ice-pwd:0123456789abcdef0123456789abcdef
a=ice-ufrag:8c4d1b2f
a=mid:0
a=setup:active
a=sctp-port:5000
a=max-message-size:1073741823
"""


def read(text: str, kind: Kind = Kind.OFFER) -> Description:
    return from_sdp(text.replace("\n", "\r\n"), kind)


@given(descriptions(unique=True))
def test_round_trip(original: Description) -> None:
    back = from_sdp(to_sdp(original), original.kind)
    assert replace(back, candidates=()) == replace(original, candidates=())
    # They come back by priority: host, then what STUN saw, then relayed, each type in its order.
    order = list(CandidateType)
    assert back.candidates == tuple(sorted(original.candidates, key=lambda candidate: order.index(candidate.type)))


def test_what_is_written() -> None:
    six = Candidate(CandidateType.RELAYED, IPv6Address("2001:db8::7"), 3478)
    assert to_sdp(description(Kind.OFFER, PRIVATE, PUBLIC, six, MDNS)).split("\r\n") == [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=msid-semantic: WMS",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=candidate:1 1 udp 2130706431 192.168.1.4 50123 typ host",
        "a=candidate:2 1 udp 1694498559 203.0.113.7 61234 typ srflx raddr 0.0.0.0 rport 9",
        "a=candidate:3 1 udp 16776703 2001:db8::7 3478 typ relay raddr :: rport 9",
        "a=candidate:4 1 udp 2130705663 0c6a2a52-7d3b-4c1c-8f2a-0d8c6f1e2b3a.local 54321 typ host",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:QRSTUVWXYZ0123456789+/",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {PRINT}",
        "a=setup:actpass",
        "a=mid:0",
        "a=sctp-port:5000",
        "a=max-message-size:262144",
        "",
    ]


@pytest.mark.parametrize("kind", Kind)
def test_more_candidates_may_come(kind: Kind) -> None:
    text = to_sdp(description(kind))
    assert "end-of-candidates" not in text
    assert "a=ice-options:trickle\r\n" in text


def test_nothing_is_written_of_what_breaks_a_rule() -> None:
    with pytest.raises(ValueError, match="user fragment"):
        to_sdp(replace(description(), ufrag="x\r\na=evil"))


def test_aiortc() -> None:
    assert read(AIORTC) == Description(
        Kind.OFFER,
        Setup.ACTPASS,
        bytes(range(32)),
        "x2Yb",
        "k3b1V9rA0a7Qz5nW8pLsTe",
        (replace(PRIVATE, port=37421), replace(PUBLIC, port=37421)),
    )


def test_chromium() -> None:
    six = Candidate(CandidateType.HOST, IPv6Address("2001:db8::9"), 50000)
    shown = read(CHROMIUM)
    assert (shown.ufrag, shown.password) == ("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1")
    assert shown.candidates == (six, MDNS, PUBLIC)  # by priority; the name in lower case; no TCP


def test_firefox_answer_with_the_fingerprint_in_the_session() -> None:
    shown = read(FIREFOX, Kind.ANSWER)
    assert shown.setup is Setup.ACTIVE
    assert shown.fingerprint == bytes(range(32))
    assert shown.candidates == (PRIVATE,)


def test_all_of_it_in_the_session() -> None:
    lines = CHROMIUM.splitlines()
    moved = [line for line in lines if line.startswith(("a=ice-", "a=fingerprint", "a=setup"))]
    rest = [line for line in lines if line not in moved]
    cut = next(index for index, line in enumerate(rest) if line.startswith("m="))
    assert read("\n".join([*rest[:cut], *moved, *rest[cut:]])) == read(CHROMIUM)


def test_the_media_section_counts_before_the_session() -> None:
    session = f"t=0 0\na=fingerprint:sha-256 {OTHER_PRINT}\na=ice-ufrag:wrong\na=ice-pwd:wrong\na=setup:passive\n"
    assert read(CHROMIUM.replace("t=0 0\n", session)) == read(CHROMIUM)


def test_other_media_sections_do_not_count() -> None:
    audio = "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:7\na=ice-ufrag:audio\na=setup:passive\n"
    assert read(CHROMIUM.replace("m=application", audio + "m=application") + audio) == read(CHROMIUM)


def test_bare_line_feeds_and_blanks() -> None:
    assert from_sdp(AIORTC.replace("\n", "  \n"), Kind.OFFER) == read(AIORTC)


@pytest.mark.parametrize(
    "line",
    [
        "1 2 udp 1 192.168.1.9 5000 typ host",  # the RTCP component
        "1 1 udp 1 192.168.1.9 0 typ host",
        "1 1 udp 1 192.168.1.9 65536 typ host",
        "1 1 udp 1 192.168.1.9 5000 typ prflx raddr 0.0.0.0 rport 0",
        "1 1 udp 1 host.example 5000 typ host",
        "1 1 udp 1 a.b.local 5000 typ host",
        "1 1 udp 1 fe80::1%eth0 5000 typ host",
        "1 1 udp 1 0.0.0.0 5000 typ host",
        "1 1 udp 99999999999 192.168.1.9 5000 typ host",
        "1 1 udp 1 192.168.1.\u0669 5000 typ host",
        "1 1 tcp 1 192.168.1.9 5000 typ host tcptype passive",
        "1 1 udp",
        "",
    ],
)
def test_candidates_that_are_left_out(line: str) -> None:
    assert read(CHROMIUM + f"a=candidate:{line}\n") == read(CHROMIUM)


def test_no_candidates() -> None:
    text = "\n".join(line for line in CHROMIUM.splitlines() if "candidate" not in line)
    assert read(text).candidates == ()


def test_best_of_too_many_candidates() -> None:
    more = "".join(f"a=candidate:1 1 udp {2**31 - n} 10.0.0.{n} 5000 typ host\n" for n in range(1, 40))
    shown = read(AIORTC + more)
    assert len(shown.candidates) == rules.MAX_CANDIDATES
    assert shown.candidates[0].address == IPv4Address("10.0.0.1")
    assert replace(PUBLIC, port=37421) in shown.candidates


def test_candidates_are_not_doubled() -> None:
    line = next(line for line in AIORTC.splitlines() if "typ host" in line)
    assert read(AIORTC + line) == read(AIORTC)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("m=application", "m=audio", "no data channel"),
        ("m=application 54321", "m=application 0", "refuses"),
        ("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000", "no data channel"),
        ("a=mid:0", "a=mid:data", "a=mid"),
        ("a=sctp-port:5000", "a=sctp-port:5001", "sctp-port"),
        ("a=setup:actpass", "a=setup:holdconn", "DTLS role"),
        ("a=setup:actpass\n", "", "DTLS role"),
        ("sha-256", "sha-1", "no SHA-256"),
        (PRINT, PRINT[:-3], "no SHA-256"),
        ("a=setup", f"a=fingerprint:sha-256 {OTHER_PRINT}\na=setup", "several certificates"),
        ("a=ice-ufrag:EsAw", "a=ice-ufrag:Es_w", "user fragment"),
        ("a=ice-ufrag:EsAw\n", "", "user fragment"),
        ("P2uYro0UCOQ4zxjKXaWCBui1", "short", "password"),
    ],
)
def test_what_cannot_be_used(old: str, new: str, words: str) -> None:
    assert old in CHROMIUM
    with pytest.raises(SdpError, match=words) as caught:
        read(CHROMIUM.replace(old, new))
    assert "203.0.113.7" not in caught.value.message


def test_an_answer_must_choose_its_role() -> None:
    with pytest.raises(SdpError, match="DTLS role"):
        read(CHROMIUM, Kind.ANSWER)


def test_bundle_only_port_is_no_refusal() -> None:
    text = CHROMIUM.replace("m=application 54321", "m=application 0").replace("a=mid:0", "a=bundle-only\na=mid:0")
    assert read(text) == read(CHROMIUM)


@pytest.mark.parametrize(
    "unit", ["x", "\n", "m=", "a=candidate:1 1 udp ", "a=candidate:" + " 1" * 30 + "\n", "m=application "]
)
def test_size_is_bounded(unit: str) -> None:
    begin = time.process_time()
    with pytest.raises(SdpError, match="too long"):
        from_sdp(unit * 1_000_000, Kind.OFFER)
    with pytest.raises(SdpError):
        from_sdp((unit * MAX_SDP)[:MAX_SDP], Kind.OFFER)
    with pytest.raises(SdpError):
        from_sdp("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n" + (unit * MAX_SDP)[:60_000], Kind.OFFER)
    assert time.process_time() - begin < 2


_lines = st.sampled_from(sorted({*AIORTC.splitlines(), *CHROMIUM.splitlines(), *FIREFOX.splitlines()}))


def _thinned(text: str, gone: list[int]) -> str:
    lines = text.splitlines()
    return "\n".join(line for index, line in enumerate(lines) if index not in {each % len(lines) for each in gone})


@given(
    st.text()
    | st.lists(_lines | st.text(max_size=40), max_size=40).map("\n".join)
    | st.builds(_thinned, st.sampled_from([AIORTC, CHROMIUM, FIREFOX]), st.lists(st.integers(0, 99), max_size=3)),
    st.sampled_from(Kind),
)
def test_any_text(text: str, kind: Kind) -> None:
    try:
        shown = from_sdp(text, kind)
    except SdpError as error:
        assert isinstance(error, CodeError)
        return
    rules.check(shown)


@given(st.sampled_from([AIORTC, CHROMIUM, FIREFOX]), st.data())
def test_any_damage_to_a_real_one(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 50)))
    damaged = text[:begin] + data.draw(st.text(max_size=20)) + text[end:]
    try:
        shown = read(damaged, Kind.ANSWER if text is FIREFOX else Kind.OFFER)
    except SdpError:
        return
    rules.check(shown)
