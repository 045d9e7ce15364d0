"""The bodies: what is taken, what is refused and how, and that no foreign bytes do more than that."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.rendezvous import messages
from mayfly.rendezvous.messages import (
    BODIES,
    STATUS,
    About,
    Arrived,
    ErrorBody,
    ErrorName,
    FriendMatch,
    FriendPosting,
    Mailbox,
    MessageError,
    NewMessage,
    PoolMatch,
    PoolPosting,
    PostingNews,
    Want,
)

ID, KEY = "abcdefghijklmnop", "k" * 43
POOL = {
    "version": 1,
    "mode": "pool",
    "key": KEY,
    "capacity": 3,
    "lifetime": 3600,
    "about": {"upstream": "direct", "nat": "cone", "serves": ["web", "high"], "remaining": 3600, "load": 0.5},
}


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def test_a_posting_for_the_pool() -> None:
    posting = messages.parse_new_posting(encoded(POOL))
    about = About("direct", "cone", ("web", "high"), 3600, 0.5)
    assert posting == PoolPosting(1, KEY, 3, 3600, about)
    assert messages.parse_new_posting(messages.serialise(posting)) == posting


def test_a_posting_for_a_friend_and_both_matches() -> None:
    assert messages.parse_new_posting(b'{"version":1,"mode":"friend","lifetime":60}') == FriendPosting(1, 60)
    friend = messages.parse_new_match(b'{"version":1,"mode":"friend","nameplate":"7"}')
    assert friend == FriendMatch(1, "7")
    pool = messages.parse_new_match(b'{"version":1,"mode":"pool"}')
    assert pool == PoolMatch(1, Want(), ())


def test_a_whole_number_may_have_a_fraction_of_nothing() -> None:
    posting = messages.parse_new_posting(
        encoded(POOL).replace(b": 3,", b": 3.0,").replace(b'"version": 1,', b'"version": 1.0,')
    )
    assert isinstance(posting, PoolPosting)
    assert (posting.capacity, type(posting.capacity)) == (3, int)


def test_unknown_members_are_ignored() -> None:
    assert messages.parse(NewMessage, b'{"n":1,"body":"eA","later":{}}') == NewMessage(1, "eA")


def test_events_keep_their_kind() -> None:
    news = PostingNews((Arrived(1, ID, 1, "eA"),), 1, 45)
    assert json.loads(messages.serialise(news))["events"][0]["type"] == "message"
    assert messages.parse(PostingNews, messages.serialise(news)) == news


@pytest.mark.parametrize(
    "change",
    [
        {"key": "short"},
        {"key": KEY + "\n"},
        {"capacity": -1},
        {"capacity": 65},
        {"capacity": 1.5},
        {"version": "1"},
        {"version": True},
        {"capacity": "3"},
        {"lifetime": 9},
        {"lifetime": 1e300},
        {"mode": "else"},
        {"about": {"upstream": "carrier pigeon"}},
        {"about": {"upstream": "direct", "load": 2}},
        {"about": {"upstream": "direct", "serves": ["web"] * 7}},
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MessageError) as caught:
        messages.parse_new_posting(encoded(POOL | change))
    assert caught.value.name is ErrorName.BAD_REQUEST
    assert "pigeon" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 16000, b'{"n":1,"body":"\\ud800"}', b"1" * 17000]
)
def test_what_is_no_body_is_refused(body: bytes) -> None:
    gc.collect()  # what other tests have left would be finalised in the depth of a body, and find no room on the stack
    with pytest.raises(MessageError) as caught:
        messages.parse(NewMessage, body)
    assert caught.value.name is ErrorName.BAD_REQUEST


def test_another_version_is_told_apart_from_a_mistake() -> None:
    for version in (0, 2, 99):
        with pytest.raises(MessageError) as caught:
            messages.parse_new_match(encoded({"version": version, "mode": "new mode"}))
        assert caught.value.name is ErrorName.VERSION


def test_the_largest_message_fits_a_body() -> None:
    largest = NewMessage(8, "x" * ((messages.LIMITS.max_message * 4 + 2) // 3))
    body = messages.serialise(largest)
    assert len(body) <= messages.LIMITS.max_body
    assert messages.parse(NewMessage, body) == largest
    with pytest.raises(MessageError):
        messages.parse(NewMessage, messages.serialise(NewMessage(8, largest.body + "x")))


def test_every_error_has_a_status_and_a_body() -> None:
    assert set(STATUS) == set(ErrorName)
    for name in ErrorName:
        body = ErrorBody(name, "words", 1.5)
        assert messages.parse(ErrorBody, messages.serialise(body)) == body


def test_the_schemas_name_every_body() -> None:
    references, components = messages.schemas()
    assert set(references) == set(BODIES)
    text = json.dumps([references, components])
    for name in ("PoolPosting", "FriendMatch", "Arrived", "ErrorBody"):
        assert name in components
        assert f"#/components/schemas/{name}" in text or name in references


@given(st.sampled_from(list(BODIES.values())), st.binary(max_size=300))
def test_foreign_bytes_raise_nothing_else(kind: Any, body: bytes) -> None:
    _only_documented(kind, body)


json_values: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        -1,
        1,
        2**70,
        0.5,
        1e300,
        "",
        "pool",
        "x" * 43,
        "7\n",
        [],
        [1],
        [[]],
        {},
        {"version": 2},
        {"n": 1, "body": "eA"},
    ]
)
members = st.sampled_from(
    ["version", "mode", "key", "capacity", "lifetime", "about", "n", "body", "messages", "cursor", "type", "events"]
)


@given(st.sampled_from(list(BODIES.values())), st.dictionaries(members, json_values))
def test_foreign_members_raise_nothing_else(kind: Any, value: dict[str, Any]) -> None:
    _only_documented(kind, encoded(value))


def _only_documented(kind: Any, body: bytes) -> None:
    try:
        message = messages.parse(kind, body)
    except MessageError as error:
        assert error.name in (ErrorName.BAD_REQUEST, ErrorName.VERSION)
        assert len(str(error)) < 300
    else:
        assert messages.parse(kind, messages.serialise(message)) == message


def test_a_mailbox() -> None:
    assert messages.parse(Mailbox, b'{"messages":[],"cursor":0,"closed":"left"}') == Mailbox((), 0, "left")
