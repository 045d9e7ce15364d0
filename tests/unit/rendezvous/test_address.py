"""Brokers' URLs."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.rendezvous.address import parse
from support.spoilt import spoilt_text


@pytest.mark.parametrize(
    ("text", "url", "host"),
    [
        ("https://broker.example", "https://broker.example", "broker.example"),
        (" https://broker.example:8443/meet/ ", "https://broker.example:8443/meet", "broker.example:8443"),
        ("http://127.0.0.1:8040", "http://127.0.0.1:8040", "127.0.0.1:8040"),
        ("http://[::1]:8040/", "http://[::1]:8040", "[::1]:8040"),
        ("http://localhost", "http://localhost", "localhost"),
        ("http://abc.onion", "http://abc.onion", "abc.onion"),
    ],
)
def test_what_is_taken(text: str, url: str, host: str) -> None:
    address = parse(text)
    assert (address.url, address.host) == (url, host)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "broker.example",
        "ftp://broker.example",
        "https://",
        "https://user:secret@broker.example",
        "https://broker.example?x=1",
        "https://broker.example#x",
        "https://broker.example:99999",
        "https://broker .example",
        "https://[::1",
    ],
)
def test_what_is_not(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(is not|may hold)") as caught:
        parse(text)
    assert "secret" not in str(caught.value)


def test_plain_http_goes_over_no_network_unless_it_must() -> None:
    with pytest.raises(ValueError, match="everybody on the way"):
        parse("http://broker.example")
    with pytest.raises(ValueError, match=r"use https://, or --this$"):
        parse("http://broker.example", otherwise=", or --this")
    assert parse("http://broker.example", plain=True).url == "http://broker.example"


def test_a_front_takes_the_place_of_the_host() -> None:
    assert parse("https://broker.example:444/meet").behind("cdn.example") == "https://cdn.example/meet"


@given(st.text(max_size=100) | spoilt_text(st.sampled_from(["https://broker.example:8443/meet/", "http://[::1]:8040"])))
def test_any_text_is_a_broker_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse(text).host
