"""A peer's name on the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly_cli.names import RESERVED, called, shown


@pytest.mark.parametrize("name", ["anna", "anna-2", "Jürgen", "Иван", "大文", "a.b_c", "ελένη"])
def test_a_plain_name_stands_as_it_is(name: str) -> None:
    assert shown(name) == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("anna maria", '"anna maria"'),
        ("bob: yes, send it", '"bob: yes, send it"'),
        ('a" (to you alone)', '"a\\x22 (to you alone)"'),
        ("", '""'),
        ("you", '"you"'),
        ("YOU", '"YOU"'),
    ],
)
def test_what_could_be_more_than_a_name_stands_in_quotes(name: str, text: str) -> None:
    assert shown(name) == text


def test_who_has_no_name_is_called_plainly() -> None:
    assert called("client 2") == "client 2"
    assert called("peer 1") == "the other side"
    assert called("anna") == "anna"
    assert called("peer\u00a01") == '"peer 1"'


def test_no_reserved_word_is_shown_bare() -> None:
    assert all(shown(word).startswith('"') for word in RESERVED)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("\u0430nna", '"\\u0430nna"'),  # a Cyrillic a among Latin letters
        ("\u0441\u043e\u0441\u043e", '"\\u0441\\u043e\\u0441\\u043e"'),  # Cyrillic alone, but "coco" to the eye
        ("bo\u03bf", '"bo\\u03bf"'),  # a Greek omicron
        ("\uff41nna", "anna"),  # full-width: composed to the letter that it stands for
        ("a\u0336nna", '"a\\u0336nna"'),  # a stroke across
        ("an\u200bna", '"an\\u200bna"'),
        ("\u202eanna", '"\\u202eanna"'),
        ("anna\x1b[2J", '"anna\\x1b[2J"'),
    ],
)
def test_letters_that_pass_for_others_are_written_out(name: str, text: str) -> None:
    assert shown(name) == text


CONTROLS = [chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))]
BIDI = list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize("character", CONTROLS + BIDI, ids=lambda value: f"{ord(value):04x}")
def test_no_control_or_direction_character_gets_through(character: str) -> None:
    assert character not in shown(f"a{character}b")


@given(st.text(max_size=64))
def test_any_name_is_one_line_of_visible_characters(name: str) -> None:
    text = shown(name)
    assert text
    assert text.isprintable()
