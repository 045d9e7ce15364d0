"""Batches of DTLS records against OpenSSL itself: nothing lost, doubled or changed, whatever else arrives."""

from __future__ import annotations

import contextlib
import os
import time
from random import Random
from typing import Any

import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES, RTCCertificate
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from mayfly.transport.aiortc import records as module
from mayfly.transport.aiortc.endpoint import MAX_RUN, MAX_SEGMENTS
from mayfly.transport.aiortc.records import MAX_OVERHEAD, MAX_PACKET, Records

HEAD = 13
ALERT = 21


class Side:
    """One end of a DTLS connection without a network."""

    def __init__(self, *, client: bool) -> None:
        certificate = RTCCertificate.generateCertificate()
        self.ssl = SSL.Connection(certificate._create_ssl_context(srtp_profiles=SRTP_PROFILES))
        if client:
            self.ssl.set_connect_state()
        else:
            self.ssl.set_accept_state()
        self.records = Records(self.ssl)
        self.packets: list[bytes] = []

    def seal(self, *packets: bytes) -> list[tuple[bytes, int]]:
        """Runs, copied."""
        return [(bytes(run), segment) for run, segment in self.records.seal(packets)]

    def datagrams(self, *packets: bytes) -> list[bytes]:
        return [run[at : at + segment] for run, segment in self.seal(*packets) for at in range(0, len(run), segment)]

    def hear(self, *datagrams: bytes) -> list[bytes]:
        """The packets in these datagrams."""
        self.packets.clear()
        for datagram in datagrams:
            self.records.open(memoryview(datagram), len(datagram), self.packets)
        return list(self.packets)

    def hear_run(self, run: bytes, segment: int) -> list[bytes]:
        self.packets.clear()
        self.records.open(memoryview(run), segment, self.packets)
        return list(self.packets)


def step(near: Side, far: Side) -> list[bytes]:
    """One side's turn in the handshake. Gives what it said."""
    with contextlib.suppress(SSL.WantReadError):
        near.ssl.do_handshake()
    flight = near.records.take_flight()
    for datagram in flight:
        far.ssl.bio_write(datagram)
    return flight


def connected() -> tuple[Side, Side]:
    client, server = Side(client=True), Side(client=False)
    for _ in range(3):
        step(client, server)
        step(server, client)
    return client, server


CLIENT, SERVER = connected()
"""For tests that leave the connection as they found it: a handshake takes longer than most of them."""

sizes = st.lists(st.integers(1, 2000) | st.sampled_from([1200, MAX_PACKET]), max_size=80)


@settings(deadline=None, max_examples=60)
@given(sizes, st.integers(0, 1 << 32))
def test_batches_come_out_as_they_went_in(lengths: list[int], seed: int) -> None:
    random = Random(seed)
    packets = [random.randbytes(length) for length in lengths]
    heard: list[bytes] = []
    for run, segment in CLIENT.seal(*packets):
        count = -(-len(run) // segment)
        assert count == 1 or (count <= MAX_SEGMENTS and len(run) <= MAX_RUN)
        assert segment <= MAX_PACKET + MAX_OVERHEAD
        heard += SERVER.hear_run(run, segment)
    assert heard == packets
    assert not SERVER.records.answering and not SERVER.records.ended


def test_equal_packets_and_a_shorter_one_are_one_run() -> None:
    equal = [bytes(1200)] * 10
    assert [(len(run) - 10 * segment > 0, segment) for run, segment in CLIENT.seal(*equal, b"end")] == [
        (True, 1200 + 37),
    ]
    assert len(CLIENT.seal(*equal, b"longer" * 1000)) == 2
    assert len(CLIENT.seal(b"short", *equal)) == 2
    assert len(CLIENT.seal(*[bytes(500)] * 100)) == 2
    assert len(CLIENT.seal(*[bytes(MAX_PACKET)] * 4)) == 2
    assert CLIENT.seal() == []


noise = st.binary(max_size=60) | st.tuples(
    st.sampled_from([b"\x14", b"\x15", b"\x16", b"\x17", b"\x18", b"\x19", b"\x2c", b"\x3f"]),
    st.sampled_from([b"\xfe\xfd", b"\xfe\xff", b"\x03\x03"]),
    st.binary(min_size=8, max_size=8),
    st.binary(max_size=80),
).map(b"".join)


@settings(deadline=None, max_examples=150)
@given(st.lists(noise, max_size=6), st.lists(st.integers(1, 1500), min_size=1, max_size=40), st.data())
def test_a_hostile_network_takes_nothing_away(junk: list[bytes], lengths: list[int], data: st.DataObject) -> None:
    """Noise, copies, changed records and another order: what was not changed arrives, once and whole."""
    packets = [os.urandom(length) for length in lengths]
    sent = CLIENT.datagrams(*packets)
    broken = data.draw(st.sets(st.integers(0, len(sent) - 1), max_size=3))
    arriving = [d if n not in broken else d[:-1] + bytes([d[-1] ^ 1]) for n, d in enumerate(sent)]
    arriving += [sent[n] for n in data.draw(st.lists(st.integers(0, len(sent) - 1), max_size=3)) if n not in broken]
    heard = SERVER.hear(*data.draw(st.permutations([*arriving, *(piece for piece in junk if piece)])))
    assert sorted(heard) == sorted(packet for number, packet in enumerate(packets) if number not in broken)
    assert not SERVER.records.ended
    SERVER.records.take_flight()


@settings(deadline=None, max_examples=100)
@given(st.binary(min_size=1, max_size=4000), st.integers(1, 4000))
def test_a_run_of_anything_is_survived(run: bytes, segment: int) -> None:
    assert SERVER.hear_run(run, segment) == []
    assert SERVER.hear(*CLIENT.datagrams(b"and after it")) == [b"and after it"]
    SERVER.records.take_flight()


def test_one_bad_record_in_a_run_costs_only_itself() -> None:
    ((run, segment),) = CLIENT.seal(*[bytes([n]) * 1000 for n in range(20)])
    spoilt = bytearray(run)
    spoilt[5 * segment + 500] ^= 1
    spoilt[9 * segment] = 0x80
    spoilt[13 * segment + 12] ^= 1
    expected = [bytes([n]) * 1000 for n in range(20) if n not in (5, 9, 13)]
    assert SERVER.hear_run(bytes(spoilt), segment) == expected
    SERVER.records.take_flight()


def test_several_records_in_one_datagram() -> None:
    """RFC 6347 §4.1.1 allows it, and other stacks may do it."""
    assert SERVER.hear(b"".join(CLIENT.datagrams(b"one", b"two", bytes(100)))) == [b"one", b"two", bytes(100)]
    SERVER.records.take_flight()


def test_what_others_left_in_the_error_queue_is_not_ours() -> None:
    datagrams = CLIENT.datagrams(b"x")
    SSL._lib.SSL_CTX_use_certificate_file(SERVER.ssl._context._context, b"/nowhere", 1)  # type: ignore[attr-defined]
    assert SERVER.hear(b"\x16noise", *datagrams) == [b"x"]
    assert not SERVER.records.ended
    SERVER.records.take_flight()


@pytest.mark.parametrize("closer", [0, 1])
def test_close_notify_ends_it(closer: int) -> None:
    ends = connected()
    near, far = ends[closer], ends[1 - closer]
    last = near.datagrams(b"last words")
    near.ssl.shutdown()
    (alert,) = near.records.take_flight()
    assert far.hear(*last, alert) == [b"last words"]
    assert far.records.ended
    assert far.hear(*near.records.take_flight()) == []


def test_nothing_can_be_sealed_after_the_end() -> None:
    near, _ = connected()
    near.ssl.shutdown()
    near.records.take_flight()
    with pytest.raises(ConnectionError):
        near.seal(b"too late")


class Careless:
    """OpenSSL's interface, but for the options that a connection gets."""

    def __getattr__(self, name: str) -> Any:
        return (lambda _ssl, _options: 0) if name == "SSL_set_options" else getattr(SSL._lib, name)  # type: ignore[attr-defined]


@pytest.mark.parametrize("client_asks", [True, False])
def test_negotiating_anew_is_refused_and_nothing_else_happens(
    client_asks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "_lib", Careless())
        asker = Side(client=client_asks)
    ours = Side(client=not client_asks)
    client, server = (asker, ours) if client_asks else (ours, asker)
    for _ in range(3):
        step(client, server)
        step(server, client)
    asker.ssl.renegotiate()
    with contextlib.suppress(SSL.WantReadError):
        asker.ssl.do_handshake()
    asked = asker.records.take_flight()
    assert asked, "this OpenSSL asks for nothing, so the test shows nothing"
    assert ours.hear(*asked) == []
    assert ours.records.answering and not ours.records.ended
    (refusal,) = ours.records.take_flight()
    assert refusal[0] == ALERT
    assert len(ours.seal(b"still here")) == 1


def test_a_late_flight_of_the_handshake_is_answered() -> None:
    """The server's last flight was lost: the client repeats its own, and the server must too (RFC 6347 §4.2.4).

    OpenSSL has a clock of its own, and repeats a flight after a second.
    """
    client, server = Side(client=True), Side(client=False)
    step(client, server)
    step(server, client)
    step(client, server)
    server.ssl.do_handshake()
    assert server.records.take_flight(), "the flight that is lost"
    while (left := client.ssl.DTLSv1_get_timeout()) != 0:
        time.sleep(left or 0)
    client.ssl.DTLSv1_handle_timeout()
    assert server.hear(*client.records.take_flight()) == []
    assert server.records.answering
    for datagram in server.records.take_flight():
        client.ssl.bio_write(datagram)
    client.ssl.do_handshake()


def test_data_that_overtook_the_end_of_the_handshake_is_kept() -> None:
    client, server = Side(client=True), Side(client=False)
    for _ in range(2):
        step(client, server)
        step(server, client)
    step(client, server)
    ((run, _),) = client.seal(b"early")
    server.ssl.bio_write(run)
    heard: list[bytes] = []
    server.records.drain(heard)
    assert heard == [b"early"]


def test_flights_are_datagrams_of_whole_records() -> None:
    client, server = Side(client=True), Side(client=False)
    seen: list[bytes] = []
    for _ in range(2):
        seen += step(client, server)
        seen += step(server, client)
    assert len(seen) >= 4 and all(len(datagram) <= 1200 for datagram in seen)
    for datagram in seen:
        at = 0
        while at < len(datagram):
            at += HEAD + int.from_bytes(datagram[at + 11 : at + HEAD], "big")
        assert at == len(datagram)


def test_long_flights_are_cut_between_records() -> None:
    packets = [bytes(500)] * 5
    for packet in packets:
        CLIENT.ssl.send(packet)
    flight = CLIENT.records.take_flight()
    assert [len(datagram) for datagram in flight] == [2 * 537, 2 * 537, 537]
    assert SERVER.hear(*flight) == packets
    assert CLIENT.records.take_flight() == []
