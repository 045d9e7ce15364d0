"""Names: whatever a peer calls itself, what is shown is visible, on one line, short, and like no other's."""

# ruff: noqa: RUF001 - letters that look like others are what this is about
from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mayfly.chat.names import MARK, NAMELESS, RESERVED, NameBook, mixes_scripts, safe_name, skeleton
from mayfly.chat.records import MAX_NAME
from mayfly.runtime.terminal import printable

anything = st.text(max_size=80)
tricky = st.text(
    st.sampled_from("aeoаеоАαι\u0301\u200b\u202e\u2066\x1b\x9b\r\n\t \u3000\ufe0f\u3164ﷺ가ア日1lI|rnm-\ud800"),
    max_size=70,
)


@given(st.one_of(anything, tricky))
@example("\ufdfa" * 60)
@example(" - ")
def test_names_are_visible_and_short(text: str) -> None:
    name = safe_name(text)
    assert 0 < len(name) <= MAX_NAME - 6
    assert printable(name).replace("\\\\", "\\") == name
    assert " " not in name
    assert name.encode()


@given(st.one_of(anything, tricky))
def test_twice_safe_is_once_safe(text: str) -> None:
    assert safe_name(safe_name(text)) == safe_name(text)


def test_no_character_of_unicode_gets_through_raw() -> None:
    for number in range(sys.maxunicode + 1):
        if unicodedata.category(chr(number)) in ("Co", "Cn") and number % 997:
            continue
        name = safe_name(f"a{chr(number)}b")
        assert printable(name).replace("\\\\", "\\") == name, hex(number)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("anna", "anna"),
        ("  anna  maria\t", "anna-maria"),
        ("an\u200bna", "an\ufffdna"),
        ("\u202eanna\u202c", "\ufffdanna\ufffd"),
        ("a\x1b[31mb", "a\ufffd[31mb"),
        ("\uff41\uff4e\uff4e\uff41", "anna"),
        ("", NAMELESS),
        (" \u3000", NAMELESS),
        ("\u0301\u0301", NAMELESS),
        ("\u2764\ufe0f", "\u2764"),
        ("a" + "\u0316" * 20, "a" + "\u0316" * 3),
        ("x" * 500, "x" * 58),
        ("José", "José"),
        ("Łukasz", "Łukasz"),
        ("Анна", "Анна"),
        ("田中さん", "田中さん"),
        ("김Kim", "김Kim"),
        ("\u0430nna", "\u0430nna" + MARK),
        ("аnnа" * 20, ("аnnа" * 20)[: 58 - len(MARK)] + MARK),
    ],
)
def test_examples(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_scripts_that_are_written_together_are_not_marked() -> None:
    assert not mixes_scripts("日本のカナ漢字ーabc")
    assert mixes_scripts("日本Анна")
    assert mixes_scripts("aα")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna", "ANNA"),
        ("anna", "аnnа"),
        ("paypal", "раура\u04cf"),
        ("lila", "1i1a"),
        ("modern", "modem"),
        ("bob", "b0b"),
        ("zoe", "zoë"),
        ("lukasz", "łukasz"),
        ("oscar", "øscar"),
        ("tina", "ŧina"),
        ("kim", "ƙim"),
        ("vv", "w"),
        ("straße", "strasse"),
    ],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_names_that_do_not_look_alike_have_two() -> None:
    names = ["anna", "hanna", "ann", "ben", "Анна", "дмитрий", "田中", "anna-2", "anna-3", "guest"]
    assert len(set(map(skeleton, names))) == len(names)


def test_the_later_one_gets_a_number_until_the_first_goes() -> None:
    book = NameBook()
    assert [book.claim(each) for each in ("anna", "Anna", "аnnа", "anna", "anna-2")] == [
        "anna",
        "Anna-2",
        "аnnа" + MARK,
        "anna-3",
        "anna-2-2",
    ]
    book.release("anna")
    assert book.claim("anna") == "anna"


@given(st.lists(st.one_of(anything, tricky), max_size=30))
def test_all_names_in_a_book_look_different(wanted: list[str]) -> None:
    book = NameBook()
    names = [book.claim(each) for each in wanted]
    assert len(set(map(skeleton, names))) == len(names)
    assert all(len(name) <= MAX_NAME for name in names)
    for name in names:
        book.release(name)
    assert book.claim("anna") == "anna"


@pytest.mark.parametrize("word", RESERVED)
def test_nobody_bears_a_word_of_the_program(word: str) -> None:
    assert NameBook().claim(word.upper()) == word.upper() + "-2"
