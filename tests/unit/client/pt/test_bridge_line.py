"""What bridge lines may say, and that they reach nothing outside the state directory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.pt.arguments import parse
from mayfly.pt.errors import ArgumentsError
from mayfly.rendezvous.address import parse as parse_broker
from mayfly_client.pt.bridge_line import ANSWERS, BridgeLine

TEXT = st.text(max_size=20)
KEYS = st.sampled_from(["code", "file", "broker", "front", "meet", "answers"]) | TEXT


@given(st.lists(st.tuples(KEYS, TEXT), max_size=5))
def test_any_arguments_make_a_line_or_the_documented_error(arguments: list[tuple[str, str]]) -> None:
    try:
        line = BridgeLine.of(tuple(arguments))
    except ArgumentsError as error:
        assert error.message
        return
    assert line.codes or line.file or line.brokers
    for name in (line.file or "x", line.answers):
        assert "/" not in name
        assert not name.startswith(".")


def test_everything_that_a_line_may_say() -> None:
    line = BridgeLine.of(
        parse(
            "code=mf1a;code=mf1b;file=codes.txt;answers=out.txt;"
            "broker=https://b.example;broker=https://c.example;front=d.example:443;meet=7-copper-lagoon"
        )
    )
    assert line == BridgeLine(
        codes=("mf1a", "mf1b"),
        file="codes.txt",
        brokers=(parse_broker("https://b.example"), parse_broker("https://c.example")),
        front="d.example:443",
        meet="7-copper-lagoon",
        answers="out.txt",
    )
    assert BridgeLine.of(parse("code=mf1a")).answers == ANSWERS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "where its relay comes from"),
        ("answers=a.txt", "where its relay comes from"),
        ("code=mf1a;colour=red", "does not know"),
        ("file=/etc/passwd", "plain name"),
        ("file=../torrc", "plain name"),
        ("file=.hidden", "plain name"),
        ("code=mf1a;answers=/etc/profile", "plain name"),
        ("code=mf1a;answers=", "plain name"),
        ("file=a;file=b", "more than once"),
        ("code=mf1a;meet=7-copper-lagoon", "needs a broker"),
        ("broker=https://b.example;meet=7 copper", "needs a broker"),
        ("code=mf1a;front=d.example", "needs a broker"),
        ("broker=https://b.example;front=d example", "needs a broker"),
        ("broker=nonsense", "not a URL"),
        ("broker=http://b.example", "http://"),
        ("file=answers.txt", "same file"),
    ],
)
def test_what_a_line_may_not_say(text: str, words: str) -> None:
    with pytest.raises(ArgumentsError, match=words):
        BridgeLine.of(parse(text))
