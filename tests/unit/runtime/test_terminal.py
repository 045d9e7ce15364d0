"""Escaping of foreign text, for every character there is."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.runtime.terminal import printable

EVERY = [chr(number) for number in range(sys.maxunicode + 1)]
DANGEROUS = {
    "C0": [chr(number) for number in range(0x20)],
    "DEL": ["\x7f"],
    "C1": [chr(number) for number in range(0x80, 0xA0)],
    "bidi": list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
    "zero width": list("\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e"),
    "lines": list("\u0085\u2028\u2029"),
    "blanks": list("\u00a0\u2003\u3000\u3164\u2800\u115f\u1160\uffa0\u034f"),
    "variation": ["\ufe00", "\ufe0f", "\U000e0100", "\U000e01ef", "\u180b"],
    "tags": [chr(number) for number in range(0xE0000, 0xE0080)],
    "surrogates": ["\ud800", "\udfff", "\udc80"],
    "private": ["\ue000", "\U000f0000"],
    "noncharacters": ["\ufdd0", "\uffff", "\U0010ffff"],
}


@pytest.mark.parametrize("group", DANGEROUS)
def test_each_dangerous_character_becomes_visible_ascii(group: str) -> None:
    for character in DANGEROUS[group]:
        shown = printable(character)
        assert shown.startswith("\\"), f"U+{ord(character):04X}"
        assert shown.isascii()
        assert shown.isprintable()


def test_no_character_at_all_comes_out_as_a_control_format_or_unassigned_one() -> None:
    for character in EVERY:
        shown = printable(character)
        assert all(unicodedata.category(part)[0] not in "CZ" or part == " " for part in shown), (
            f"U+{ord(character):04X}"
        )
        assert shown.isprintable()


@pytest.mark.parametrize("text", ["accept 80, 443; reject *", "größer als Äpfel", "日本語", "שלום", "résumé 🙂"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\U000e0041", "\\U000e0041"),
        ("c:\\new", "c:\\\\new"),
        ("\t", "\\t"),
    ],
)
def test_escapes_read_like_python_s(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(), st.text())
def test_two_different_texts_never_look_the_same(one: str, other: str) -> None:
    assert (printable(one) == printable(other)) == (one == other)


@given(st.text())
def test_the_text_can_be_had_back(text: str) -> None:
    shown = printable(text)
    assert "".join(_read(shown)) == text


def _read(shown: str) -> list[str]:
    lengths = {"x": 2, "u": 4, "U": 8}
    short = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    out: list[str] = []
    at = 0
    while at < len(shown):
        if shown[at] != "\\":
            out.append(shown[at])
            at += 1
        elif shown[at + 1] in short:
            out.append(short[shown[at + 1]])
            at += 2
        else:
            length = lengths[shown[at + 1]]
            out.append(chr(int(shown[at + 2 : at + 2 + length], 16)))
            at += 2 + length
    return out
