from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.tor.status import Backoff, OnionService, TorPhase, TorStatus, bootstrapping


@pytest.mark.parametrize(
    ("percent", "tag", "words"),
    [
        ("1", "conn_pt", "reaching the Tor network"),
        ("15", "handshake_done", "reaching the Tor network"),
        ("25", "requesting_status", "asking who is in the Tor network"),
        ("45", "requesting_descriptors", "learning about its relays"),
        ("75", "enough_dirinfo", "connecting to a first relay"),
        ("89", "ap_handshake", "connecting to a first relay"),
        ("95", "circuit_create", "building a way through it"),
        ("50", "something_new", "starting tor"),
    ],
)
def test_phases_in_words_for_people(percent: str, tag: str, words: str) -> None:
    assert bootstrapping(percent, tag) == TorStatus(TorPhase.BOOTSTRAPPING, int(percent), words)


def test_only_a_hundred_percent_is_ready() -> None:
    assert bootstrapping("100", "done").ready
    assert not bootstrapping("99", "done").ready
    assert not TorStatus().ready


def test_a_warning_is_kept() -> None:
    assert bootstrapping("10", "conn_done", "Connection refused").problem == "Connection refused"


def test_a_warning_of_one_word_is_put_into_words() -> None:
    assert bootstrapping("14", "handshake", "DONE").problem == "the other side closes connections"


@given(st.none() | st.text(max_size=10), st.none() | st.text(max_size=10))
def test_anything_else_counts_as_no_progress(progress: str | None, tag: str | None) -> None:
    status = bootstrapping(progress, tag)
    assert 0 <= status.percent <= 100
    assert status.ready == (status.percent == 100)


def test_waits_double_and_are_short_again_after_a_while() -> None:
    backoff = Backoff(first=1.0, longest=5.0, settled=60.0)
    assert [backoff.after(0.0) for _ in range(4)] == [1.0, 2.0, 4.0, 5.0]
    assert backoff.after(59.0) == 5.0
    assert backoff.after(60.0) == 1.0


def test_an_onion_service_shows_neither_key_nor_address() -> None:
    shown = repr(OnionService("abc.onion", 80, "127.0.0.1:1", "ED25519-V3:secret"))
    assert "abc" not in shown
    assert "secret" not in shown
