"""Short codes as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import MistypedCodeError
from mayfly.rendezvous.shortcode import ShortCode, complete, make, parse
from mayfly.signaling.wordlist import WORDS
from support.spoilt import spoilt_text

CODE = ShortCode("7", ("copper", "tulip"))


@pytest.mark.parametrize(
    "text",
    [
        "7-copper-tulip",
        " 7-Copper-TULIP\n",
        "7 copper tulip",
        "7 - copper - tulip",
        "7_copper.tulip",
        "7, copper, tulip",
    ],
)
def test_forms_that_people_type(text: str) -> None:
    assert parse(text) == CODE


@pytest.mark.parametrize(
    "text", ["", "copper-tulip", "7-copper", "7-copper-tulip-zero", "07-copper-tulip", "x-copper-tulip"]
)
def test_what_is_no_short_code(text: str) -> None:
    with pytest.raises(MistypedCodeError, match="not a short code"):
        parse(text)


def test_a_code_that_is_pasted_is_called_what_it_is() -> None:
    with pytest.raises(MistypedCodeError, match="needs no broker") as caught:
        parse(" MF1qqqqqqqqqqqqqqq")
    assert "--broker" in caught.value.hint


@pytest.mark.parametrize(("typed", "meant"), [("coper", "copper"), ("tullip", "tulip"), ("kichen", "kitchen")])
def test_a_near_word_is_suggested(typed: str, meant: str) -> None:
    with pytest.raises(MistypedCodeError, match=f"“{meant}”"):
        parse(f"7-{typed}-zigzag")


def test_a_far_word_is_not_echoed() -> None:
    with pytest.raises(MistypedCodeError) as caught:
        parse("7-\x1b[31mqqqq-zero")
    assert "\x1b" not in caught.value.message + caught.value.hint


@given(st.integers(1, 10**9 - 1), st.binary(min_size=2, max_size=2))
def test_every_code_can_be_read_back(number: int, entropy: bytes) -> None:
    code = make(str(number), entropy)
    assert parse(code.text) == code
    assert code.password == code.text.partition("-")[2].encode()


def test_each_pair_of_bytes_is_another_password() -> None:
    assert len({make("1", bytes((first, second))).password for first in range(256) for second in range(256)}) == 65536


codes = st.builds(
    lambda number, words: make(str(number), words).text, st.integers(1, 9999), st.binary(min_size=2, max_size=2)
)


@given(st.text(max_size=300) | spoilt_text(codes))
def test_any_text_is_a_code_or_a_documented_error(text: str) -> None:
    try:
        code = parse(text)
    except MistypedCodeError:
        return
    assert parse(code.text) == code


def test_completion_goes_word_by_word() -> None:
    assert complete("7-cop") == ["7-copper-"]
    assert complete("7-copper-tul") == ["7-copper-tulip"]
    assert len(complete("7-")) == len(WORDS)
    assert complete("7") == complete("") == complete("7-copper-tulip-z") == complete("x-cop") == []
